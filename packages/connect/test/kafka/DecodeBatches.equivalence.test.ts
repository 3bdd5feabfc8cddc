/**
 * Batches are read as the client's own reader and writer have them, which make an object of each record: the slow twin.
 */
import { assert, describe, it } from "@effect/vitest"
import { Reader, readRecordsBatches } from "@platformatic/kafka"
import { type Aborted, decodeBatches } from "../../src/kafka/DecodeBatches.ts"
import { encodeBatch, splitPieces } from "../../src/kafka/EncodeBatch.ts"
import { numbered, packRecords, type TestRecord, unpack } from "../log/LogFixture.ts"
import { batchBytes, type BatchCase, markerBytes, resealed } from "./BatchCases.ts"

const decode = (bytes: Uint8Array, offset = 0, aborted: ReadonlyArray<Aborted> = []) =>
  decodeBatches({ bytes, offset, aborted, recordBytesMax: 1_048_576 })

const awkward: ReadonlyArray<TestRecord> = [
  { value: "", key: null },
  { value: "", key: "" },
  { value: "x".repeat(63), key: "k" },
  { value: "x".repeat(64), key: "k".repeat(200) },
  { value: "x".repeat(70_000), key: null },
  { value: "with headers", key: "ü", headers: { a: "", "frazil.x": "1".repeat(300), ü: "ß" } },
  { value: "last", key: "k", headers: { a: "b" } }
]

const codecs: ReadonlyArray<NonNullable<BatchCase["compression"]>> = ["none", "gzip", "snappy", "lz4", "zstd"]

describe("reading", () => {
  for (const compression of codecs) {
    it(`what others wrote comes back, ${compression}`, () => {
      const first = batchBytes({ baseOffset: 5, records: awkward, compression, timestamps: [9, 8, 7, 1e9, 5, 4, 3] })
      const second = batchBytes({ baseOffset: 40, records: awkward.slice(1, 3), compression })
      const batch = decode(Buffer.concat([first, second]), 5)
      assert.deepStrictEqual(unpack(batch), [...awkward, ...awkward.slice(1, 3)])
      assert.deepStrictEqual([...batch.offsets], [5, 6, 7, 8, 9, 10, 11, 40, 41])
      assert.deepStrictEqual([...batch.timestamps.subarray(0, 7)], [9, 8, 7, 1e9, 5, 4, 3])
      assert.strictEqual(batch.next, 42)
    })
  }

  it("timestamps may be far apart: numbers of 64 bits", () => {
    // by hand, since the client's writer garbles them: length, attributes, zigzag of 10^12, offset, no key, "x", no headers
    const record = [24, 0, 128, 192, 168, 202, 154, 58, 0, 1, 2, 120, 0]
    const head = batchBytes({ baseOffset: 0, records: [{ value: "x", key: null }], timestamps: [7] }).subarray(0, 61)
    const bytes = Buffer.concat([head, Buffer.from(record)])
    bytes.writeInt32BE(bytes.length - 12, 8)
    assert.deepStrictEqual([...decode(resealed(bytes)).timestamps], [1e12 + 7])
  })

  it("compressed and uncompressed batches come together", () => {
    const batches = codecs.map((compression, index) =>
      batchBytes({ baseOffset: index * 10, compression, records: numbered(`${compression}-`, 3).map(unkeyed) })
    )
    const batch = decode(Buffer.concat(batches))
    assert.deepStrictEqual(
      unpack(batch).map(({ value }) => value),
      codecs.flatMap((compression) => numbered(`${compression}-`, 3))
    )
  })

  it("begins in the middle of a batch, and leaves a batch that is cut for the next fetch", () => {
    const first = batchBytes({ baseOffset: 10, records: awkward })
    const second = batchBytes({ baseOffset: 17, records: awkward })
    const bytes = Buffer.concat([first, second])
    for (const from of [10, 13, 16]) {
      const batch = decode(bytes.subarray(0, bytes.length - 1), from)
      assert.deepStrictEqual(unpack(batch), awkward.slice(from - 10))
      assert.strictEqual(batch.next, 17)
    }
    assert.strictEqual(decode(new Uint8Array(0), 3).next, 3)
  })

  it("rule 17: aborted transactions and markers are gone past, others of the same producer are not", () => {
    const of = (baseOffset: number, name: string, producerId?: bigint) =>
      batchBytes({
        baseOffset,
        records: numbered(name, 2).map(unkeyed),
        ...(producerId === undefined ? {} : { producerId })
      })
    const bytes = Buffer.concat([
      of(0, "kept-", 7n),
      markerBytes(2, 7n),
      of(3, "gone-", 7n),
      of(5, "beside-", 8n),
      of(7, "plain-"),
      of(9, "gone-too-", 7n),
      markerBytes(11, 7n),
      markerBytes(12, 8n),
      of(13, "again-", 7n),
      markerBytes(15, 7n)
    ])
    const batch = decode(bytes, 0, [{ producerId: 7n, firstOffset: 3 }])
    assert.deepStrictEqual(
      unpack(batch).map(({ value }) => value),
      ["kept-0", "kept-1", "beside-0", "beside-1", "plain-0", "plain-1", "again-0", "again-1"]
    )
    assert.deepStrictEqual([...batch.offsets], [0, 1, 5, 6, 7, 8, 13, 14])
    assert.strictEqual(batch.next, 16)
    // a fetch that begins inside the aborted transaction
    assert.deepStrictEqual(
      [...decode(bytes.subarray(of(0, "kept-", 7n).length), 9, [{ producerId: 7n, firstOffset: 3 }]).offsets],
      [13, 14]
    )
  })
})

