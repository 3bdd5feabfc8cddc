/**
 * A landing's ordinary work: every record that decodes is a row once, a mark moves only with a snapshot, offsets may have
 * gaps; and with a crash at any of its fault points.
 */
import { assert, describe, it } from "@effect/vitest"
import { type FaultPointName, makeRecordBuilder, Storage } from "@frazil/core"
import { Log, type LogShape, type ReadRecords } from "@frazil/engine"
import { Effect, Stream } from "effect"
import { makeLandingMonitor } from "../../src/landing/LandingStatus.ts"
import { Landing } from "../../src/landing/Landing.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import { assertAllLanded, crashAt, loadTable, marksNow, snapshotsNow } from "./LandingFaults.ts"
import { appendEvents, events, landEvents, landing, layerSystem } from "./LandingFixture.ts"

/** Appends texts to partition 0 as they are. */
const appendTexts = Effect.fnUntraced(function* (...texts: ReadonlyArray<string>) {
  const log = yield* Log
  yield* log.ensureTopic({ name: events.name, partitions: events.partitions })
  const builder = makeRecordBuilder()
  for (const text of texts) builder.addText(text, null)
  const producer = yield* Effect.scoped(log.producer("texts"))
  yield* producer.append(producer.nextSequence, [{ topic: events.name, partition: 0, records: builder.take() }])
})

const dataFiles = Effect.gen(function* () {
  const { metadata } = yield* loadTable
  const storage = yield* Storage
  const objects = yield* Stream.runCollect(storage.list(`${dataFolder(metadata)}/`))
  return objects.map(({ uri }) => uri).sort()
})

const filesInTable = Effect.flatMap(loadTable, (table) => readTable(table)).pipe(
  Effect.map(({ plan }) => plan.entries.map(({ dataFile }) => dataFile.filePath).sort())
)

