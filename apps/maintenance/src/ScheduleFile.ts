/**
 * The schedule file: a cron line for each action, with its thresholds. Checked whole before anything runs.
 */
import { readFile } from "node:fs/promises"
import type { MaintenanceAction } from "@frazil/lake"
import { Cron, Effect, Result, Schema } from "effect"
import { parse } from "yaml"
import { MaintenanceError } from "./MaintenanceError.ts"
import { type Policy, type Read, readAge, readCount, readOrphanAge, readSize } from "./Policy.ts"

/** An action, and when it runs. */
export interface ScheduledJob {
  readonly action: MaintenanceAction
  readonly cron: Cron.Cron
  /** Empty: every table of the catalog. */
  readonly tables: ReadonlyArray<string>
  readonly policy: Policy
}

const common = { cron: Schema.String, tables: Schema.optionalKey(Schema.Array(Schema.String)) }
const Text = Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite]))

const Document = Schema.Struct({
  compact: Schema.optionalKey(
    Schema.Struct({
      ...common,
      "target-file-size": Text,
      "min-input-files": Text,
      "compact-bytes-max": Text,
      "compact-files-max": Text,
      "compact-for": Text
    })
  ),
  manifests: Schema.optionalKey(Schema.Struct(common)),
  expire: Schema.optionalKey(Schema.Struct({ ...common, "snapshots-older-than": Text, "snapshots-keep": Text })),
  orphans: Schema.optionalKey(Schema.Struct({ ...common, "orphans-older-than": Text }))
})

const decode = Schema.decodeUnknownEffect(Document, { onExcessProperty: "error" })

const bytesMax = 65_536

type Settings = Readonly<Record<string, string | number | ReadonlyArray<string>>>

const jobOf = (
  path: string,
  action: MaintenanceAction,
  settings: Settings
): Result.Result<ScheduledJob, MaintenanceError> => {
  const problems: Array<string> = []
  const read = (name: string, reader: (text: string) => Read<number>): number | undefined => {
    const text = settings[name]
    if (text === undefined) return undefined
    const value = reader(String(text))
    if (typeof value === "number") return value
    problems.push(`${action}.${name}: expected ${value.expected}, not "${String(text)}"`)
    return undefined
  }
  const policy: Policy = {
    fileBytesTarget: read("target-file-size", readSize),
    inputFilesMin: read("min-input-files", readCount(2)),
    compactBytesMax: read("compact-bytes-max", readSize),
    compactFilesMax: read("compact-files-max", readCount(2)),
    compactMsMax: read("compact-for", readAge),
    snapshotAgeMsMax: read("snapshots-older-than", readAge),
    snapshotsKeptMin: read("snapshots-keep", readCount(1)),
    orphanAgeMsMin: read("orphans-older-than", readOrphanAge)
  }
  const line = String(settings["cron"])
  const cron = Cron.parse(line, "UTC")
  if (Result.isFailure(cron)) {
    problems.push(`${action}.cron: "${line}" is no cron line such as "17 3 * * *" (${cron.failure.message})`)
  }
  if (problems.length > 0 || Result.isFailure(cron)) {
    return Result.fail(new MaintenanceError({ message: `${path}: ${problems.join("; ")}` }))
  }
  const { tables } = settings
  return Result.succeed({ action, cron: cron.success, tables: Array.isArray(tables) ? tables.map(String) : [], policy })
}

/** Reads and checks the file; the error names the file, the setting and what was expected. */
export const readScheduleFile = Effect.fnUntraced(function* (path: string) {
  const refuse = (why: string) => new MaintenanceError({ message: `${path}: ${why.split("\n", 1)[0]}` })
  const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
  const text = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () => refuse("cannot be read: give the file with the cron lines with --config")
  })
  if (text.length > bytesMax) return yield* refuse(`it is longer than ${bytesMax} characters`)
  const document = yield* Effect.try({ try: (): unknown => parse(text), catch: (cause) => refuse(reason(cause)) })
  const decoded = yield* Effect.mapError(decode(document), (cause) => refuse(cause.message.replaceAll(/\s+/g, " ")))
  const jobs: Array<ScheduledJob> = []
  for (const action of ["compact", "manifests", "expire", "orphans"] as const) {
    const settings = decoded[action]
    if (settings !== undefined) jobs.push(yield* Effect.fromResult(jobOf(path, action, settings)))
  }
  if (jobs.length === 0) return yield* refuse("it names none of compact, manifests, expire, orphans")
  return jobs
})
