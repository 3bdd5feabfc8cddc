/**
 * One action over tables, table by table: a table that fails is told in its report and does not stop the others.
 *
 * Both the single run and the schedule call it. It holds the action's lock on the data directory, so that an action never
 * runs twice at once there, and appends each report to the topic `maintenance` where there is a log.
 */
import { holdJobLock } from "@frazil/connect"
import {
  Catalog,
  compactManifests,
  compactTable,
  expireSnapshots,
  identifierFromText,
  identifierText,
  type MaintenanceAction,
  type MaintenanceReport,
  removeOrphans,
  type TableIdentifier
} from "@frazil/lake"
import { catalogLayer, type DataDirectory, duckDbLayer, storageLayer } from "@frazil/platform"
import { Clock, Effect, Layer } from "effect"
import { MaintenanceError } from "./MaintenanceError.ts"
import type { Policy } from "./Policy.ts"
import { recordRun } from "./RecordRun.ts"

export interface ActionRun {
  readonly action: MaintenanceAction
  /** Names; empty: every table of the catalog. */
  readonly tables: ReadonlyArray<string>
  /** UUIDs of tables that are in no catalog any more, for orphan removal. */
  readonly formerTables: ReadonlyArray<string>
  readonly policy: Policy
  readonly dryRun: boolean
}

/** Leaves out what is undefined, so that defaults apply. */
const given = <A extends object>(options: A): { [K in keyof A]?: NonNullable<A[K]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    // only entries that are there are left
    [K in keyof A]?: NonNullable<A[K]>
  }

const act = ({ action, dryRun, formerTables, policy }: ActionRun, table: TableIdentifier) => {
  const { fileBytesTarget, inputFilesMin, orphanAgeMsMin: ageMsMin, snapshotAgeMsMax, snapshotsKeptMin } = policy
  const { compactBytesMax: bytesMax, compactFilesMax: filesMax, compactMsMax: durationMsMax } = policy
  switch (action) {
    case "compact":
      return compactTable(table, {
        ...given({ fileBytesTarget, inputFilesMin, bytesMax, filesMax, durationMsMax }),
        dryRun
      })
    case "manifests":
      return compactManifests(table, { dryRun })
    case "expire":
      return expireSnapshots(table, { ...given({ snapshotAgeMsMax, snapshotsKeptMin }), dryRun })
    case "orphans":
      return removeOrphans(table, { ...given({ ageMsMin }), formerTables, dryRun })
  }
}

/** The report of a table that the action failed for. */
const failure = (run: ActionRun, table: TableIdentifier, startedAtMs: number, message: string) =>
  Effect.map(Clock.currentTimeMillis, (finishedAtMs): MaintenanceReport => ({
    table: identifierText(table),
    action: run.action,
    dryRun: run.dryRun,
    startedAtMs,
    finishedAtMs,
    filesBefore: 0,
    filesAfter: 0,
    bytesBefore: 0,
    bytesAfter: 0,
    conflicts: 0,
    snapshotsExpired: 0,
    snapshotId: undefined,
    removed: [],
    error: message
  }))

const chosen = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const catalog = yield* Catalog
  const all = yield* catalog.listTables()
  if (names.length === 0) return all
  return yield* Effect.forEach(names, (name) => {
    const identifier = identifierFromText(name)
    const known = all.find((each) => identifier !== undefined && identifierText(each) === identifierText(identifier))
    return known === undefined
      ? Effect.fail(
          new MaintenanceError({
            message: `there is no table ${name}: the catalog has ${all.map(identifierText).join(", ") || "none"}`
          })
        )
      : Effect.succeed(known)
  })
})

/** Does it, and tells `report` of each table as it is done. Gives the reports. */
export const runAction = Effect.fnUntraced(function* <R>(
  directory: DataDirectory,
  run: ActionRun,
  report: (report: MaintenanceReport) => Effect.Effect<void, MaintenanceError, R>
) {
  const name = `maintenance-${run.action}`
  yield* holdJobLock({ job: name, dataDirectory: directory.root })
  const layers = Layer.mergeAll(catalogLayer(directory), duckDbLayer(directory), storageLayer(directory))
  return yield* Effect.gen(function* () {
    const tables = yield* chosen(run.tables)
    return yield* Effect.forEach(tables, (table) =>
      Effect.gen(function* () {
        const startedAtMs = yield* Clock.currentTimeMillis
        const done = yield* act(run, table).pipe(
          Effect.catch((error) => failure(run, table, startedAtMs, error.message))
        )
        yield* recordRun(directory, name, done)
        yield* report(done)
        return done
      })
    )
  }).pipe(Effect.provide(layers))
}, Effect.scoped)
