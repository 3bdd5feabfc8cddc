/**
 * Conformance of a log's records: what was appended is what is read, within limits, from any offset and time.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeRecordBuilder } from "@frazil/core"
import {
  appendValues,
  connect,
  type FreshLog,
  numbered,
  openFresh,
  pack,
  packRecords,
  readAll,
  reasonOf,
  type TestRecord,
  unpack,
  valuesOf,
  wide
} from "./LogFixture.ts"

export const recordConformance = (fresh: FreshLog): void => {
  roundTrips(fresh)
  limits(fresh)
  others(fresh)
  times(fresh)
}

const awkward: ReadonlyArray<TestRecord> = [
  { value: "", key: null },
  { value: "", key: "" },
  { value: "plain", key: "k" },
  { value: "äöü 🧊 \u0000 \r\n", key: "schlüssel" },
  { value: "with headers", key: null, headers: { "frazil.original-length": "12", ü: "ß" } },
  { value: "last", key: "k", headers: { a: "" } }
]

const roundTrips = (fresh: FreshLog): void => {
  it.live("values, keys, null keys, empty values and headers come back as they went in", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* appendValues(log, "a", 0, packRecords(awkward))
      assert.deepStrictEqual((yield* readAll(log, "a")).records, awkward)
      assert.deepStrictEqual((yield* readAll(log, "a", 0, { recordsMax: 1, bytesMax: 1 })).records, awkward)
    })
  )

  it.live("bytes that are not UTF-8 come back as they went in", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const builder = makeRecordBuilder()
      const value = Uint8Array.from({ length: 256 }, (_, index) => index)
      builder.add(value, value)
      yield* appendValues(log, "a", 0, builder.take())
      const batch = yield* log.read("a", 0, (yield* log.bounds("a"))[0]!.start, wide)
      assert.deepStrictEqual([...batch.bytes.slice(batch.valueStarts[0], batch.valueEnds[0])], [...value])
      assert.deepStrictEqual([...batch.bytes.slice(batch.keyStarts[0], batch.keyEnds[0])], [...value])
    })
  )

  it.live("records that are scattered ranges of a larger buffer come back alone", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const line = new TextEncoder().encode(`secret{"id":"k1"}secret{"id":"k2"}secret`)
      yield* appendValues(log, "a", 0, {
        length: 2,
        bytes: line,
        valueStarts: Int32Array.of(6, 23),
        valueEnds: Int32Array.of(17, 34),
        keyStarts: Int32Array.of(13, 30),
        keyEnds: Int32Array.of(15, 32),
        headers: new Map()
      })
      const batch = yield* log.read("a", 0, (yield* log.bounds("a"))[0]!.start, wide)
      assert.deepStrictEqual(unpack(batch), [
        { value: `{"id":"k1"}`, key: "k1" },
        { value: `{"id":"k2"}`, key: "k2" }
      ])
      // what lies between the records belongs to nobody here
      assert.notInclude(new TextDecoder().decode(batch.bytes), "secret")
    })
  )

  it.live("an append of nothing appends nothing", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* appendValues(log, "a", 0, pack())
      assert.deepStrictEqual((yield* readAll(log, "a")).values, [])
    })
  )

  it.live("a record longer than the limit is refused, and the whole append with it", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const longest = "x".repeat(1_048_576)
      assert.strictEqual(yield* reasonOf(appendValues(log, "a", 0, pack("short", `${longest}x`))), "RecordTooLong")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, [])
      yield* appendValues(log, "a", 0, pack(longest, "short"))
      assert.deepStrictEqual(
        (yield* readAll(log, "a")).values.map(({ length }) => length),
        [1_048_576, 5]
      )
    })
  )
}

const limits = (fresh: FreshLog): void => {
  it.live("a read starts at any offset, in the middle of an append too, and goes on over the next", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      for (const name of ["a", "b", "c"]) {
        const records = numbered(name, 7).map((value, index) => ({ value, key: index % 2 === 0 ? value : null }))
        yield* appendValues(log, "a", 0, packRecords(records))
      }
      const all = yield* readAll(log, "a")
      assert.strictEqual(all.values.length, 21)
      for (const [index, offset] of all.offsets.entries()) {
        const batch = yield* log.read("a", 0, offset, wide)
        assert.strictEqual(batch.offsets[0], offset)
        const rest = yield* readAll(log, "a", 0, { recordsMax: 5, bytesMax: 1_000 })
        assert.deepStrictEqual(rest.records, all.records)
        assert.deepStrictEqual(unpack(batch), all.records.slice(index, index + batch.length))
      }
    })
  )

  it.live("recordsMax and bytesMax bound a read; one record always comes", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* appendValues(log, "a", 0, pack(...numbered("0123456789-", 500)))
      yield* appendValues(log, "a", 0, pack(...numbered("9876543210-", 500)))
      const { offsets, values } = yield* readAll(log, "a")
      const from = offsets[400]!
      const some = yield* log.read("a", 0, from, { recordsMax: 150, bytesMax: 1_000_000 })
      assert.isAtMost(some.length, 150)
      assert.deepStrictEqual(valuesOf(some), values.slice(400, 400 + some.length))
      const few = yield* log.read("a", 0, from, { recordsMax: 1_000, bytesMax: 100 })
      assert.isAtMost(valuesOf(few).join("").length, 100)
      assert.deepStrictEqual(valuesOf(few), values.slice(400, 400 + few.length))
      assert.strictEqual((yield* log.read("a", 0, from, { recordsMax: 1_000, bytesMax: 1 })).length, 1)
    })
  )

  it.live("megabytes in one append come back whole and in order", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const values = numbered("x".repeat(400), 5_000)
      yield* appendValues(log, "a", 0, pack(...values))
      assert.deepStrictEqual((yield* readAll(log, "a", 0, { recordsMax: 777, bytesMax: 1_000_000 })).values, values)
    })
  )
}

const others = (fresh: FreshLog): void => {
  it.live("a read of what is there now sees what another connection committed before it", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const [reader, writer] = [yield* connect(layer), yield* connect(layer)]
      yield* writer.ensureTopic({ name: "a", partitions: 1 })
      let at = (yield* reader.bounds("a"))[0]!.end
      for (const value of numbered("value-", 5)) {
        // nothing is there yet, which a log may remember for a moment
        const nothing = yield* reader.read("a", 0, at, wide)
        assert.strictEqual(nothing.length, 0)
        yield* appendValues(writer, "a", 0, pack(value))
        const batch = yield* reader.read("a", 0, nothing.next, { ...wide, now: true })
        assert.deepStrictEqual(valuesOf(batch), [value])
        assert.isUndefined(batch.open)
        at = batch.next
      }
    })
  )

  it.live("whoever asked for the end reads up to it", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const [reader, writer] = [yield* connect(layer), yield* connect(layer)]
      yield* writer.ensureTopic({ name: "a", partitions: 1 })
      let at = (yield* reader.bounds("a"))[0]!.end
      for (const value of numbered("value-", 5)) {
        at = (yield* reader.read("a", 0, at, wide)).next
        yield* appendValues(writer, "a", 0, pack(value))
        assert.isAbove((yield* reader.bounds("a"))[0]!.end, at)
        const batch = yield* reader.read("a", 0, at, wide)
        assert.deepStrictEqual(valuesOf(batch), [value])
        at = batch.next
      }
    })
  )
}

const times = (fresh: FreshLog): void => {
  it.live("offsetAt finds the first record appended at or after a time, the end when there is none", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const end = Effect.map(log.bounds("a"), ([only]) => only!.end)
      assert.strictEqual(yield* log.offsetAt("a", 0, 0), yield* end)
      for (let append = 0; append < 8; append++) {
        yield* appendValues(log, "a", 0, pack(...numbered(`${append}-`, 3)))
        yield* Effect.sleep(2)
      }
      const batch = yield* log.read("a", 0, (yield* log.bounds("a"))[0]!.start, wide)
      assert.strictEqual(batch.length, 24)
      const first = (timeMs: number) => batch.timestamps.findIndex((appendedAt) => appendedAt >= timeMs)
      for (const timeMs of batch.timestamps) {
        assert.strictEqual(yield* log.offsetAt("a", 0, timeMs), batch.offsets[first(timeMs)])
      }
      assert.isAbove(batch.timestamps[23]!, batch.timestamps[0]!)
      assert.strictEqual(yield* log.offsetAt("a", 0, 0), batch.offsets[0])
      assert.strictEqual(yield* log.offsetAt("a", 0, batch.timestamps[23]! + 1), yield* end)
      // what was trimmed is not found any more
      yield* log.trim("a", 0, batch.offsets[10]!)
      assert.strictEqual(yield* log.offsetAt("a", 0, 0), batch.offsets[10])
    })
  )
}