describe("a landing", () => {
  it.live("makes its table with a mark of 0 for every partition, and no snapshot while nothing came", () =>
    Effect.gen(function* () {
      yield* landEvents
      assert.deepStrictEqual(yield* marksNow, [0, 0])
      assert.deepStrictEqual(yield* snapshotsNow, [])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("lands what was appended, then what was appended since, and nothing twice", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 30)
      yield* landEvents
      yield* assertAllLanded([30, 0])
      yield* appendEvents(1, 12)
      yield* landEvents
      yield* assertAllLanded([30, 12])
      yield* landEvents
      assert.deepStrictEqual(yield* snapshotsNow, [20, 28])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("moves its marks with an empty snapshot when no record decodes", () =>
    Effect.gen(function* () {
      yield* appendTexts("not JSON", "{}", "")
      const monitor = makeLandingMonitor()
      yield* runLanding(landing, { commitEveryMs: 1, inputComplete: () => Effect.succeed(true), monitor })
      assert.deepStrictEqual(yield* snapshotsNow, [0])
      assert.deepStrictEqual(yield* dataFiles, [])
      yield* assertAllLanded([3, 0])
      assert.include(monitor.status()[0], { rows: 0, files: 0, skipped: 3, pending: 0 })
      yield* landEvents
      assert.deepStrictEqual(yield* snapshotsNow, [0])
      yield* appendEvents(0, 3)
      yield* landEvents
      yield* assertAllLanded([6, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("carries all marks in every snapshot's summary, equal to the properties", () =>
    Effect.gen(function* () {
      for (const partition of [0, 1, 0]) {
        yield* appendEvents(partition, 6)
        yield* landEvents
        const { metadata } = yield* loadTable
        const marksOf = (texts: ReadonlyMap<string, string>) =>
          [...texts].filter(([name]) => name.startsWith("frazil.mark.")).sort(([a], [b]) => (a < b ? -1 : 1))
        assert.strictEqual(marksOf(metadata.properties).length, 2)
        assert.deepStrictEqual(marksOf(metadata.snapshots.at(-1)!.summary), marksOf(metadata.properties))
      }
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("takes offsets with gaps, as transactions leave them in other logs", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 40)
      yield* appendEvents(1, 7)
      const log = yield* Log
      const land = Effect.provideService(landEvents, Log, withGaps(log))
      yield* land
      // the last record of either partition is hidden: the mark stands behind the last one seen
      assert.deepStrictEqual(yield* marksNow, [39, 6])
      const { rows } = yield* readTable(yield* loadTable, { query: "SELECT source_offset AS o FROM t ORDER BY 1" })
      assert.isFalse(rows.some(({ o }) => Number(o) % 4 === 3))
      yield* land
      assert.strictEqual((yield* snapshotsNow).length, 1)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live(
    "ends behind what was committed before its input was complete, of a log that remembers where nothing was, too",
    () =>
      Effect.gen(function* () {
        yield* appendEvents(0, 30)
        const real = yield* Log
        const empty = new Map<string, ReadRecords>()
        let appended = false
        // others commit, then say so: what was found empty before is remembered
        const remembering: LogShape = {
          ...real,
          read: (topic, partition, offset, limits) => {
            const place = `${topic}/${partition}/${offset}`
            const found = empty.get(place)
            if (found !== undefined && limits.now !== true) return Effect.succeed(found)
            return Effect.tap(real.read(topic, partition, offset, limits), (batch) =>
              Effect.sync(() => void (batch.length === 0 && empty.set(place, batch)))
            )
          }
        }
        const inputComplete = () =>
          Effect.gen(function* () {
            // once both partitions were found empty
            if (empty.size < 2) return false
            if (!appended) yield* Effect.provideService(Effect.orDie(appendEvents(1, 12)), Log, real)
            appended = true
            return true
          })
        yield* Effect.provideService(runLanding(landing, { commitEveryMs: 1, inputComplete }), Log, remembering)
        yield* assertAllLanded([30, 12])
      }).pipe(Effect.provide(layerSystem))
  )

  it.live("does not end while a transaction is under way in a partition: behind it may stand what was committed", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 30)
      const real = yield* Log
      let looks = 0
      const underWay: LogShape = {
        ...real,
        read: (topic, partition, offset, limits) =>
          Effect.map(real.read(topic, partition, offset, limits), (batch) =>
            looks++ < 5 && batch.length > 0 ? { ...batch, ...emptyColumns, next: offset, open: true } : batch
          )
      }
      yield* Effect.provideService(landEvents, Log, underWay)
      yield* assertAllLanded([30, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("refuses a table with other columns", () =>
    Effect.gen(function* () {
      yield* landEvents
      const other = Landing.make(events, { table: "test.events", partition: [] })
      const schema = { ...other.schema, fields: other.schema.fields.slice(1) }
      const error = yield* Effect.flip(runLanding({ ...other, schema }, { inputComplete: () => Effect.succeed(true) }))
      assert.include(error, { reason: "SchemaDiffers" })
    }).pipe(Effect.provide(layerSystem))
  )
})

/** Of a batch without records. */
const emptyColumns = {
  length: 0,
  valueStarts: new Int32Array(0),
  valueEnds: new Int32Array(0),
  keyStarts: new Int32Array(0),
  keyEnds: new Int32Array(0),
  offsets: new Float64Array(0),
  timestamps: new Float64Array(0)
}

/** The log without every fourth record and without the last of a batch's end: their offsets are gaps. */
const withGaps = (log: LogShape): LogShape => ({
  ...log,
  read: (topic, partition, offset, limits) =>
    Effect.map(log.read(topic, partition, offset, limits), (batch): ReadRecords => {
      const rows = Array.from({ length: batch.length }, (_, row) => row).filter((row) => {
        const at = batch.offsets[row]!
        return at % 4 !== 3 && at !== 6
      })
      const taken = (column: Int32Array) => Int32Array.from(rows, (row) => column[row]!)
      return {
        length: rows.length,
        bytes: batch.bytes,
        valueStarts: taken(batch.valueStarts),
        valueEnds: taken(batch.valueEnds),
        keyStarts: taken(batch.keyStarts),
        keyEnds: taken(batch.keyEnds),
        headers: new Map(),
        next: batch.next,
        offsets: Float64Array.from(rows, (row) => batch.offsets[row]!),
        timestamps: Float64Array.from(rows, (row) => batch.timestamps[row]!)
      }
    })
})

const points: ReadonlyArray<FaultPointName> = [
  "before-lake-file",
  "mid-lake-file",
  "after-lake-file",
  "before-swap",
  "after-swap",
  "during-epoch-commit"
]

describe("a landing that crashes", () => {
  for (const name of points) {
    it.live(`at ${name}, at any crossing, lands the same rows once`, () =>
      Effect.gen(function* () {
        yield* appendEvents(0, 12)
        let crashes = 0
        let ends = 12
        for (let nth = 1; nth <= 3; nth++) {
          if (yield* crashAt(name, nth, landEvents)) crashes++
          yield* landEvents
          yield* assertAllLanded([ends, 0])
          yield* appendEvents(0, 12)
          ends += 12
        }
        assert.isAbove(crashes, 0, `${name} was never crossed`)
      }).pipe(Effect.provide(layerSystem))
    )
  }

  it.live("leaves files that were offered to a swap, and takes away those that were not", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      yield* landEvents
      yield* appendEvents(0, 12)
      const before = yield* dataFiles
      assert.isTrue(yield* crashAt("after-lake-file", 1, landEvents))
      assert.deepStrictEqual(yield* dataFiles, before)
      // nobody knows what becomes of an offer
      assert.isTrue(yield* crashAt("before-swap", 1, landEvents))
      const offered = yield* dataFiles
      assert.isAbove(offered.length, before.length)
      yield* landEvents
      yield* assertAllLanded([24, 0])
      assert.includeMembers(yield* dataFiles, [...offered])
      assert.notIncludeMembers(
        yield* filesInTable,
        offered.filter((file) => !before.includes(file))
      )
    }).pipe(Effect.provide(layerSystem))
  )
})
