import { FaultPoint, type FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import type { LakeError } from "../../src/LakeError.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { assertRef, assertTableUuid } from "../../src/spec/Requirement.ts"
import { ancestorsOf, currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable, type Committed } from "../../src/write/CommitTable.ts"
import { append, setProperties, type TableAction } from "../../src/write/TableAction.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw, storedUris } from "../LakeHarness.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"

const file = (name: string) => eventFile(name, 20_000, 0, 10)

const pathsOf = Effect.gen(function* () {
  const plan = yield* planScan(yield* loadRaw)
  return plan.entries.map((entry) => entry.dataFile.filePath.replace(/.*\//, "")).sort()
})

/** Runs with the clock moving on by itself, so that waits between attempts end. */
const whileClockRuns = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let i = 0; i < 200 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

/** Runs `effect` with `act` done the n-th time that a fault point is crossed. */
const at = <A, E, R>(point: FaultPointName, times: ReadonlyArray<number>, act: Effect.Effect<void>) => {
  let crossed = 0
  return (effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, FaultPoint, {
      hit: (name) => (name === point && times.includes(++crossed) ? act : Effect.void)
    })
}

/** Another writer, who commits without being disturbed. */
const rival = Effect.fnUntraced(function* (name: string) {
  const context = yield* Effect.context<Catalog | FileIO>()
  return appendRaw([file(name)]).pipe(
    Effect.provideService(FaultPoint, { hit: () => Effect.void }),
    Effect.provide(context),
    Effect.asVoid,
    Effect.orDie
  )
})

class Abandoned extends Data.TaggedError("Abandoned")<{ readonly head: bigint | null }> {}

describe("commitTable", () => {
  it.effect("adds files in a snapshot whose summary counts as Java's does", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([eventFile("a", 20_000, 0, 10), eventFile("b", 20_001, 10, 5)])
      const { snapshot, table } = yield* appendRaw([eventFile("c", 20_001, 15, 1)])
      assert.deepStrictEqual(Object.fromEntries(snapshot?.summary ?? []), {
        "added-data-files": "1",
        "added-records": "1",
        "added-files-size": "1000",
        "changed-partition-count": "1",
        "total-records": "16",
        "total-files-size": "3000",
        "total-data-files": "3",
        "total-delete-files": "0",
        "total-position-deletes": "0",
        "total-equality-deletes": "0",
        "engine-name": "frazil"
      })
      assert.strictEqual(snapshot?.operation, "append")
      assert.strictEqual(table.metadata.lastSequenceNumber, 2n)
      assert.lengthOf(Array.from(ancestorsOf(table.metadata, table.metadata.currentSnapshotId)), 2)
      assert.deepStrictEqual(yield* pathsOf, ["a.parquet", "b.parquet", "c.parquet"])
      const plan = yield* planScan(yield* loadRaw)
      assert.deepStrictEqual(plan.entries.map((entry) => String(entry.sequenceNumber)).sort(), ["1", "1", "2"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("makes an empty snapshot, with properties and summary in the same swap", () =>
    Effect.gen(function* () {
      yield* createRaw
      const mark = new Map([["frazil.mark.x.main.0", "7"]])
      const actions: ReadonlyArray<TableAction> = [append([], mark), setProperties(mark)]
      const empty = () => commitTable({ table: raw, actions: () => Effect.succeed(actions) })
      const first = yield* empty()
      yield* appendRaw([file("a")])
      const third = yield* empty()
      assert.strictEqual(first.snapshot?.summary.get("total-data-files"), "0")
      assert.strictEqual(third.snapshot?.summary.get("total-data-files"), "1")
      assert.strictEqual(third.snapshot?.summary.get("frazil.mark.x.main.0"), "7")
      assert.strictEqual(third.table.metadata.properties.get("frazil.mark.x.main.0"), "7")
      assert.strictEqual(third.table.metadata.snapshots.length, 3)
      assert.deepStrictEqual(yield* pathsOf, ["a.parquet"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("changes properties without a snapshot", () =>
    Effect.gen(function* () {
      yield* createRaw
      const set = yield* commitTable({
        table: raw,
        actions: () => Effect.succeed([setProperties(new Map([["a", "1"]]), ["write.parquet.compression-codec"])])
      })
      assert.strictEqual(set.snapshot, undefined)
      assert.deepStrictEqual(Array.from((yield* loadRaw).metadata.properties), [["a", "1"]])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("tries again on the new base after a conflict, and writes its manifest only once", () =>
    Effect.gen(function* () {
      yield* createRaw
      const other = yield* rival("rival")
      const bases: Array<bigint | null> = []
      const files = [file("mine")]
      const committed = yield* whileClockRuns(
        commitTable({
          table: raw,
          actions: (base) => {
            bases.push(base.metadata.currentSnapshotId)
            return Effect.succeed([append(files)])
          }
        }).pipe(at<Committed, LakeError, Catalog | FileIO>("before-swap", [1, 2], other))
      )
      // The rival's file name is taken the second time too: the table simply has it twice in two snapshots.
      assert.strictEqual(committed.attempts, 3)
      assert.strictEqual(bases.length, 3)
      assert.strictEqual(new Set(bases).size, 3)
      const own = (yield* storedUris).filter((uri) => uri.includes(`snap-${committed.snapshot?.snapshotId}`))
      assert.lengthOf(own, 3)
      const manifests = (yield* storedUris).filter((uri) => uri.endsWith("-m0.avro"))
      assert.lengthOf(manifests, 3)
      assert.strictEqual(committed.snapshot?.sequenceNumber, 3n)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("gives up with CommitConflict when others are always first, and deletes nothing", () =>
    Effect.gen(function* () {
      yield* createRaw
      const other = yield* rival("rival")
      const error = yield* whileClockRuns(
        commitTable({ table: raw, retriesMax: 2, actions: () => Effect.succeed([append([file("mine")])]) }).pipe(
          at<Committed, LakeError, Catalog | FileIO>("before-swap", [1, 2, 3], other),
          Effect.flip
        )
      )
      assert.strictEqual(error.reason, "CommitConflict")
      assert.strictEqual((yield* loadRaw).metadata.snapshots.length, 3)
      const lists = (yield* storedUris).filter((uri) => uri.includes("/snap-"))
      assert.lengthOf(lists, 6)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("asks for actions on every base, and abandons with the caller's own error", () =>
    Effect.gen(function* () {
      yield* createRaw
      const other = yield* rival("rival")
      const error = yield* whileClockRuns(
        commitTable({
          table: raw,
          actions: (base) =>
            base.metadata.currentSnapshotId === null
              ? Effect.succeed([append([file("mine")])])
              : Effect.fail(new Abandoned({ head: base.metadata.currentSnapshotId }))
        }).pipe(at<Committed, LakeError | Abandoned, Catalog | FileIO>("before-swap", [1], other), Effect.flip)
      )
      const { metadata } = yield* loadRaw
      assert.deepStrictEqual(error, new Abandoned({ head: metadata.currentSnapshotId }))
      assert.deepStrictEqual(yield* pathsOf, ["rival.parquet"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("fails on a requirement that the base does not meet, without another attempt", () =>
    Effect.gen(function* () {
      const { metadata } = yield* createRaw
      const first = yield* appendRaw([file("a")])
      const attempt = (requirements: Parameters<typeof commitTable>[0]["requirements"] & {}) =>
        commitTable({ table: raw, requirements, actions: () => Effect.succeed([append([file("b")])]) })
      const head = first.snapshot?.snapshotId ?? null
      const stale = yield* Effect.flip(attempt([assertRef("main", null)]))
      assert.strictEqual(stale.reason, "RequirementFailed")
      const other = yield* Effect.flip(attempt([assertTableUuid("00000000-0000-4000-8000-000000000000")]))
      assert.match(other.message, /another table/)
      yield* attempt([assertRef("main", head), assertTableUuid(metadata.tableUuid)])
      assert.deepStrictEqual(yield* pathsOf, ["a.parquet", "b.parquet"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("notices a table that was dropped, or replaced, between two attempts", () =>
    Effect.gen(function* () {
      yield* createRaw
      const catalog = yield* Catalog
      const drop = Effect.orDie(catalog.dropTable(raw))
      const replace = Effect.orDie(
        Effect.andThen(
          catalog.dropTable(raw),
          catalog.createTable({ identifier: raw, schema: eventSchema, partitionSpec: eventSpec })
        )
      )
      const replaced = yield* whileClockRuns(
        appendRaw([file("a")]).pipe(
          at<Committed, LakeError, Catalog | FileIO>("before-swap", [1], Effect.asVoid(replace)),
          Effect.flip
        )
      )
      assert.strictEqual(replaced.reason, "TableReplaced")
      const dropped = yield* appendRaw([file("a")]).pipe(
        at<Committed, LakeError, Catalog | FileIO>("before-swap", [1], drop),
        Effect.flip
      )
      assert.strictEqual(dropped.reason, "TableMissing")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("refuses files that cannot be the table's", () =>
    Effect.gen(function* () {
      yield* createRaw
      const wrong = [
        { ...file("a"), specId: 3 },
        { ...file("b"), partition: [] },
        { ...file("c"), filePath: "/warehouse/c.parquet" },
        { ...file("d"), recordCount: 0n },
        file("e"),
        file("e")
      ]
      const error = yield* Effect.flip(appendRaw(wrong))
      assert.strictEqual(error.reason, "Invalid")
      for (const what of ["no partition spec 3", "0 partition values", "no full URI", "no rows", "added twice"]) {
        assert.include(error.message, what)
      }
      assert.strictEqual((yield* loadRaw).metadata.currentSnapshotId, null)
    }).pipe(Effect.provide(layerLake))
  )

  for (const point of ["before-swap", "swap-conflict", "after-swap"] as const) {
    it.effect(`leaves the table whole when it crashes at ${point}`, () =>
      Effect.gen(function* () {
        yield* createRaw
        const other = yield* rival("rival")
        let crossed = false
        const exit = yield* whileClockRuns(
          appendRaw([file("mine")]).pipe(
            Effect.provideService(FaultPoint, {
              hit: (name) => {
                if (name === point) return Effect.die("crash")
                if (name !== "before-swap" || crossed) return Effect.void
                crossed = true
                return other
              }
            }),
            Effect.exit
          )
        )
        assert.isTrue(Exit.isFailure(exit))
        const expected = {
          "before-swap": [],
          "swap-conflict": ["rival.parquet"],
          "after-swap": ["mine.parquet", "rival.parquet"]
        }
        assert.deepStrictEqual(yield* pathsOf, expected[point])
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.effect("keeps the head's schema, and counts what is really there", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const { metadata } = yield* loadRaw
      assert.strictEqual(currentSnapshot(metadata)?.schemaId, 0)
      assert.strictEqual(metadata.refs.get("main")?.snapshotId, metadata.currentSnapshotId)
      assert.match((yield* loadRaw).metadataLocation, /\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/)
    }).pipe(Effect.provide(layerLake))
  )
})
