/**
 * An audit finds each way in which a table can differ from its log, and nothing in one that does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { auditTable } from "../../src/landing/Audit.ts"
import { fingerprintOf, type Marks, readMarks, writeMarks } from "../../src/landing/Mark.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, setProperties } from "../../src/write/TableAction.ts"
import { appendEvents, events, landEvents, landing, layerSystem } from "./LandingFixture.ts"

const loadTable = Catalog.use((catalog) => catalog.loadTable(landing))

/** Commits files and marks as a landing would, right or wrong. */
const commit = (files: ReadonlyArray<DataFile>, marks: Marks) => {
  const properties = writeMarks(landing.uid, landing.branch, marks)
  return commitTable({
    table: landing,
    actions: () => Effect.succeed([append(files, properties), setProperties(properties)])
  })
}

const marksNow = Effect.map(
  loadTable,
  (table) => new Map(readMarks(landing.uid, landing.branch, table.metadata.properties))
)

/** A mark of partition 0 that the log bears out. */
const markAt = Effect.fnUntraced(function* (next: number) {
  const log = yield* Log
  const topic = yield* log.topic(events.name)
  const batch = yield* log.read(events.name, 0, next - 1, { recordsMax: 1, bytesMax: 1 })
  return { topicId: topic.id, next, fingerprint: fingerprintOf(batch, 0) }
})

/** 30 records in partition 0, 9 in partition 1; two of three are valid. */
const landed = Effect.gen(function* () {
  yield* appendEvents(0, 30)
  yield* appendEvents(1, 9)
  yield* landEvents
})

