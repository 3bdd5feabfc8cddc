/**
 * What brokers or producers may give that is not what it claims to be: one clear line, never other records, never a hang.
 */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { zstdCompressSync } from "node:zlib"
import { DamagedBatch, decodeBatches } from "../../src/kafka/DecodeBatches.ts"
import { numbered, type TestRecord, unpack } from "../log/LogFixture.ts"
import { batchBytes, resealed } from "./BatchCases.ts"

const records: ReadonlyArray<TestRecord> = numbered("value-", 20).map((value) => ({ value, key: null }))
const offset = 1_000

const decode = (bytes: Uint8Array, recordBytesMax = 1_048_576) =>
  decodeBatches({ bytes, offset, aborted: [], recordBytesMax })

const said = (bytes: Uint8Array): string => {
  try {
    decode(bytes)
  } catch (error) {
    if (error instanceof DamagedBatch) {
      assert.strictEqual(error.offset, offset)
      return error.message
    }
    throw error
  }
  return "nothing"
}

const changed = (change: (bytes: Buffer) => void, compression: "none" | "zstd" = "none"): Buffer => {
  const bytes = batchBytes({ baseOffset: offset, records, compression })
  change(bytes)
  return resealed(bytes)
}

describe("a batch that is not what it claims to be", () => {
  it("of an unknown format", () => {
    for (const magic of [0, 1, 3, 127]) {
      assert.include(said(changed((bytes) => bytes.writeInt8(magic, 16))), `has format ${magic} (its magic byte)`)
    }
  })

  it("with a flipped bit anywhere behind its checksum", () => {
    const bytes = batchBytes({ baseOffset: offset, records })
    for (let at = 21; at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      assert.include(said(flipped), "does not match its checksum")
    }
  })

  it("with more or fewer records than it says, compressed or not", () => {
    for (const compression of ["none", "zstd"] as const) {
      assert.include(said(changed((bytes) => bytes.writeInt32BE(19, 57), compression)), "has more than the 19 records")
      assert.include(said(changed((bytes) => bytes.writeInt32BE(21, 57), compression)), "at record 20 of 21")
      assert.include(said(changed((bytes) => bytes.writeInt32BE(2 ** 31 - 1, 57), compression)), "is too short")
      assert.include(said(changed((bytes) => bytes.writeInt32BE(-1, 57), compression)), "is too short")
    }
  })

  it("compressed by another codec than it says, by none that there is, or cut", () => {
    const withCodec = (codec: number) =>
      changed((bytes) => bytes.writeInt16BE((bytes.readInt16BE(21) & ~7) | codec, 21), "zstd")
    for (const codec of [1, 2, 3, 5, 7]) assert.include(said(withCodec(codec)), "does not decompress")
  })

  it("with lengths that lie: whatever they say, it is records as written or a refusal", () => {
    const bytes = batchBytes({ baseOffset: offset, records })
    for (let at = 61; at < bytes.length; at++) {
      for (const value of [0, 1, 2, 127, 128, 255]) {
        const lying = Buffer.from(bytes)
        lying[at] = value
        try {
          assert.strictEqual(decode(resealed(lying)).length, records.length)
        } catch (error) {
          assert.instanceOf(error, DamagedBatch)
        }
      }
    }
  })

  it("decompresses to more than there is memory for", () => {
    const zeros = Buffer.alloc(200 * 1_048_576)
    const body = zstdCompressSync(zeros)
    const bytes = Buffer.concat([
      batchBytes({ baseOffset: offset, records, compression: "zstd" }).subarray(0, 61),
      body
    ])
    bytes.writeInt32BE(bytes.length - 12, 8)
    assert.include(said(resealed(bytes)), "does not decompress")
  })
})

describe("a record that is longer than one may be", () => {
  it("is its first 1,000 bytes, with headers that say its length and hash", () => {
    const long = "ab".repeat(2_500)
    const mixed = [{ value: "short", key: null }, { value: long, key: "k", headers: { a: "b" } }, ...records]
    const batch = decode(batchBytes({ baseOffset: offset, records: mixed }), 4_999)
    const [first, second, ...rest] = unpack(batch)
    assert.deepStrictEqual(first, { value: "short", key: null })
    assert.strictEqual(second!.value, long.slice(0, 1_000))
    assert.strictEqual(second!.key, "k")
    assert.deepStrictEqual(second!.headers, {
      a: "b",
      "frazil.original-length": "5000",
      "frazil.original-sha256": createHash("sha256").update(long).digest("hex")
    })
    assert.deepStrictEqual(rest, records)
  })
})
