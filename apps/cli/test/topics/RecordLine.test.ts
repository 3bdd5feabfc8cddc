/**
 * Records as lines keep every byte, and every digit.
 */
import { assert, describe, it } from "@effect/vitest"
import { makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { metaLine, rawLines } from "../../src/topics/RecordLine.ts"

const batchOf = (...values: ReadonlyArray<string | Uint8Array>): RecordBatch => {
  const builder = makeRecordBuilder()
  values.forEach((value, i) =>
    builder.add(
      typeof value === "string" ? Buffer.from(value) : value,
      i === 0 ? Buffer.from("k\u00e9y") : null,
      i === 1 ? { why: "long" } : undefined
    )
  )
  return {
    ...builder.take(),
    offsets: Float64Array.from(values, (_, i) => 7 + i),
    timestamps: Float64Array.from(values, () => Date.UTC(2026, 0, 14))
  }
}

const nothingMasked = { value: undefined, key: false }

describe("RecordLine", () => {
  it("shows a JSON value as it was written, on one line", () => {
    const batch = batchOf('{"amount": 12.50,\n  "big": 12345678901234567890}', "[]")
    assert.strictEqual(
      metaLine(3, batch, 0, nothingMasked),
      '{"partition":3,"offset":7,"timestamp":"2026-01-14T00:00:00.000Z","key":"kéy",' +
        '"value":{"amount": 12.50,   "big": 12345678901234567890}}\n'
    )
    assert.include(metaLine(3, batch, 1, nothingMasked), '"key":null,"headers":{"why":"long"},"value":[]}')
  })

  it("shows what is no JSON or no UTF-8 as base64, byte for byte", () => {
    const bytes = Uint8Array.from([0x22, 0xff, 0x22])
    const batch = batchOf("{torn", bytes, "")
    for (const [row, value] of [Buffer.from("{torn"), Buffer.from(bytes), Buffer.alloc(0)].entries()) {
      const record: unknown = JSON.parse(metaLine(0, batch, row, nothingMasked))
      assert.notProperty(record, "value")
      assert.deepStrictEqual(Buffer.from(String(Reflect.get(Object(record), "value_base64")), "base64"), value)
    }
  })

  it("masks value, key and headers where they are personal", () => {
    const masked = { value: () => '{"a":"(personal)"}', key: true }
    const batch = batchOf("{}", "{}")
    assert.include(metaLine(0, batch, 0, masked), '"key":"(personal)","value":{"a":"(personal)"}}')
    assert.include(metaLine(0, batch, 1, masked), '"key":null,"headers":{"why":"(personal)"},"value":{"a":')
  })

  it("without positions gives the bytes themselves", () => {
    const bytes = Uint8Array.from([0xff, 0x00])
    const batch = batchOf("a", bytes, "c")
    assert.deepStrictEqual([...rawLines(batch, 2)], [0x61, 10, 0xff, 0x00, 10])
  })
})
