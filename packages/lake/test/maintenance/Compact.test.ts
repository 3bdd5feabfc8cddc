import { FaultPoint } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Catalog } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { rewriteFiles, setProperties, append } from "../../src/write/TableAction.ts"
import {
  appendRows,
  crashAt,
  createTable,
  figures,
  layerLake,
  load,
  rowsAt,
  rowsOf,
  table
} from "./MaintenanceFixture.ts"

/** Does `act` once, when a fault point is first crossed. */
const onceAt = <A, E, R, R2>(effect: Effect.Effect<A, E, R>, point: string, act: Effect.Effect<unknown, unknown, R2>) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R2>()
    let done = false
    return yield* Effect.provideService(effect, FaultPoint, {
      hit: (name) => {
        if (name !== point || done) return Effect.void
        done = true
        const alone = Effect.provideService(act, FaultPoint, { hit: () => Effect.void })
        return alone.pipe(Effect.provide(context), Effect.orDie, Effect.asVoid)
      }
    })
  })

/** Another engine takes a file out of the table: its rows are gone. */
const dropFirstFile: Effect.Effect<void, unknown, Catalog | FileIO> = Effect.gen(function* () {
  const base = yield* load
  const plan = yield* planScan(base)
  const removed = plan.entries.slice(0, 1).map(({ dataFile }) => dataFile)
  const startingSequenceNumber = base.metadata.lastSequenceNumber
  const gone = rewriteFiles({ removed, added: [], startingSequenceNumber, summary: new Map() })
  yield* commitTable({ table, actions: () => Effect.succeed([gone]) })
})

describe("compactTable", () => {
  it.live("puts small files together, with the same rows now and at every snapshot, as its dry run said", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 6; i++) yield* appendRows(i * 100, 100)
      const before = yield* rowsAt()
      const { metadata } = yield* load
      const snapshots = yield* Effect.forEach(metadata.snapshots, ({ snapshotId }) => rowsOf(snapshotId))
      const dry = yield* compactTable(table, { dryRun: true })
      assert.strictEqual((yield* load).metadata.snapshots.length, 6)
      const real = yield* compactTable(table)
      assert.deepStrictEqual(figures(real), figures(dry))
      assert.deepInclude(real, { filesBefore: 12, filesAfter: 2, conflicts: 0, error: undefined })
      assert.isBelow(real.bytesAfter, real.bytesBefore)
      const after = yield* load
      assert.strictEqual(yield* rowsAt(), before)
      for (const [i, { snapshotId }] of metadata.snapshots.entries())
        assert.strictEqual(yield* rowsOf(snapshotId), snapshots[i])
      const snapshot = currentSnapshot(after.metadata)
      assert.strictEqual(snapshot?.operation, "replace")
      assert.strictEqual(String(snapshot?.snapshotId), real.snapshotId)
      assert.deepInclude(Object.fromEntries(snapshot?.summary ?? []), {
        "added-data-files": "2",
        "deleted-data-files": "12",
        "added-records": "600",
        "deleted-records": "600",
        "total-records": "600",
        "total-data-files": "2",
        "total-files-size": String(real.bytesAfter)
      })
      const plan = yield* planScan(after)
      assert.deepStrictEqual(
        plan.entries.map(({ fileSequenceNumber, sequenceNumber }) => [sequenceNumber, fileSequenceNumber]),
        [
          [6n, 7n],
          [6n, 7n]
        ]
      )
      const again = yield* compactTable(table)
      assert.deepInclude(again, { filesBefore: 2, filesAfter: 2, snapshotId: undefined })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("splits a file that is too large, and keeps its rows and their order", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 3000, 1)
      const before = yield* rowsAt()
      const [file] = (yield* planScan(yield* load)).entries
      const fileBytesTarget = Math.floor(Number(file?.dataFile.fileSizeInBytes) / 3)
      const dry = yield* compactTable(table, { fileBytesTarget, dryRun: true })
      const real = yield* compactTable(table, { fileBytesTarget })
      assert.deepStrictEqual(figures(real), figures(dry))
      const plan = yield* planScan(yield* load)
      assert.deepStrictEqual(
        plan.entries.map(({ dataFile }) => dataFile.recordCount),
        [1000n, 1000n, 1000n]
      )
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("goes in beside an append that was first", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      const report = yield* onceAt(compactTable(table), "before-swap", appendRows(1000, 20, 1))
      assert.deepInclude(report, { filesBefore: 5, filesAfter: 1, conflicts: 1 })
      const plan = yield* planScan(yield* load)
      assert.strictEqual(plan.entries.length, 2)
      assert.strictEqual(plan.snapshot?.summary.get("total-records"), "120")
      // the rewritten rows are as old as they were, the appended ones newer
      assert.sameMembers(
        plan.entries.map(({ sequenceNumber }) => sequenceNumber),
        [5n, 6n]
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.live("gives up the groups that another commit touched, and only those", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 2)
      const report = yield* onceAt(compactTable(table), "before-swap", dropFirstFile)
      const plan = yield* planScan(yield* load)
      // one conflict at the swap, one group lost
      assert.deepInclude(report, { filesBefore: 10, filesAfter: 6, conflicts: 2 })
      assert.strictEqual(plan.entries.length, 5)
      const second = yield* compactTable(table)
      assert.deepInclude(second, { filesBefore: 5, conflicts: 0 })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("lets one of two compactions win, and loses no row to the other", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      const before = yield* rowsAt()
      const report = yield* onceAt(compactTable(table), "before-swap", compactTable(table))
      assert.deepInclude(report, { filesAfter: 5, conflicts: 2, snapshotId: undefined })
      assert.strictEqual((yield* planScan(yield* load)).entries.length, 1)
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("repeats the landing's marks from the history, not from edited properties", () =>
    Effect.gen(function* () {
      yield* createTable(new Map([["frazil.mark.x.main.0", "old"]]))
      const marks = new Map([["frazil.mark.x.main.0", "true mark"]])
      yield* commitTable({ table, actions: () => Effect.succeed([append([], marks), setProperties(marks)]) })
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      const edited = new Map([["frazil.mark.x.main.0", "edited"]])
      yield* commitTable({ table, actions: () => Effect.succeed([setProperties(edited)]) })
      yield* compactTable(table)
      const { metadata } = yield* load
      assert.strictEqual(currentSnapshot(metadata)?.summary.get("frazil.mark.x.main.0"), "true mark")
      assert.strictEqual(metadata.properties.get("frazil.mark.x.main.0"), "edited")
    }).pipe(Effect.provide(layerLake))
  )

  it.live(
    "leaves the table whole wherever it is stopped, and ends the next time",
    () =>
      Effect.gen(function* () {
        for (let n = 1; ; n++) {
          const crashed = yield* Effect.gen(function* () {
            yield* createTable()
            for (let i = 0; i < 5; i++) yield* appendRows(i * 5, 5, 1)
            const before = yield* rowsAt()
            const first = yield* crashAt(compactTable(table), n)
            assert.strictEqual(yield* rowsAt(), before, `crash ${n}`)
            yield* compactTable(table)
            assert.strictEqual(yield* rowsAt(), before, `after crash ${n}`)
            assert.strictEqual((yield* planScan(yield* load)).entries.length, 1, `after crash ${n}`)
            return first.crashed
          }).pipe(Effect.provide(layerLake, { local: true }))
          if (!crashed) return assert.isAtLeast(n, 6, "fewer fault points than expected")
        }
      }),
    60_000
  )
})
