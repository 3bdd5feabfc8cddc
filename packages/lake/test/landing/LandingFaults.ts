/**
 * What tests of landings do to them: crash or hold them at a fault point, change the catalog's answers, be another engine
 * on the same table; and what must hold afterwards.
 */
import { assert } from "@effect/vitest"
import { FaultPoint, type FaultPointName } from "@frazil/core"
import { type DataFile } from "../../src/spec/DataFile.ts"
import { Deferred, Effect, Exit } from "effect"
import { Catalog, type CatalogShape } from "../../src/catalog/Catalog.ts"
import { auditTable } from "../../src/landing/Audit.ts"
import { LandingError } from "../../src/landing/LandingError.ts"
import { readMarks } from "../../src/landing/Mark.ts"
import type { MetadataUpdate } from "../../src/spec/MetadataUpdate.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, setProperties } from "../../src/write/TableAction.ts"
import { landing } from "./LandingFixture.ts"

/** Does something at the `nth` crossing of a fault point, once. */
export const atCrossing = <A, E, R>(name: FaultPointName, nth: number, action: Effect.Effect<void>) => {
  let crossings = 0
  const hit = (point: FaultPointName) => (point === name && ++crossings === nth ? action : Effect.void)
  return {
    during: (effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, FaultPoint, { hit }),
    happened: () => crossings >= nth
  }
}

/** Runs the effect until it dies at the fault point; says whether it came to that. */
export const crashAt = Effect.fnUntraced(function* <A, E, R>(
  name: FaultPointName,
  nth: number,
  effect: Effect.Effect<A, E, R>
) {
  const crash = atCrossing<A, E, R>(name, nth, Effect.die(new Error(`a crash at ${name}`)))
  const exit = yield* Effect.exit(crash.during(effect))
  return crash.happened() && Exit.isFailure(exit)
})

/** A fault point that stops whoever comes there until it is opened. */
export const makeGate = Effect.gen(function* () {
  const [came, open] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  return {
    stop: Effect.andThen(Deferred.succeed(came, undefined), Deferred.await(open)),
    came: Deferred.await(came),
    open: Deferred.succeed(open, undefined)
  }
})

/** The effect, with some answers of the catalog changed. */
export const withCatalog = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  change: (real: CatalogShape) => Partial<CatalogShape>
) => Effect.flatMap(Catalog, (real) => Effect.provideService(effect, Catalog, { ...real, ...change(real) }))

export const loadTable = Catalog.use((catalog) => catalog.loadTable(landing))

/** The offsets that are landed next, by partition. */
export const marksNow = Effect.map(loadTable, ({ metadata }) =>
  [...(readMarks(landing.uid, landing.branch, metadata.properties) ?? [])]
    .sort(([a], [b]) => a - b)
    .map(([, mark]) => mark.next)
)

/** Rows as the newest snapshot counts them. */
export const snapshotsNow = Effect.map(loadTable, ({ metadata }) =>
  metadata.snapshots.map((snapshot) => Number(snapshot.summary.get("total-records")))
)

/** Commits as another engine would: without marks. */
export const foreignAppend = (files: ReadonlyArray<DataFile> = []) =>
  commitTable({ table: landing, actions: () => Effect.succeed([append(files)]) })

export const foreignProperties = (properties: ReadonlyMap<string, string>, removed: ReadonlyArray<string> = []) =>
  commitTable({ table: landing, actions: () => Effect.succeed([setProperties(properties, removed)]) })

/** Changes the table's metadata by force, as another engine may. */
export const foreignUpdates = Effect.fnUntraced(function* (updates: ReadonlyArray<MetadataUpdate>) {
  const catalog = yield* Catalog
  return yield* catalog.commit({ base: yield* loadTable, requirements: [], updates })
})

/** Sets `main` back to the snapshot at `index`, as `rollback_to_snapshot` does. */
export const rollBackTo = Effect.fnUntraced(function* (index: number) {
  const { metadata } = yield* loadTable
  const { snapshotId } = metadata.snapshots.at(index)!
  return yield* foreignUpdates([{ _tag: "SetSnapshotRef", name: "main", ref: branchAt(snapshotId) }])
})

/** Every record that decodes is a row, once, up to the ends of the log. */
export const assertAllLanded = (ends: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const report = yield* auditTable(landing)
    assert.isTrue(report.matches, JSON.stringify(report.problems))
    assert.deepStrictEqual(yield* marksNow, ends)
  })

/** The landing stops for this reason, says what to do, and has changed nothing. */
export const assertStops = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  reason: LandingError["reason"],
  says: RegExp
) {
  const catalog = yield* Catalog
  const locationNow = Effect.option(Effect.map(catalog.loadTable(landing), (table) => table.metadataLocation))
  const before = yield* locationNow
  const error = yield* Effect.flip(effect)
  if (!(error instanceof LandingError)) return assert.fail(`not a LandingError: ${String(error)}`)
  assert.strictEqual(error.reason, reason, error.message)
  assert.match(error.message, says)
  assert.match(error.message, /^table test\.events/)
  assert.deepStrictEqual(yield* locationNow, before)
})
