/** What is compacted first, within which budget, and what becomes of groups that fail. */
import { writeFile } from "node:fs/promises"
import { FaultPoint, localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactionDefaults, planCompaction, withinBudget } from "../../src/maintenance/PlanCompaction.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { eventSpec } from "../LakeFixtures.ts"
import { appendRows, createTable, layerLake, load, rowsAt, table } from "./MaintenanceFixture.ts"
import { plannedDeletes, plannedFile } from "./PlannedFiles.ts"

const megabyte = 1024 * 1024

const many = (day: number, count: number, bytes: number) =>
  Array.from({ length: count }, (_, i) => plannedFile(`d${day}-${i}`, day, bytes))

describe("planCompaction", () => {
  const few = many(20_000, 5, 20 * megabyte)
  const small = many(20_001, 50, 10_000)
  const large = [plannedFile("large", 20_002, 600 * megabyte)]
  const [heavy] = many(20_003, 1, 100 * megabyte)
  const entries = [...few, ...small, ...large, heavy!]
  const deletes = new Map([[heavy!, plannedDeletes(heavy!, ...Array<number>(12).fill(20))]])
  const groups = planCompaction({ entries, deletes }, () => eventSpec, compactionDefaults)

  it("takes first what frees readers of the most files for its bytes", () => {
    assert.deepStrictEqual(
      groups.map(({ files }) => files[0]?.partition[0]),
      [20_001, 20_003, 20_000, 20_002]
    )
  })

  it("takes what a budget of bytes or files allows, and counts what it leaves", () => {
    const days = (budget: Parameters<typeof withinBudget>[1]) => {
      const { groups: allowed, left } = withinBudget(groups, budget)
      return [allowed.map(({ files }) => files[0]?.partition[0]), left]
    }
    assert.deepStrictEqual(days({}), [[20_001, 20_003, 20_000, 20_002], 0])
    assert.deepStrictEqual(days({ bytesMax: 150 * megabyte }), [[20_001, 20_003], 2])
    assert.deepStrictEqual(days({ filesMax: 10 }), [[20_003, 20_000, 20_002], 1])
    assert.deepStrictEqual(days({ bytesMax: 0 }), [[], 4])
  })
})

/** Spoils one file of each of so many days, so that its size stays. */
const spoil = Effect.fnUntraced(function* (days: number) {
  const { entries } = yield* planScan(yield* load)
  const spoiled = new Set<unknown>()
  for (const { dataFile } of entries) {
    const [day] = dataFile.partition
    if (spoiled.has(day) || spoiled.size === days) continue
    spoiled.add(day)
    const bytes = new Uint8Array(Number(dataFile.fileSizeInBytes)).fill(7)
    yield* Effect.promise(() => writeFile(localPath(dataFile.filePath) ?? "", bytes))
  }
})

describe("compactTable", () => {
  it.live("tells and counts groups that cannot be rewritten, and swaps in the others", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 30, 30, 3)
      yield* spoil(1)
      const report = yield* compactTable(table)
      assert.deepInclude(report, { filesBefore: 15, filesAfter: 7, conflicts: 0 })
      assert.match(report.error ?? "", /^1 of 3 groups of files could not be rewritten: /)
      yield* spoil(3)
      const { metadataLocation } = yield* load
      assert.strictEqual((yield* Effect.flip(compactTable(table))).reason, "Corrupt")
      assert.strictEqual((yield* load).metadataLocation, metadataLocation)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("swaps in each group on its own when asked, and begins none when its time is over", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 30, 30, 3)
      const before = yield* rowsAt()
      const none = yield* compactTable(table, { durationMsMax: -1 })
      assert.deepInclude(none, { filesBefore: 15, filesAfter: 15, groupsLeft: 3, error: undefined })
      const some = yield* compactTable(table, { filesMax: 10, swapGroupsMax: 1 })
      assert.deepInclude(some, { filesBefore: 15, filesAfter: 7, groupsLeft: 1 })
      const { metadata } = yield* load
      assert.deepStrictEqual(
        metadata.snapshots.slice(5).map(({ operation, summary }) => [operation, summary.get("deleted-data-files")]),
        [
          ["replace", "5"],
          ["replace", "5"]
        ]
      )
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("goes in although an append is first at every one of its attempts but the last", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof appendRows>>>()
      let times = 0
      const report = yield* Effect.provideService(compactTable(table), FaultPoint, {
        hit: (name) =>
          name !== "before-swap" || ++times > 3
            ? Effect.void
            : appendRows(1000 * times, 20, 1).pipe(
                Effect.provideService(FaultPoint, { hit: () => Effect.void }),
                Effect.provide(context),
                Effect.orDie,
                Effect.asVoid
              )
      })
      assert.deepInclude(report, { filesBefore: 5, filesAfter: 1, conflicts: 3, error: undefined })
      assert.strictEqual((yield* planScan(yield* load)).entries.length, 4)
    }).pipe(Effect.provide(layerLake))
  )
})
