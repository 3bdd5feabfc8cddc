/** Deletion vectors, Roaring bitmaps and Puffin files against files of the reference implementations. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { decodeVector, encodeVector } from "../../../src/io/puffin/DeletionVector.ts"
import {
  decodePuffinFooter,
  encodePuffin,
  puffinFooterBytes,
  puffinTailBytes
} from "../../../src/io/puffin/PuffinFile.ts"
import { decodeRoaring64, encodeRoaring64 } from "../../../src/io/puffin/RoaringBitmap.ts"
import { RowPositions } from "../../../src/io/puffin/RowPositions.ts"
import { FormatError } from "../../../src/spec/FormatError.ts"
import { seeded } from "../../write/parquet/WriterCases.ts"

const vector = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, "vectors", `${name}.bin`))

const range = (from: number, to: number, step = 1): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

/** As the reference's test counts positions: its containers begin at multiples of 65,536, the values in a bitset stop short. */
const at = (bitmap: number, container: number, value: number): number => bitmap * 2 ** 32 + container * 65_536 + value

const indexes: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
  ["empty-position-index", []],
  ["small-alternating-values-position-index", [1, 3, 5, 7, 9]],
  ["small-and-large-values-position-index", [100, 101, 2 ** 31 - 1 + 100, 2 ** 31 - 1 + 101]],
  [
    "all-container-types-position-index",
    [0, 1].flatMap((bitmap) => [
      at(bitmap, 0, bitmap === 0 ? 5 : 10),
      at(bitmap, 0, bitmap === 0 ? 7 : 20),
      ...range(at(bitmap, 1, bitmap === 0 ? 1 : 10), at(bitmap, 1, bitmap === 0 ? 1000 : 500)),
      ...range(at(bitmap, 2, 1), at(bitmap, 2, 65_535))
    ])
  ]
]

/** A 32-bit bitmap as the only one of a 64-bit bitmap. */
const asFirst = (bitmap: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), bitmap])

describe("deletion vectors", () => {
  for (const [name, positions] of indexes) {
    it(`are read and written byte for byte as Java has them: ${name}`, () => {
      const bytes = vector(name)
      assert.deepStrictEqual([...decodeVector(bytes, BigInt(positions.length))], positions)
      assert.deepStrictEqual(Buffer.from(encodeVector(RowPositions.fromPositions(positions))), Buffer.from(bytes))
    })
  }

  it("are refused when a byte is wrong or missing, or when they hold another number of positions than their manifest says", () => {
    const bytes = vector("all-container-types-position-index")
    const count = BigInt(indexes[3]![1].length)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i]! ^= 1
      assert.throws(() => decodeVector(damaged, count), FormatError)
      assert.throws(() => decodeVector(bytes.subarray(0, i), count), FormatError)
    }
    assert.throws(() => decodeVector(bytes, count + 1n), /holds \d+ positions where its manifest says/)
  })
})

describe("Roaring bitmaps", () => {
  const values = [...range(0, 100_000, 1000), ...range(300_000, 600_000, 3), ...range(700_000, 800_000)]

  it("are read with and without runs, and written with them as the specification's own file", () => {
    for (const name of ["bitmapwithoutruns", "bitmapwithruns"]) {
      assert.deepStrictEqual([...decodeRoaring64(asFirst(vector(name)))], values, name)
    }
    const written = encodeRoaring64(RowPositions.fromPositions(values))
    assert.deepStrictEqual(Buffer.from(written), Buffer.from(asFirst(vector("bitmapwithruns"))))
  })

  it("of several keys are read, also of C's writer", () => {
    const bucket = [...range(0, 0x9001), ...range(0xa000, 0x10001), 0x20000, 0x20005, ...range(0x80000, 0x90000, 2)]
    const both = [...bucket, ...bucket.map((value) => value + 2 ** 32)]
    const bytes = vector("portable_bitmap64")
    assert.deepStrictEqual([...decodeRoaring64(bytes)], both)
    assert.deepStrictEqual(Buffer.from(encodeRoaring64(RowPositions.fromPositions(both))), Buffer.from(bytes))
    assert.deepStrictEqual([...decodeRoaring64(vector("64map32bitvals"))], range(0, 10))
    const spread = range(0, 10).flatMap((key) => range(key * 2 ** 32, key * 2 ** 32 + 10))
    assert.deepStrictEqual([...decodeRoaring64(vector("64mapspreadvals"))], spread)
  })

  it("are refused by name where positions are no exact numbers", () => {
    assert.throws(() => decodeRoaring64(vector("64maphighvals")), /a position of \d+ or more/)
  })

  it("keep any positions", () => {
    const below = seeded(7)
    for (let round = 0; round < 12; round++) {
      const model = new Set<number>()
      for (let i = 0; i < 1 + below(12); i++) {
        const from = below(3) * 2 ** 32 + below(200_000)
        const length = below(4) === 0 ? 1 : below(20_000)
        for (let k = 0; k < length; k += 1 + (round % 3)) model.add(from + k)
      }
      const positions = [...model]
      const half = Math.floor(positions.length / 2)
      const made = RowPositions.fromPositions(positions.slice(half)).union(
        RowPositions.fromPositions(positions.slice(0, half))
      )
      assert.strictEqual(made.count, model.size)
      const sorted = positions.sort((a, b) => a - b)
      assert.deepStrictEqual([...decodeRoaring64(encodeRoaring64(made))], sorted)
    }
  })
})

describe("Puffin files", () => {
  const utf8 = new TextEncoder()

  it("are written byte for byte as Java writes them", () => {
    assert.deepStrictEqual(Buffer.from(encodePuffin([]).bytes), Buffer.from(vector("empty-puffin-uncompressed")))
    const blob = { snapshotId: 2n, sequenceNumber: 1n }
    const { bytes, offsets } = encodePuffin(
      [
        { ...blob, type: "some-blob", fields: [1], bytes: utf8.encode("abcdefghi") },
        {
          ...blob,
          type: "some-other-blob",
          fields: [2],
          bytes: utf8.encode(
            "some blob \u0000 binary data \u{1F92F} that is not very very very very very very long, is it?"
          )
        }
      ],
      new Map([["created-by", "Test 1234"]])
    )
    assert.deepStrictEqual(offsets, [4, 13])
    assert.deepStrictEqual(Buffer.from(bytes), Buffer.from(vector("sample-metric-data-uncompressed")))
  })

  it("say where their blobs are, as Java wrote it; what is no footer is refused", () => {
    const footerOf = (bytes: Uint8Array) => {
      const length = puffinFooterBytes(bytes.subarray(bytes.length - puffinTailBytes))
      return decodePuffinFooter(bytes.subarray(bytes.length - length))
    }
    assert.deepStrictEqual(footerOf(vector("empty-puffin-uncompressed")), [])
    const sample = vector("sample-metric-data-uncompressed")
    assert.deepStrictEqual(footerOf(sample), [
      { type: "some-blob", offset: 4n, length: 9n, properties: new Map() },
      { type: "some-other-blob", offset: 13n, length: 83n, properties: new Map() }
    ])
    for (let i = 1; i <= puffinTailBytes; i++) {
      const damaged = Uint8Array.from(sample)
      damaged[sample.length - i]! ^= 0x81
      // reserved flags mean nothing
      if (i >= 5 && i <= 7) assert.lengthOf(footerOf(damaged), 2)
      else assert.throws(() => footerOf(damaged), FormatError, undefined, `byte ${i} from the end`)
    }
  })
})
