/** The command: `compact`, `manifests`, `expire`, `orphans`, `all` once, and `schedule`. `main.ts` runs it. */
import type { MaintenanceAction, MaintenanceReport } from "@frazil/lake"
import { type DataDirectory, Flags, hasCatalog, locate, type LocationOptions } from "@frazil/platform"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { MaintenanceError } from "./MaintenanceError.ts"
import { commonOptions, compactOptions, expireOptions, orphansOptions, policyOf } from "./Options.ts"
import { actions, type Policy } from "./Policy.ts"
import { note, printLine, reportJson, reportLine } from "./Print.ts"
import { runAction } from "./RunAction.ts"
import { runSchedule } from "./Schedule.ts"
import { readScheduleFile, type ScheduledJob } from "./ScheduleFile.ts"

interface Once extends LocationOptions {
  readonly table: ReadonlyArray<string>
  readonly formerTable?: ReadonlyArray<string>
  readonly dryRun: boolean
  readonly json: boolean
}

const existingCatalog = Effect.fnUntraced(function* (given: LocationOptions) {
  const directory: DataDirectory = locate(given)
  if (hasCatalog(directory)) return directory
  return yield* new MaintenanceError({
    message: `${directory.root} holds no catalog.db: there are no tables yet, or --data names another directory`
  })
})

/** Does the actions one after another; fails at the end when one failed for some table. */
const runOnce = Effect.fnUntraced(function* (chosen: ReadonlyArray<MaintenanceAction>, given: Once, policy: Policy) {
  const directory = yield* existingCatalog(given)
  const reports: Array<MaintenanceReport> = []
  for (const action of chosen) {
    const run = { action, tables: given.table, formerTables: given.formerTable ?? [], policy, dryRun: given.dryRun }
    const done = yield* runAction(directory, run, (report) =>
      given.json ? Effect.void : printLine(reportLine(report))
    )
    reports.push(...done)
  }
  if (given.json) yield* printLine(JSON.stringify(reports.map(reportJson)))
  const failed = reports.filter(({ error }) => error !== undefined)
  const [first] = failed
  if (first === undefined) return
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more of ${reports.length})` : ""
  return yield* new MaintenanceError({ message: `${first.action} of ${first.table}: ${first.error}${others}` })
})

const compact = Command.make("compact", { ...commonOptions, ...compactOptions }, (given) =>
  runOnce(["compact"], given, policyOf(given))
).pipe(Command.withDescription("Rewrites small data files into larger ones"))

const manifests = Command.make("manifests", commonOptions, (given) => runOnce(["manifests"], given, policyOf({}))).pipe(
  Command.withDescription("Lists the same files in fewer, well filled manifests, in order of their partitions")
)

const expire = Command.make("expire", { ...commonOptions, ...expireOptions }, (given) =>
  runOnce(["expire"], given, policyOf(given))
).pipe(Command.withDescription("Forgets old snapshots and deletes the files that only they have"))

const orphans = Command.make("orphans", { ...commonOptions, ...orphansOptions }, (given) =>
  runOnce(["orphans"], given, policyOf(given))
).pipe(Command.withDescription("Removes old files that no table's metadata names"))

const all = Command.make("all", { ...commonOptions, ...compactOptions, ...expireOptions, ...orphansOptions }, (given) =>
  runOnce(actions, given, policyOf(given))
).pipe(Command.withDescription("Expires, removes orphans, rewrites manifests, compacts: in this order"))

const schedule = Command.make(
  "schedule",
  {
    ...Flags.location,
    config: Flag.String("config").pipe(
      Flag.withDescription("The file with the cron lines"),
      Flag.withMetavar("FILE.yaml"),
      Flag.withDefault("lakehouse/maintenance.yaml")
    ),
    json: Flags.json,
    verbose: Flags.verbose
  },
  Effect.fnUntraced(function* (given) {
    const jobs = yield* readScheduleFile(given.config)
    const directory = yield* existingCatalog(given)
    const print = (report: MaintenanceReport) =>
      printLine(given.json ? JSON.stringify(reportJson(report)) : reportLine(report))
    const run = ({ action, policy, tables }: ScheduledJob) =>
      runAction(directory, { action, tables, formerTables: [], policy, dryRun: false }, print).pipe(
        Effect.asVoid,
        Effect.catchTag("JobAlreadyRunning", () => note(`${action}: runs elsewhere: this time is left out`)),
        // told, and tried again at its next time
        Effect.catchTag(["LakeError", "LogError", "DuckDbError"], (error) => note(`${action}: ${error.message}`))
      )
    yield* runSchedule(jobs, run, ({ action }, atMs) => note(`${action}: next at ${new Date(atMs).toISOString()}`))
  })
).pipe(Command.withDescription("Runs the actions at the times of a file, until it is stopped"))

export const maintenanceCommand = Command.make("maintenance").pipe(
  Command.withDescription("Upkeep of the tables, beside a running pipeline or without one"),
  Command.withSubcommands([compact, manifests, expire, orphans, all, schedule])
)
