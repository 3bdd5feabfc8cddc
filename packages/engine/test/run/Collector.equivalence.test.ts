/** Rows that are passed together against the same rows one by one: the same records, keys and counts, however the batch lies. */
import { Field, makeRecordBuilder, type RecordBatch, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeOutputCollector, type OutputCollector } from "../../src/run/Collector.ts"

class Line extends Schema.Opaque<Line>()(Schema.Struct({ name: Field.text() })) {}
const topicOf = (key: "name" | undefined, partitions: number) => Topic.make("lines", { schema: Line, key, partitions })

/** Records of different lengths; with `gap`, among so many bytes of others that they are copied one by one. */
const batchOf = (length: number, gap: number): RecordBatch => {
  const builder = makeRecordBuilder()
  for (let row = 0; row < length; row++) builder.addText(`{"name":"${"n".repeat(row % 7)}${row}"}`, null)
  const packed = builder.take()
  const bytes = new Uint8Array(packed.bytes.length + gap)
  const half = length >> 1
  const at = (row: number) => (row < half ? 0 : gap)
  bytes.set(packed.bytes.subarray(0, packed.valueEnds[half - 1]!))
  bytes.set(packed.bytes.subarray(packed.valueStarts[half]!), packed.valueStarts[half]! + gap)
  return {
    ...packed,
    bytes,
    valueStarts: packed.valueStarts.map((start, row) => start + at(row)),
    valueEnds: packed.valueEnds.map((end, row) => end + at(row)),
    offsets: new Float64Array(length),
    timestamps: new Float64Array(length)
  }
}

const textsOf = (collector: OutputCollector) =>
  collector.take().map(({ partition, records: { bytes, keyEnds, keyStarts, length, valueEnds, valueStarts } }) => ({
    partition,
    records: Array.from({ length }, (_, row) => {
      const text = (start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString()
      const key = keyStarts[row]! < 0 ? null : text(keyStarts[row]!, keyEnds[row]!)
      return [text(valueStarts[row]!, valueEnds[row]!), key]
    })
  }))

describe("a collector", () => {
  for (const partitions of [1, 3]) {
    for (const keyed of [false, true]) {
      for (const gap of [0, 100_000]) {
        it(`passes rows together as one by one: ${partitions} partitions, ${keyed ? "with" : "without"} keys, gap ${gap}`, () => {
          const topic = topicOf(keyed ? "name" : undefined, partitions)
          const [together, single] = [makeOutputCollector(topic), makeOutputCollector(topic)]
          for (const length of [40, 700, 2]) {
            const batch = batchOf(length, gap)
            // the name: behind {"name":" and before "}
            const keys = {
              starts: batch.valueStarts.map((start) => start + 9),
              ends: batch.valueEnds.map((end) => end - 2)
            }
            const rows = Int32Array.from({ length }, (_, row) => row).filter((row) => row % 3 !== 1)
            together.passRows(batch, rows, rows.length, batch.bytes, keyed ? keys : undefined)
            for (const row of rows) {
              const [start, end] = keyed ? [keys.starts[row]!, keys.ends[row]!] : [-1, -1]
              single.pass(batch, row, batch.bytes, start, end)
            }
            assert.strictEqual(together.count(), single.count())
            const texts = textsOf(together)
            assert.deepStrictEqual(texts, textsOf(single))
            assert.strictEqual(
              texts.reduce((sum, { records }) => sum + records.length, 0),
              rows.length
            )
          }
        })
      }
    }
  }
})
