import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { makeSlowDecode } from "../../src/decode/SlowDecode.ts"
import { Field, Topic } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.uuid,
    amount: Field.decimal(6, 2, { positive: true }),
    at: Field.timestamp,
    kind: Field.oneOf(["card", "cash"]),
    note: Field.optional(Field.text({ lengthMax: 5 })),
    count: Field.optional(Field.int({ min: 0, max: 10 })),
    rate: Field.optional(Field.double()),
    day: Field.optional(Field.date),
    seen: Field.optional(Field.timestamp),
    flag: Field.optional(Field.boolean),
    constructor: Field.optional(Field.text()),
    items: Field.optional(Field.json(Schema.Array(Schema.Struct({ sku: Schema.String }))))
  })
) {}

const open = makeSlowDecode(Topic.make("payments", { schema: Payment, key: "id", eventTime: "at" }))
const closed = makeSlowDecode(Topic.make("payments", { schema: Payment, key: "id", closed: true }))

const good: Readonly<Record<string, string>> = {
  id: '"0f0f0f0f-0000-4000-8000-000000000000"',
  amount: "12.34",
  at: '"2026-01-14T23:45:00Z"',
  kind: '"card"'
}

const textOf = (members: Readonly<Record<string, string | undefined>>) =>
  `{${Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(",")}}`

const decodeText = (text: string, decode = open) => decode(new TextEncoder().encode(text))
const problemOf = (text: string, decode = open) => {
  const outcome = decodeText(text, decode)
  return outcome._tag === "Failed" ? [outcome.problem.reason, outcome.problem.field] : outcome._tag
}

describe("the slow path", () => {
  it.each([
    ["amount", undefined, "missing_field"],
    ["amount", "null", "wrong_type"],
    ["amount", "true", "wrong_type"],
    ["amount", "{}", "wrong_type"],
    ["amount", '{"text":"1"}', "wrong_type"],
    ["amount", "0", "out_of_range"],
    ["amount", "-1", "out_of_range"],
    ["amount", "12.345", "too_many_digits"],
    ["amount", "12345.00", "too_many_digits"],
    ["amount", "1234567890123456", "too_many_digits"],
    ["amount", '"12,34"', "bad_format"],
    ["amount", '"1e1"', "bad_format"],
    ["id", '"12"', "bad_format"],
    ["id", "12", "wrong_type"],
    ["at", '"today"', "bad_format"],
    ["at", "1768434300000", "wrong_type"],
    ["at", '"2150-01-01T00:00:00Z"', "event_time_out_of_range"],
    ["at", '"1999-12-31T23:59:59.999Z"', "event_time_out_of_range"],
    ["at", '"2090-01-01T00:00:00Z"', "event_time_out_of_range"],
    ["kind", '"gold"', "not_allowed"],
    ["kind", "[]", "wrong_type"],
    ["note", '"longer"', "out_of_range"],
    ["note", '"äää"', "out_of_range"],
    ["note", '"\\ud800"', "bad_format"],
    ["count", "11", "out_of_range"],
    ["count", "1.5", "wrong_type"],
    ["count", "1e400", "out_of_range"],
    ["rate", "1e400", "out_of_range"],
    ["day", '"2026-02-30"', "bad_format"],
    ["seen", '"2150-01-01T00:00:00Z"', "out_of_range"],
    ["flag", '"true"', "wrong_type"],
    ["items", '[{"sku":1}]', "wrong_type"],
    ["items", '"x"', "wrong_type"]
  ])("refuses %s: %s as %s", (field, value, reason) => {
    expect(problemOf(textOf({ ...good, [field]: value }))).toEqual([reason, field])
  })

  it.each([
    ["amount", "12.340"],
    ["amount", "1.234e1"],
    ["amount", '"12.34"'],
    ["amount", '"9999.990"'],
    ["count", "3.0"],
    ["count", "3e0"],
    ["count", "null"],
    ["note", '"\\u0000"'],
    ["note", "null"],
    ["at", '"2089-12-31T23:59:59.999999Z"'],
    ["items", '[{"sku":"a","more":1}]'],
    ["constructor", '"own"']
  ])("accepts %s: %s", (field, value) => {
    expect(problemOf(textOf({ ...good, [field]: value }))).toBe("Decoded")
  })

  it.each([
    ["", "not_json"],
    ["{", "not_json"],
    ['{"id":', "not_json"],
    ["{}{}", "not_json"],
    ["\ufeff{}", "not_json"],
    ["nul", "not_json"],
    [`${"[".repeat(200)}${"]".repeat(200)}`, "not_json"],
    ["[".repeat(5_000_000), "not_json"],
    ["null", "not_an_object"],
    ["[]", "not_an_object"],
    ["5", "not_an_object"],
    ['"{}"', "not_an_object"]
  ])("refuses what is no JSON object (case %#)", (text, reason) => {
    expect(problemOf(text)).toEqual([reason, undefined])
  })

  it("refuses bytes that are not UTF-8", () => {
    const lone = [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]
    expect(open(Uint8Array.from(lone))).toMatchObject({ problem: { reason: "not_utf8" } })
    expect(open(Uint8Array.from([0xff]))).toMatchObject({ problem: { reason: "not_utf8" } })
  })

  it("keeps unknown fields as they were written, unless the topic is closed", () => {
    const text = textOf({ ...good, "new one": "1.10", ["__proto__"]: '{"note":"x"}', é: "[1, 2]" })
    expect(decodeText(text)).toMatchObject({ extras: '{"new one":1.10,"__proto__":{"note":"x"},"é":[1, 2]}' })
    const outcome = decodeText(text)
    expect(outcome._tag === "Decoded" && outcome.record["note"]).toBe(undefined)
    expect(problemOf(text, closed)).toEqual(["unknown_field", undefined])
    expect(problemOf(textOf({ ...good, extra: "1" }), closed)).toEqual(["unknown_field", "extra"])
  })

  it("takes the last of two members with one name, as JSON.parse does", () => {
    const outcome = decodeText(textOf(good).replace("}", ',"amount":"99.10","am\\u006funt":98.1}'))
    expect(outcome._tag === "Decoded" && String(outcome.record["amount"])).toBe("98.10")
  })

  it("does not take what objects inherit for a member", () => {
    expect(decodeText(textOf(good))).toMatchObject({ _tag: "Decoded", extras: undefined })
  })

  it("never puts a value or an undeclared name into a message", () => {
    const secrets = ['"SECRET-1"', '["SECRET-2"]', '{"SECRET-3":1}', "424242.4242", '"\\ud800SECRET"']
    for (const name of [...Object.keys(Payment.fields), "SECRET NAME"]) {
      for (const value of secrets) {
        for (const decode of [open, closed]) {
          const outcome = decodeText(textOf({ ...good, [name]: value }), decode)
          expect(JSON.stringify(outcome._tag === "Failed" ? outcome.problem : "")).not.toMatch(/SECRET|4242/)
        }
      }
    }
  })

  it("says the field, what it must be, and the kind that was found", () => {
    expect(decodeText(textOf({ ...good, amount: "[]" }))).toMatchObject({
      problem: { message: "field amount must be a decimal, as a number or a text, found an array" }
    })
    expect(decodeText("[]")).toMatchObject({ problem: { message: "the record must be a JSON object, found an array" } })
  })
})
