import { createHash } from "node:crypto"
import {
  Decoder,
  Encoder,
  makeRecordBuilder,
  originalBytesMax,
  originalLengthHeader,
  originalSha256Header,
  Timestamp
} from "@frazil/core"
import { describe, expect, it } from "vitest"
import { type DeadLetter, DeadLetters, makeDeadLetter, RawTransactions } from "../src/index.ts"

const failedAt = Timestamp.make(1_768_434_300_000)

const batchOf = (records: ReadonlyArray<Uint8Array>, headers: Record<string, string> = {}) => {
  const builder = makeRecordBuilder()
  for (const record of records) builder.add(record, null, headers)
  const packed = builder.take()
  return { ...packed, offsets: new Float64Array(packed.length), timestamps: new Float64Array(packed.length) }
}

const letterOf = (value: Uint8Array, headers: Record<string, string> = {}): DeadLetter => {
  const batch = batchOf([value], headers)
  const failure = Decoder.make(RawTransactions).decode(batch).failures[0]!
  return makeDeadLetter({
    topic: "raw-transactions",
    partition: 2,
    offset: 17,
    failure,
    value,
    headers: batch.headers.get(0),
    failedAt
  })
}

describe("dead letters", () => {
  it("hold the record's bytes as they were, whatever they are", () => {
    const value = Uint8Array.from([0x7b, 0xff, 0x00, 0x22])
    const letter = letterOf(value)
    expect(letter).toMatchObject({
      topic: "raw-transactions",
      partition: 2,
      offset: 17,
      reason: "not_utf8",
      field: null
    })
    expect(Uint8Array.from(Buffer.from(letter.original, "base64"))).toEqual(value)
    expect(letter.original_length).toBe(null)
  })

  it("name the field and kinds, never the value", () => {
    const letter = letterOf(new TextEncoder().encode('{"transaction_id":"SECRET"}'))
    expect(letter.field).toBe("transaction_id")
    expect(letter.reason).toBe("bad_format")
    expect(letter.message).not.toContain("SECRET")
  })

  it("keep the first bytes, the length and the hash of a record too long to keep", () => {
    const value = new Uint8Array(originalBytesMax + 1).fill(0x61)
    const letter = letterOf(value)
    expect(Buffer.from(letter.original, "base64").length).toBe(1_000)
    expect(letter.original_length).toBe(value.length)
    expect(letter.original_sha256).toBe(createHash("sha256").update(value).digest("hex"))
    expect(letterOf(value.subarray(1)).original_length).toBe(null)
  })

  it("take length and hash from the headers of a record that was cut when it was fed", () => {
    const sha256 = "a".repeat(64)
    const letter = letterOf(new TextEncoder().encode('{"transaction_id":'), {
      [originalLengthHeader]: "5000000",
      [originalSha256Header]: sha256
    })
    expect(letter).toMatchObject({ reason: "record_too_long", original_length: 5_000_000, original_sha256: sha256 })
  })

  it("decode to what was encoded, at their longest too", () => {
    const letters = [letterOf(new Uint8Array(originalBytesMax)), letterOf(new TextEncoder().encode("[]"))]
    const encode = Encoder.make(DeadLetters)
    const texts = letters.map((letter) => new TextEncoder().encode(encode(letter)))
    expect(texts[0]!.length).toBeLessThan(1_000_000)
    const decoder = Decoder.make(DeadLetters)
    const decoded = decoder.decode(batchOf(texts))
    expect(decoded.fastRows).toBe(2)
    expect(letters.map((_, row) => decoder.record(decoded, row))).toEqual(letters)
  })
})
