import { FaultPoint } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Catalog, type CatalogShape } from "../../src/catalog/Catalog.ts"
import { LakeError } from "../../src/LakeError.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, type TableAction, updateSchema } from "../../src/write/TableAction.ts"
import { createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"
import { eventFile } from "../LakeFixtures.ts"

const unknown = new LakeError({ reason: "OutcomeUnknown", message: "the catalog did not answer" })
const unreachable = new LakeError({ reason: "Unavailable", message: "the catalog is away" })

/** Commits through a catalog of which each commit goes wrong as `commit` says, in turn; then all is well. */
const commitThrough = Effect.fnUntraced(function* (
  faults: ReadonlyArray<(catalog: CatalogShape) => Partial<CatalogShape>>,
  action: TableAction = append([eventFile("a", 20_000, 0, 10)])
) {
  const real = yield* Catalog
  let turn = 0
  let away = false
  const faulty: CatalogShape = {
    ...real,
    loadTable: (identifier) => (away ? Effect.fail(unreachable) : real.loadTable(identifier)),
    commit: (commit) => {
      const fault = faults[turn++]?.(real)
      if (fault?.loadTable !== undefined) away = true
      return fault?.commit === undefined ? real.commit(commit) : fault.commit(commit)
    }
  }
  const points: Array<string> = []
  const attempt = commitTable({
    table: raw,
    actions: () => Effect.succeed([action])
  }).pipe(
    Effect.provideService(Catalog, faulty),
    Effect.provideService(FaultPoint, { hit: (name) => Effect.sync(() => void points.push(name)) }),
    Effect.result
  )
  const fiber = yield* Effect.forkChild(attempt)
  for (let i = 0; i < 50 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust("1 minute")
  return { result: yield* Fiber.join(fiber), points, table: yield* loadRaw }
})

const landedUnheard = (catalog: CatalogShape): Partial<CatalogShape> => ({
  commit: (commit) => Effect.andThen(catalog.commit(commit), Effect.fail(unknown))
})
const lost: () => Partial<CatalogShape> = () => ({ commit: () => Effect.fail(unknown) })

describe("commitTable, outcome unknown", () => {
  for (const [what, fault] of [
    ["landed", landedUnheard],
    ["was lost", lost]
  ] as const) {
    it.effect(`adds a column once, whether the first attempt ${what} or not`, () =>
      Effect.gen(function* () {
        yield* createRaw
        const added = updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } })
        const { result, table } = yield* commitThrough([fault], added)
        assert.strictEqual(result._tag, "Success")
        assert.lengthOf(table.metadata.schemas, 2)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.effect("finds by looking that the commit landed, and does not repeat it", () =>
    Effect.gen(function* () {
      yield* createRaw
      const { result, points, table } = yield* commitThrough([landedUnheard])
      assert.strictEqual(result._tag, "Success")
      assert.strictEqual(table.metadata.snapshots.length, 1)
      assert.deepStrictEqual(points, ["before-swap", "swap-unknown", "after-swap"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("tries again when the commit is not there", () =>
    Effect.gen(function* () {
      yield* createRaw
      const { result, table } = yield* commitThrough([lost, lost])
      assert.strictEqual(result._tag, "Success")
      assert.strictEqual(table.metadata.snapshots.length, 1)
      assert.strictEqual(table.metadata.snapshots[0]?.summary.get("total-records"), "10")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("notices on the next base that an earlier attempt landed after all", () =>
    Effect.gen(function* () {
      yield* createRaw
      // The first commit is looked for too early, then lands; the second conflicts with it.
      let late: Effect.Effect<unknown, LakeError> = Effect.void
      const early = (catalog: CatalogShape): Partial<CatalogShape> => ({
        commit: (commit) => {
          late = catalog.commit(commit)
          return Effect.fail(unknown)
        }
      })
      const conflict = (): Partial<CatalogShape> => ({
        commit: () =>
          Effect.andThen(late, Effect.fail(new LakeError({ reason: "CommitConflict", message: "another was first" })))
      })
      const { result, table } = yield* commitThrough([early, conflict])
      assert.strictEqual(result._tag, "Success")
      assert.strictEqual(table.metadata.snapshots.length, 1)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("says OutcomeUnknown when no attempt was answered: the last one may yet be done", () =>
    Effect.gen(function* () {
      yield* createRaw
      let last: Effect.Effect<unknown, LakeError> = Effect.void
      const never = (catalog: CatalogShape): Partial<CatalogShape> => ({
        commit: (commit) => {
          last = catalog.commit(commit)
          return Effect.fail(unknown)
        }
      })
      const { result, table } = yield* commitThrough([never, never, never, never, never])
      assert.strictEqual(result._tag === "Failure" ? result.failure : undefined, unknown)
      assert.lengthOf(table.metadata.snapshots, 0)
      yield* last
      assert.lengthOf((yield* loadRaw).metadata.snapshots, 1)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("says OutcomeUnknown when the catalog cannot be asked", () =>
    Effect.gen(function* () {
      yield* createRaw
      const { result } = yield* commitThrough([
        (catalog) => ({ ...landedUnheard(catalog), loadTable: () => Effect.fail(unreachable) })
      ])
      assert.strictEqual(result._tag === "Failure" ? result.failure.reason : "none", "OutcomeUnknown")
    }).pipe(Effect.provide(layerLake))
  )
})
