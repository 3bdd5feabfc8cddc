/** What is shown of records with personal fields: what the contract lets pass, as it was written, and nothing else. */
import { describe, expect, it } from "vitest"
import { Schema } from "effect"
import { Field, makeRecordMask, RecordShape } from "../../src/index.ts"
import { makeChance } from "../decode/RecordCases.ts"

const shape = RecordShape.of(
  Schema.Struct({
    id: Field.text(),
    amount: Field.decimal(18, 2),
    ssn: Field.personal(Field.digits9),
    name: Field.optional(Field.personal(Field.text())),
    tags: Field.json(Schema.Array(Schema.String))
  })
)
const mask = makeRecordMask(shape)!
const show = (text: string) => mask(new TextEncoder().encode(text))
const masked = "(personal)"

describe("a record's mask", () => {
  it("is none where nothing is personal", () => {
    expect(makeRecordMask(RecordShape.of(Schema.Struct({ id: Field.text() })))).toBeUndefined()
  })

  const cases: ReadonlyArray<readonly [text: string, shown: string]> = [
    [`{"id":"a","ssn":"123456789"}`, `{"id":"a","ssn":"(personal)"}`],
    // digits stay as they are
    [`{"amount": 1250.50 , "ssn":123456789}`, `{"amount":1250.50,"ssn":"(personal)"}`],
    [`{"ssn":null,"name":null}`, `{"ssn":null,"name":null}`],
    // twice, escaped, in other letters, below, around
    [`{"ssn":"1","ssn":"2"}`, `{"ssn":"(personal)","ssn":"(personal)"}`],
    [`{"\\u0073sn":"123456789"}`, `{"\\u0073sn":"(personal)"}`],
    [`{"SSN":"123456789","ssn ":"1"}`, `{"SSN":"(personal)","ssn ":"(personal)"}`],
    [`{"id":{"ssn":"123456789"}}`, `{"id":"(personal)"}`],
    [`{"id":["123456789"]}`, `{"id":"(personal)"}`],
    [`{"ssn":{"a":"}\\",\\"id\\":\\"x"},"id":"y"}`, `{"ssn":"(personal)","id":"y"}`],
    // what its field would refuse may be anybody's in the wrong place
    [`{"amount":"Ada Lovelace","id":5}`, `{"amount":"(personal)","id":"(personal)"}`],
    [`{"amount":"12345678901234567.10"}`, `{"amount":"(personal)"}`],
    [`{"amount":"1234567890123456.10"}`, `{"amount":"1234567890123456.10"}`],
    [`{"tags":["a",\n"b"],\r\n"id":"c"}`, `{"tags":["a", "b"],"id":"c"}`],
    [`{"__proto__":"123456789","constructor":1}`, `{"__proto__":"(personal)","constructor":"(personal)"}`],
    [` { } `, "{}"],
    [`{"ssn":"123456789"`, `"(personal)"`],
    [`"123456789"`, `"(personal)"`],
    [`[{"id":"1"}]`, `"(personal)"`],
    ["null", `"(personal)"`],
    ["", `"(personal)"`],
    [`{"id":"a"} {"ssn":"1"}`, `"(personal)"`]
  ]
  it.each(cases)("of %j is %j", (text, shown) => {
    expect(show(text)).toBe(shown)
  })

  it("of what is no UTF-8 shows nothing", () => {
    expect(mask(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toBe(`"${masked}"`)
  })

  const chance = makeChance(7)
  const texts = ["", "a", '"', "\\", '\\"', "}", "]", ",", "\n", "\u2028", "\ud800", "ssn", "123456789", "é😀"]
  const text = () => Array.from({ length: chance.below(4) }, () => chance.pick(texts)).join("")
  const value = (depth: number): unknown => {
    const kind = chance.below(depth > 2 ? 5 : 7)
    if (kind === 0) return null
    if (kind === 1) return chance.below(2) === 0
    if (kind === 2) return (chance.below(2_000) - 1_000) / chance.pick([1, 3, 1e9, 1e-20])
    if (kind < 5) return text()
    const length = chance.below(4)
    if (kind === 5) return Array.from({ length }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length }, () => [text(), value(depth + 1)]))
  }
  const isAmount = (shown: unknown) =>
    typeof shown !== "object" && typeof shown !== "boolean" && /^-?\d{1,16}(\.\d{1,2})?$/.test(String(shown))
  const names = ["id", "amount", "ssn", "name", "tags", "constructor", "toString"]
  const allowed = (name: string, shown: unknown) =>
    shown === null ||
    name === "tags" ||
    (name === "id" && typeof shown === "string" && shown.isWellFormed()) ||
    (name === "amount" && isAmount(shown))

  it("shows of any object what parsing it shows of the fields that are not personal", () => {
    for (let run = 0; run < 5_000; run++) {
      const name = () => (chance.below(3) === 0 ? text() : chance.pick(names))
      const record = Object.fromEntries(Array.from({ length: chance.below(6) }, () => [name(), value(0)]))
      const written = JSON.stringify(record, null, chance.pick(["", " ", "\t"]))
      // -0 and lone surrogates are what JSON makes of them
      const parsed = JSON.parse(written) as Readonly<Record<string, unknown>>
      const expected = Object.entries(parsed).map(([key, each]) => [key, allowed(key, each) ? each : masked])
      const shown = show(written)
      expect(shown).not.toMatch(/[\r\n]/)
      expect(JSON.parse(shown)).toEqual(Object.fromEntries(expected))
    }
  })
})