describe("auditTable", () => {
  it.effect("finds nothing in a table that was landed, whatever was appended since", () =>
    Effect.gen(function* () {
      yield* landed
      yield* appendEvents(0, 5)
      const report = yield* auditTable(landing)
      assert.isTrue(report.matches, JSON.stringify(report.problems))
      const [first, second] = report.partitions
      assert.include(first, { next: 30, records: 30, undecodable: 10, rowsBelowStart: 0 })
      assert.deepStrictEqual(first?.expected, first?.found)
      // offsets 0, 1, 3, 4, …, 27, 28
      assert.deepStrictEqual(first?.found, { rows: 20, distinct: 20, min: 0, max: 28, sum: 280n })
      assert.include(second, { next: 9, records: 9, undecodable: 3 })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("comes to the same range by range", () =>
    Effect.gen(function* () {
      yield* landed
      const seen: Array<readonly [number, number, number]> = []
      const onProgress = (partition: number, offset: number, next: number) =>
        Effect.sync(() => void seen.push([partition, offset, next]))
      const report = yield* auditTable(landing, { rangeRecordsMax: 7, onProgress })
      assert.deepStrictEqual(report, yield* auditTable(landing))
      assert.deepStrictEqual(seen.slice(0, 3), [
        [0, 0, 30],
        [0, 7, 30],
        [0, 14, 30]
      ])
      yield* commit([], (yield* marksNow).set(0, yield* markAt(5)))
      const beyond = yield* auditTable(landing, { rangeRecordsMax: 7 })
      assert.deepStrictEqual(beyond, yield* auditTable(landing))
      assert.strictEqual(beyond.partitions[0]?.unexpected.count, 16)
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("names rows that are there twice", () =>
    Effect.gen(function* () {
      yield* landed
      const plan = yield* planScan(yield* loadTable)
      yield* commit([plan.entries[0]!.dataFile], yield* marksNow)
      const report = yield* auditTable(landing)
      assert.isFalse(report.matches)
      const rows = Number(plan.entries[0]!.dataFile.recordCount)
      assert.strictEqual(
        report.partitions.reduce((sum, { doubled }) => sum + doubled.count, 0),
        rows
      )
      assert.include(report.partitions[0]?.missing, { count: 0 })
      assert.include(report.partitions[0]?.unexpected, { count: 0 })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("names records below the mark that are no rows, the first of them by offset", () =>
    Effect.gen(function* () {
      yield* landed
      yield* appendEvents(0, 60)
      yield* commit([], (yield* marksNow).set(0, yield* markAt(90)))
      const report = yield* auditTable(landing)
      assert.isFalse(report.matches)
      assert.deepStrictEqual(report.problems, [])
      assert.strictEqual(report.partitions[0]?.missing.count, 40)
      assert.deepStrictEqual(report.partitions[0]?.missing.offsets.slice(0, 4), [30, 31, 33, 34])
      assert.strictEqual(report.partitions[0]?.missing.offsets.length, 20)
      assert.include(report.partitions[0], { records: 90, undecodable: 30 })
      assert.strictEqual(report.partitions[1]?.missing.count, 0)
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("names rows beyond the mark, and a mark that another record stands before", () =>
    Effect.gen(function* () {
      yield* landed
      const before = yield* markAt(27)
      yield* commit([], (yield* marksNow).set(0, { ...before, fingerprint: "0".repeat(32) }))
      const report = yield* auditTable(landing)
      assert.isFalse(report.matches)
      assert.deepStrictEqual(report.partitions[0]?.unexpected, { count: 2, offsets: [27, 28] })
      assert.strictEqual(report.problems.length, 1)
      assert.include(report.problems[0], "the record at offset 26")
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("does not judge rows whose records retention has removed", () =>
    Effect.gen(function* () {
      yield* landed
      const log = yield* Log
      yield* log.trim(events.name, 0, 12)
      const report = yield* auditTable(landing)
      assert.isTrue(report.matches, JSON.stringify(report.problems))
      assert.include(report.partitions[0], { start: 12, records: 18, rowsBelowStart: 8 })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("still names rows that are there twice where the log has nothing left", () =>
    Effect.gen(function* () {
      yield* landed
      const plan = yield* planScan(yield* loadTable)
      yield* commit([plan.entries[0]!.dataFile], yield* marksNow)
      const log = yield* Log
      yield* log.trim(events.name, 0, 29)
      yield* log.trim(events.name, 1, 8)
      const report = yield* auditTable(landing, { rangeRecordsMax: 7 })
      assert.isFalse(report.matches)
      const rows = Number(plan.entries[0]!.dataFile.recordCount)
      assert.strictEqual(
        report.partitions.reduce((sum, { doubled }) => sum + doubled.count, 0),
        rows
      )
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("begins anew where retention overtakes it", () =>
    Effect.gen(function* () {
      yield* landed
      const log = yield* Log
      const onProgress = (partition: number, offset: number) =>
        partition === 0 && offset === 7 ? Effect.orDie(log.trim(events.name, 0, 16)) : Effect.void
      const report = yield* auditTable(landing, { rangeRecordsMax: 7, onProgress })
      assert.isTrue(report.matches, JSON.stringify(report.problems))
      assert.include(report.partitions[0], { start: 16, records: 14, rowsBelowStart: 11 })
      assert.deepStrictEqual(report, yield* auditTable(landing))
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("says that a topic was made anew instead of recounting by its offsets", () =>
    Effect.gen(function* () {
      yield* landed
      const log = yield* Log
      yield* log.deleteTopic(events.name)
      yield* appendEvents(0, 40)
      const report = yield* auditTable(landing)
      assert.isFalse(report.matches)
      assert.include(report.problems[0], "was landed from a topic events with id")
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("says that there is no table, and no topic", () =>
    Effect.gen(function* () {
      assert.include(yield* Effect.flip(auditTable(landing)), { reason: "TableMissing" })
      yield* landed
      yield* Log.use((log) => log.deleteTopic(events.name))
      assert.include(yield* Effect.flip(auditTable(landing)), { reason: "TopicMissing" })
    }).pipe(Effect.provide(layerSystem))
  )
})
