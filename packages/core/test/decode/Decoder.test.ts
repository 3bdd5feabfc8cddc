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
      batchOf([' { "total" : 1.5 ,\r\n\t"id": "a"} ', '{"paid": true, "total": 2, "id": "b"}', '{"total":1,"id":"c"}'])
    )
    expect(batch.fastRows).toBe(3)
    expect([0, 1, 2].map((row) => decoder.record(batch, row))).toMatchObject([
      { id: "a", paid: null },
      { id: "b", paid: true },
      { id: "c", paid: null }
    ])
  })

  it("lets the last of repeated keys count, on the slow path", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(batchOf(['{"total":1,"id":"a","id":"b"}', '{"total":1,"id":"a","\\u0069d":"b"}']))
    expect(batch.fastRows).toBe(0)
    expect([0, 1].map((row) => decoder.record(batch, row).id)).toEqual(["b", "b"])
  })

  it("takes unknown fields of any JSON on the fast path, and keeps them", () => {
    const decoder = Decoder.make(Sales)
    const unknown = [
      '"x":[1,{"y":"}\\"\\u00e9\\ud800"}]',
      '"":null',
      '"é":-1.5e-3',
      '"x":{}',
      '"__proto__":{"id":[[]]}'
    ]
    const batch = decoder.decode(
      batchOf([
        `{"id":"a",${unknown[0]},"total":1}`,
        `{${unknown.join(" , ")},"total":1,"id":"b"}`,
        '{"id":"c","total":1}'
      ])
    )
    expect(batch.fastRows).toBe(3)
    expect([...batch.extras]).toEqual([
      [0, '{"x":[1,{"y":"}\\"\\u00e9\\ud800"}]}'],
      [1, '{"x":{},"":null,"é":-1.5e-3,"__proto__":{"id":[[]]}}']
    ])
    expect(decoder.record(batch, 1).id).toBe("b")
  })

  it("reads numbers of any form, wide decimals and nested values on the fast path", () => {
    const decoder = Decoder.make(Sales)
    const batch = decoder.decode(
      batchOf([
        '{"id":"a","total":1.25e2,"lines":[1,2]}',
        '{"id":"b","total":"12345678901234567890.5","lines":[]}',
        '{"id":"c","total":0.000000000000000000000001e24}'
      ])
    )
    expect(batch.fastRows).toBe(3)
    expect([0, 1, 2].map((row) => String(decoder.record(batch, row).total))).toEqual([
      "125.00",
      "12345678901234567890.50",
      "1.00"
    ])
    expect([0, 1, 2].map((row) => decoder.record(batch, row).lines)).toEqual([[1, 2], [], null])
  })

  it("sends a row to the slow path for its verdict when a value that was found does not fit", () => {
    const decoder = Decoder.make(Sales)
    const records = [
      '{"id":"a","total":1e400}',
      '{"id":"b","total":1}',
      '{"id":"\\ud800","total":1}',
      '{"id":"c","total":1,"lines":["x"],"z":1}'
    ]
    const batch = decoder.decode(batchOf(records))
    expect(batch.fastRows).toBe(1)
    expect(batch.failures).toMatchObject([
      { row: 0, field: "total" },
      { row: 2, reason: "bad_format", field: "id" },
      { row: 3, reason: "wrong_type", field: "lines" }
    ])
    expect(batch.extras.size).toBe(0)
  })

  it("takes blanks that go on behind a record, as between the lines of a file", () => {
    const text = ' { "id":"a","total":1} \n \n{"id":"b", "total":2}\n'
    const bytes = new TextEncoder().encode(text)
    const at = text.indexOf('{"id":"b"')
    const batch = batchOf(["", ""])
    const lines = { ...batch, bytes, valueStarts: Int32Array.of(0, at), valueEnds: Int32Array.of(24, bytes.length - 1) }
    expect(Decoder.make(Sales).decode(lines)).toMatchObject({ fastRows: 2, failures: [] })
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
    expect(batch.fastRows).toBe(3)
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
