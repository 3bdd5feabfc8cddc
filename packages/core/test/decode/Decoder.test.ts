import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { Decimal, Decoder, Field, originalLengthHeader, Topic } from "../../src/index.ts"
import { batchOf } from "./RecordCases.ts"

class Sale extends Schema.Opaque<Sale>()(
  Schema.Struct({
    id: Field.text(),
    total: Field.decimal(38, 2),
    discount: Field.optional(Field.decimal(38, 2)),
    paid: Field.optional(Field.boolean),
    lines: Field.optional(Field.json(Schema.Array(Schema.Int)))
  })
) {}
const Sales = Topic.make("sales", { schema: Sale, key: "id" })

describe("Decoder", () => {
  it("gives columns and records, null for what is absent", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(
      batchOf(['{"id":"a","total":12.5}', '{"id":"b","total":"1","discount":null,"paid":false}'])
    )
    expect(batch).toMatchObject({ length: 2, fastRows: 2, failures: [] })
    expect(batch.bytes).toBe(batch.source.bytes)
    expect(decoder.record(batch, 0)).toEqual({
      id: "a",
      total: Decimal.of("12.50", 2),
      discount: null,
      paid: null,
      lines: null
    })
    expect(decoder.record(batch, 1)).toEqual({
      id: "b",
      total: Decimal.of("1.00", 2),
      discount: null,
      paid: false,
      lines: null
    })
  })

  it("reads keys in any order and blanks between them on the fast path", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(
      batchOf([
        ' { "total" : 1.5 ,\r\n\t"id": "a"} ',
        '{"paid": true, "total": 2, "id": "b"}',
        '{"total":1,"id":"a","id":"b"}'
      ])
    )
    expect(batch.fastRows).toBe(3)
    expect([0, 1, 2].map((row) => decoder.record(batch, row))).toMatchObject([
      { id: "a", paid: null },
      { id: "b", paid: true },
      { id: "b", paid: null }
    ])
  })

  it("keeps decimals that doubles cannot hold beside the columns", () => {
    const decoder = Decoder.make(Sales)
    const texts = ["90071992547409.91", "90071992547409.92", "-123456789012345678901234567890.12"]
    const batch = decoder.decode(batchOf(texts.map((text) => `{"id":"a","total":"${text}","discount":0.01}`)))
    expect([...batch.wide.subarray(0, 3)]).toEqual([0, 1, 1])
    expect(texts.map((_, row) => String(decoder.record(batch, row).total))).toEqual(texts)
    expect(String(decoder.record(batch, 2).discount)).toBe("0.01")
    const next = decoder.decode(batchOf(['{"id":"a","total":1}']))
    expect([next.wide[0], next.wideDecimals.size]).toEqual([0, 0])
  })

  it("puts unescaped texts behind the batch's bytes", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(
      batchOf(['{"id":"\\u00e9\\n🙂","total":1}', '{"id":"plain","total":1}', '{ "id":"","total":1}'])
    )
    expect(batch.fastRows).toBe(2)
    expect([0, 1, 2].map((row) => decoder.record(batch, row).id)).toEqual(["é\n🙂", "plain", ""])
  })

  it("reads nested values by their schema, and keeps their text", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(
      batchOf(['{"id":"a","total":1,"lines":[ 1, 2.0 ]}', '{"id":"b","total":1,"lines":["x"]}'])
    )
    expect(decoder.record(batch, 0).lines).toEqual([1, 2])
    const column = batch.columns[4]!
    expect(
      column._tag === "Bytes" && Buffer.from(batch.bytes.subarray(column.starts[0], column.ends[0])).toString()
    ).toBe("[ 1, 2.0 ]")
    expect(batch.failures).toMatchObject([{ row: 1, reason: "wrong_type", field: "lines" }])
  })

  it("lists failures by row, and forgets them at the next batch", () => {
    const decoder = Decoder.make(Sales)
    const good = '{"id":"a","total":1}'
    const headers = new Map([
      [3, { [originalLengthHeader]: "2000000" }],
      [1, { [originalLengthHeader]: "3000000" }],
      [0, { other: "header" }]
    ])
    const batch = decoder.decode(batchOf([good, good, "{", '{"id":"a', good, "[]"], headers))
    expect([...batch.valid.subarray(0, 6)]).toEqual([1, 0, 0, 0, 1, 0])
    expect(batch.failures.map(({ row, reason }) => [row, reason])).toEqual([
      [1, "record_too_long"],
      [2, "not_json"],
      [3, "record_too_long"],
      [5, "not_an_object"]
    ])
    expect(batch.fastRows).toBe(2)
    const next = decoder.decode(batchOf(Array.from({ length: 6 }, () => good)))
    expect([next.failures, next.fastRows, [...next.valid.subarray(0, 6)]]).toEqual([[], 6, [1, 1, 1, 1, 1, 1]])
  })

  it("grows with its batches and takes empty ones", () => {
    const decoder = Decoder.make(Sales)
    expect(decoder.decode(batchOf([]))).toMatchObject({ length: 0, failures: [] })
    const many = decoder.decode(batchOf(Array.from({ length: 3_000 }, (_, row) => `{"id":"${row}","total":${row}}`)))
    expect(many.fastRows).toBe(3_000)
    expect(decoder.record(many, 2_999).id).toBe("2999")
  })

  it("takes ten megabytes, NULs and deep nesting without throwing", () => {
    const decoder = Decoder.make(Sales)
    const huge = `{"id":"${"x".repeat(10_000_000)}","total":1}`
    const deep = `{"id":"a","total":1,"lines":${"[".repeat(1_000_000)}`
    const batch = decoder.decode(
      batchOf([huge, deep, "\0\0\0", `{"id":"a\0","total":1}`, `{"id":"a","total":${"9".repeat(1_000_000)}}`])
    )
    expect(batch.failures.map(({ reason }) => reason)).toEqual([
      "out_of_range",
      "not_json",
      "not_json",
      "not_json",
      "too_many_digits"
    ])
  })
})
