/** What collectors gather, against a list of the same records copied one by one. */
import { Decoder, Field, makeRecordBuilder, partitionOfBytes, type RecordBatch, Topic } from "@frazil/core"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { makeOutputCollector } from "../../src/run/Collector.ts"
import { makeEpochBytes } from "../../src/run/EpochBytes.ts"
import type { Append } from "../../src/log/Log.ts"
import { makeChance } from "../support/Chance.ts"

const Item = Schema.Struct({ name: Field.text(), size: Field.int() })
const source = Topic.make("items", { schema: Item, key: "name", partitions: 1 })
const outputs = [
  Topic.make("keyed", { schema: Item, key: "name", partitions: 3 }),
  Topic.make("unkeyed", { schema: Item, key: undefined, partitions: 1 }),
  Topic.make("alone", { schema: Item, key: "name", partitions: 1 })
]
const text = new TextDecoder()
const utf8 = new TextEncoder()

type Chance = ReturnType<typeof makeChance>

/** Names with an escape stand elsewhere than in their record. */
const nameOf = (chance: Chance) => (chance.below(5) === 0 ? `a\\n${chance.below(9)}` : `n${chance.below(40)}`)

/** Contiguous records, records with a little between them, or a lot. */
const batchOf = (chance: Chance): RecordBatch => {
  const records = Array.from({ length: chance.below(60) }, () =>
    utf8.encode(`{"name":"${nameOf(chance)}","size":${chance.below(1e6)}}`)
  )
  const gap = [0, 1, 700][chance.below(3)]!
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length + gap, 0)).fill(0x23)
  const starts: Array<number> = []
  let used = 0
  for (const record of records) {
    bytes.set(record, used)
    starts.push(used)
    used += record.length + gap
  }
  const { length } = records
  const none = new Int32Array(length).fill(-1)
  return {
    length,
    bytes,
    valueStarts: Int32Array.from(starts),
    valueEnds: Int32Array.from(starts, (start, row) => start + records[row]!.length),
    keyStarts: none,
    keyEnds: none,
    headers: new Map(),
    offsets: Float64Array.from(starts.keys()),
    timestamps: new Float64Array(length)
  }
}

const unpacked = (appends: ReadonlyArray<Append>) =>
  appends.flatMap(({ partition, records, topic }) =>
    Array.from({ length: records.length }, (_, row) => ({
      topic,
      partition,
      value: text.decode(records.bytes.subarray(records.valueStarts[row], records.valueEnds[row])),
      key:
        records.keyStarts[row]! < 0
          ? null
          : text.decode(records.bytes.subarray(records.keyStarts[row], records.keyEnds[row]))
    }))
  )

describe("collectors that share an epoch's bytes", () => {
  it.each([1, 2, 3, 4, 5, 6])("hold what was given to them, in its order, seed %i", (seed) => {
    const chance = makeChance(seed)
    const epoch = makeEpochBytes()
    const collectors = outputs.map((topic) => makeOutputCollector(topic, epoch))
    const decoder = Decoder.make(source)
    for (let epochs = 0; epochs < 12; epochs++) {
      const wanted = outputs.map(
        () => [] as Array<{ topic: string; partition: number; value: string; key: string | null }>
      )
      for (let batches = chance.below(4); batches > 0; batches--) {
        const batch = batchOf(chance)
        const columns = decoder.decode(batch)
        const names = columns.columns[0]!
        if (names._tag !== "Bytes") throw new Error("a text")
        for (let row = 0; row < batch.length; row++) {
          for (const [index, collector] of collectors.entries()) {
            if (chance.below(3) === 0) continue
            const { key: keyed, name: topic, partitions } = outputs[index]!
            const record = decoder.record(columns, row)
            const key = keyed.length === 0 ? null : record.name
            const bytes = utf8.encode(key ?? "")
            const partition = key === null ? 0 : partitionOfBytes(bytes, 0, bytes.length, partitions)
            const passed = chance.below(6) > 0
            const value = passed
              ? text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
              : JSON.stringify(record)
            wanted[index]!.push({ topic, partition, value, key })
            if (!passed) collector.record(record)
            else if (key === null) collector.pass(batch, row, columns.bytes, -1, -1)
            else collector.pass(batch, row, columns.bytes, names.starts[row]!, names.ends[row]!)
          }
        }
        // whoever read the batch may use its bytes again
        batch.bytes.fill(0)
      }
      expect(collectors.map((collector) => collector.count())).toEqual(wanted.map((records) => records.length))
      const taken = collectors.map((collector) => collector.take())
      epoch.handOver()
      expect(epoch.used()).toBe(0)
      for (const [index, appends] of taken.entries()) {
        const byPartition = Map.groupBy(wanted[index]!, ({ partition }) => partition)
        const found = Map.groupBy(unpacked(appends), ({ partition }) => partition)
        expect(found).toEqual(byPartition)
      }
    }
  })

  it("copy a batch once, however many outputs its records pass to", () => {
    const epoch = makeEpochBytes()
    const builder = makeRecordBuilder()
    for (let size = 0; size < 100; size++) builder.addText(`{"name":"n","size":${size}}`, null)
    const packed = builder.take()
    const batch = { ...packed, offsets: new Float64Array(100), timestamps: new Float64Array(100) }
    for (const topic of outputs) {
      const collector = makeOutputCollector(topic, epoch)
      for (let row = 0; row < 100; row++)
        collector.pass(batch, row, batch.bytes, batch.valueStarts[row]! + 9, batch.valueStarts[row]! + 10)
    }
    expect(epoch.used()).toBe(packed.bytes.length)
  })

  it("let go of what a small epoch does not need", () => {
    const epoch = makeEpochBytes()
    epoch.add(new Uint8Array(4_000_000), 0, 4_000_000)
    epoch.handOver()
    epoch.addText("small")
    expect(epoch.bytes().buffer.byteLength).toBeGreaterThan(4_000_000 - 1)
    epoch.handOver()
    epoch.addText("small again")
    expect(epoch.bytes().buffer.byteLength).toBeLessThan(100_000)
    expect(text.decode(epoch.bytes())).toBe("small again")
  })
})
