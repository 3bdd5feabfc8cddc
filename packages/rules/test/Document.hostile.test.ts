/** Documents that mean harm: each is refused in a moment, with bounded memory, and none changes anything. */
import { assert, describe, it } from "@effect/vitest"
import { report, rowRule, rulesOf, windowRule } from "./support/Documents.ts"
import { decodeLines, evaluateRule } from "../src/index.ts"
import { Result } from "effect"

const levels = 30_000
const laughs = [
  "a: &a [x, x]",
  ...Array.from("bcdefghij", (name, at) => `${name}: &${name} [*${"abcdefghi"[at]}, *${"abcdefghi"[at]}]`)
]

const hostile: Readonly<Record<string, string>> = {
  "a billion laughs": laughs.join("\n"),
  "an anchor": "id: &a large",
  "an alias to itself": "a: &a [*a]",
  "a merge key": `${rowRule()}<<: { id: other }\n`,
  "deep flow lists": "[".repeat(levels),
  "deep flow maps": "{a: ".repeat(levels / 2),
  "deep block lists": "- ".repeat(levels),
  "deep question marks": "? ".repeat(levels),
  "a huge text": `id: ${"x".repeat(10_000_000)}`,
  "many names": Array.from({ length: 8_000 }, (_, at) => `n${at}: 1`).join("\n"),
  "a tag that constructs": "id: !!js/function 'function () { throw 1 }'",
  binary: "id: !!binary aGk=",
  "two documents": `${rowRule()}---\n${rowRule()}`,
  "prototype names": "__proto__: { polluted: yes }\nconstructor: { prototype: { polluted: yes } }",
  "prototype names as aggregates": `${rowRule({ kind: "window", window: "{ size: 5m }", when: "x > 1" })}aggregates: { __proto__: { function: count } }\n`,
  "a number that is none": rowRule({ score: ".inf" }),
  "digits that a double would lose": rowRule({
    tests: "[{ name: a, events: [{ amount: 12345678901234567.89 }], expect: [] }]"
  }),
  "a condition of a thousand levels": rowRule({ when: `'${"(".repeat(4_000)}true${")".repeat(4_000)}'` }),
  "a condition too long": rowRule({ when: `"${"amount > 1 || ".repeat(3_000)}true"` }),
  "a name that is code": rowRule({ message: '"{constructor.constructor(1)}"' }),
  "an inherited name": rowRule({ message: '"{toString} {__proto__}"' }),
  "an inherited name in a condition": rowRule({ when: "constructor == 'x'" }),
  nothing: "",
  bytes: "\u0000\u0001\uFFFD",
  "half a surrogate pair": `id: "\uD800"`
}

describe("a hostile document", () => {
  for (const [what, text] of Object.entries(hostile)) {
    it(`is refused: ${what}`, () => {
      const start = performance.now()
      const found = report(text)
      assert.match(found, /^r1\.yaml:\d+:\d+: \S/)
      // what grows with each level takes hours; a busy machine takes none
      assert.isBelow(performance.now() - start, 30_000)
      assert.isBelow(found.length, 60_000)
      assert.isUndefined((Object.prototype as { readonly polluted?: unknown }).polluted)
    })
  }
})

describe("a message", () => {
  it("shows values as they are: no braces read again, no line begun, no direction turned", () => {
    const { rules } = rulesOf(rowRule({ when: "'true'", message: '"{{{city}}} is {city}"' }))
    const line = {
      transaction_id: "00000000-0000-0000-0000-000000000000",
      account_id: "A1",
      amount: 1,
      currency: "EUR",
      type: "purchase",
      merchant_id: "M",
      merchant_category: "m",
      country: "DE",
      city: "{amount}\nerror: \u001b[31m\u202e${1}",
      lat: 0,
      lon: 0,
      channel: "pos",
      device_id: "d",
      ip: "192.0.2.1",
      event_timestamp: "2026-01-14T00:00:00Z"
    }
    const records = decodeLines(rules[0]!.topic, [JSON.stringify(line)])
    const [alert] = evaluateRule(rules[0]!, Result.getOrThrow(records))
    assert.strictEqual(
      alert!.message,
      "{{amount} error: [31m ${1}} is {amount} error: [31m ${1}".replaceAll("error: [", "error:  [")
    )
  })

  it("whose window ends in 2090 gives alerts that their topic takes", () => {
    const { rules } = rulesOf(windowRule({ when: "count >= 1" }))
    const line = {
      transaction_id: "019bbf4a-9b60-7000-8000-000000000001",
      account_id: "A",
      amount: 1,
      currency: "EUR",
      type: "purchase",
      merchant_id: "M",
      merchant_category: "m",
      country: "DE",
      city: "c",
      lat: 0,
      lon: 0,
      channel: "pos",
      device_id: "d",
      ip: "192.0.2.1",
      event_timestamp: "2089-12-31T23:59:59.999Z"
    }
    const alerts = evaluateRule(rules[0]!, Result.getOrThrow(decodeLines(rules[0]!.topic, [JSON.stringify(line)])))
    assert.strictEqual(alerts.length, 5)
    for (const { event_timestamp } of alerts) assert.isBelow(event_timestamp, Date.UTC(2090, 0, 1))
  })
})
