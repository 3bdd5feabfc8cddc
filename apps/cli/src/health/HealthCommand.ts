/**
 * `frazil health`: every part is asked; exit code 1 and the ill ones named when one is ill.
 *
 * A part that others need is checked first; when it is ill they are left out, so that the cause is what is named.
 */
import { existsSync, statSync } from "node:fs"
import type { Log } from "@frazil/engine"
import { catalogLayer, type DataDirectory, Flags, locate, logLayer } from "@frazil/platform"
import { Config, type Context, Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import type { StageStatus } from "../jobs/SystemStatus.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { checkCheckpoints, checkDisk } from "./DiskChecks.ts"
import { checkCatalog, checkLandings, checkTableFiles } from "./LakeChecks.ts"
import { checkJobs, checkLog } from "./LogChecks.ts"
import { healthy, ill, illness, type Part, partLines, partsJson } from "./Part.ts"

const lagMaxDefault = 100_000
const commitAgeMsMaxDefault = 15 * 60_000
const diskFreeMinMbDefault = 512

interface Bounds {
  readonly lagMax: number
  readonly commitAgeMsMax: number
  readonly diskFreeBytesMin: number
}

interface LogHealth {
  readonly parts: ReadonlyArray<Part>
  readonly stages: ReadonlyArray<StageStatus>
  /** Undefined when the log cannot be used. */
  readonly log: Context.Context<Log> | undefined
}

const logHealth = Effect.fnUntraced(function* (directory: DataDirectory, bounds: Bounds) {
  const noLog = (detail: string): LogHealth => ({ parts: [ill("log", detail)], stages: [], log: undefined })
  if (!existsSync(directory.logFile)) return noLog(`${directory.logFile} is missing: restore it, or start a pipeline`)
  const built = yield* Effect.result(Layer.build(logLayer(directory)))
  if (built._tag === "Failure") return noLog(built.failure.message)
  const log = built.success
  const part = yield* Effect.provideContext(checkLog, log)
  if (!part.healthy) return noLog(part.detail)
  const { parts, stages } = yield* Effect.provideContext(checkJobs(directory, bounds.lagMax), log)
  return { parts: [part, ...parts], stages, log } satisfies LogHealth
})

const lakeHealth = Effect.fnUntraced(function* (directory: DataDirectory, bounds: Bounds, { log, stages }: LogHealth) {
  if (!existsSync(directory.catalogFile)) {
    const began = stages.some((stage) => stage.shards.length > 0) || existsSync(`${directory.root}/warehouse`)
    return began
      ? [ill("catalog", `${directory.catalogFile} is missing: restore it, or start the pipeline`)]
      : [healthy("catalog", "none yet: nothing has landed")]
  }
  const built = yield* Effect.result(Layer.build(catalogLayer(directory)))
  if (built._tag === "Failure") return [ill("catalog", built.failure.message)]
  const catalog = built.success
  const part = yield* Effect.provideContext(checkCatalog, catalog)
  if (!part.healthy) return [part]
  const files = yield* Effect.provideContext(checkTableFiles, catalog)
  if (log === undefined) return [part, ...files]
  const landings = yield* checkLandings(stages, bounds.commitAgeMsMax).pipe(
    Effect.provideContext(catalog),
    Effect.provideContext(log)
  )
  // one part for each table: what is wrong with its files comes before how far it landed
  const landed = new Map(landings.map((landing) => [landing.name, landing]))
  const wrongFiles = new Set(files.filter((file) => !file.healthy).map((file) => file.name))
  const others = files.filter((file) => wrongFiles.has(file.name) || !landed.has(file.name))
  return [part, ...others, ...landings.filter((landing) => !wrongFiles.has(landing.name))]
})

const examine = Effect.fnUntraced(function* (directory: DataDirectory, bounds: Bounds) {
  const isDirectory = statSync(directory.root, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isDirectory) {
    return [ill("data directory", `${directory.root} does not exist: give another with --data, or start a pipeline`)]
  }
  const log = yield* logHealth(directory, bounds)
  return [
    ...log.parts,
    ...(yield* lakeHealth(directory, bounds, log)),
    yield* checkCheckpoints(directory),
    yield* checkDisk(directory, bounds.diskFreeBytesMin)
  ]
}, Effect.scoped)

const options = {
  lagMax: Flag.Int("lag-max").pipe(
    Flag.withDescription("A job further behind than so many records is ill"),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_LAG_MAX")),
    Flag.withDefault(lagMaxDefault)
  ),
  commitAgeMax: Flags.duration("commit-age-max", "FRAZIL_COMMIT_AGE_MAX").pipe(
    Flag.withDescription("A table is ill when a record has waited longer for its commit (default 15m)")
  ),
  diskFreeMin: Flag.Int("disk-free-min").pipe(
    Flag.withDescription("Megabytes that must be free on the data directory's disk"),
    Flag.withMetavar("MB"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_DISK_FREE_MIN")),
    Flag.withDefault(diskFreeMinMbDefault)
  ),
  ...commonOptions
}

export const healthCommand = Command.make(
  "health",
  options,
  Effect.fnUntraced(function* (given) {
    const parts = yield* examine(locate(given), {
      lagMax: given.lagMax,
      commitAgeMsMax: Option.getOrElse(given.commitAgeMax, () => commitAgeMsMaxDefault),
      diskFreeBytesMin: given.diskFreeMin * 1024 * 1024
    })
    yield* given.json ? printJson(partsJson(parts)) : printLines(partLines(parts))
    const message = illness(parts)
    if (message !== undefined) return yield* new CommandError({ message })
  })
).pipe(
  Command.withDescription(
    "Checks every part: log, jobs, lag, catalog, tables, checkpoints, disk; exit code 1 when one is ill"
  )
)