describe("writing", () => {
  for (const compression of ["none", "zstd"] as const) {
    it(`is read by the client's reader, ${compression}`, () => {
      const records = packRecords(awkward)
      const pieces = [
        { records, from: 0, to: 3 },
        { records, from: 3, to: records.length }
      ]
      const { bytes, count } = encodeBatch(pieces, { producerId: 9n, producerEpoch: 2, sequence: 77 }, compression, 123)
      assert.strictEqual(count, awkward.length)
      const [read] = readRecordsBatches(Reader.from(Buffer.from(bytes)))
      assert.include(read, { producerId: 9n, producerEpoch: 2, firstSequence: 77, lastOffsetDelta: 6, magic: 2 })
      const found = read!.records.map(({ headers, key, value }): TestRecord => {
        const pairs = [...headers].map(([name, text]) => [String(name), String(text)] as const)
        return {
          value: String(value),
          key: key === null ? null : String(key),
          ...(pairs.length === 0 ? {} : { headers: Object.fromEntries(pairs) })
        }
      })
      assert.deepStrictEqual(found, awkward)
      assert.deepStrictEqual(unpack(decode(bytes)), awkward)
    })
  }

  it("is split by bytes, in order, one record at least", () => {
    const one = packRecords(numbered("a", 10).map(unkeyed))
    const two = packRecords([{ value: "y".repeat(500), key: null }, ...numbered("b", 5).map(unkeyed)])
    for (const bytesMax of [1, 50, 100, 200, 1_000, 100_000]) {
      const batches = splitPieces([one, packRecords([]), two], bytesMax)
      const values = batches.flatMap((pieces) =>
        pieces.flatMap(({ from, records, to }) =>
          unpack(records)
            .slice(from, to)
            .map(({ value }) => value)
        )
      )
      assert.deepStrictEqual(
        values,
        [...unpack(one), ...unpack(two)].map(({ value }) => value)
      )
    }
    assert.strictEqual(splitPieces([one, two], 1).length, 16)
    assert.strictEqual(splitPieces([one, two], 100_000).length, 1)
    assert.strictEqual(splitPieces([packRecords([])], 10).length, 0)
  })
})

const unkeyed = (value: string): TestRecord => ({ value, key: null })
