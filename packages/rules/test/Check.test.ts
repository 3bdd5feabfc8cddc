/** What a rule document is refused for: file, line, column and what was expected, all at once. */
import { assert, describe, it } from "@effect/vitest"
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { formatProblems, makeRuleSet } from "../src/index.ts"
import { report, rowRule, windowRule } from "./support/Documents.ts"

const lines = (text: string) => text.split("\n")

describe("a rule document", () => {
  it("is accepted when it makes sense", () => {
    assert.strictEqual(report(rowRule(), windowRule()), "")
  })

  it("is refused with every problem, each at its place", () => {
    const found = report(
      rowRule({ id: "Large", version: "0", severity: "urgent", colour: "red" }),
      rowRule({ when: "amont >= 10000 && country == 5", message: '"{amuont} {label}"', key: "nobody" })
    )
    assert.deepStrictEqual(lines(found), [
      "r1.yaml:1:5: id: expected a string matching the RegExp ^[a-z][a-z0-9-]{0,62}$",
      "r1.yaml:2:10: version: expected a value greater than or equal to 1",
      'r1.yaml:4:11: severity: expected "low" | "medium" | "high" | "critical"',
      'r1.yaml:9:1: "colour" is no part of a rule, or has no such name',
      'r2.yaml:7:7: when: no field "amont": did you mean "amount"?',
      "    amont >= 10000 && country == 5",
      "    ^^^^^",
      "r2.yaml:7:25: when: a text cannot be compared with a whole number: write the number without quotes, or string(…) around it",
      "    amont >= 10000 && country == 5",
      "                      ^^^^^^^^^^^^",
      ...lines(found).filter((line) => line.startsWith("r2.yaml:8")),
      'r2.yaml:9:6: key: no field "nobody" that a rule could take'
    ])
    assert.include(found, "r2.yaml:8:11: message: no value {amuont}: there are transaction_id, account_id")
    assert.include(found, "r2.yaml:8:20: message: no value {label}")
  })

  it("shows where in a block of lines a condition is wrong", () => {
    const when = "|\n  amount > 1 &&\n    amount > country"
    assert.include(report(rowRule({ when })), "r1.yaml:9:5: when: ")
  })

  it("cannot read the label, which is there to measure rules by", () => {
    for (const rule of [
      rowRule({ when: "has(label)" }),
      rowRule({ when: "label == 'velocity'" }),
      rowRule({ key: "label" }),
      rowRule({ message: '"{label}"' }),
      windowRule({
        aggregates: "{ count: { function: count, where: has(label) }, total: { function: sum, field: amount } }"
      }),
      windowRule({
        aggregates: "{ count: { function: distinct, field: label }, total: { function: sum, field: amount } }"
      })
    ]) {
      assert.notStrictEqual(report(rule), "", rule)
    }
  })

  it("takes literals beside decimals as decimals", () => {
    const tests =
      '[{ name: exact, events: [{ amount: "9007199254740993.01" }, { amount: "9007199254740993.02" }], expect: [{ values: { amount: "9007199254740993.02" } }] }]'
    assert.strictEqual(report(rowRule({ when: "amount > 9007199254740993.01", tests })), "")
  })

  it("has a window that makes sense", () => {
    const refused = (more: Readonly<Record<string, string>>) => report(windowRule(more))
    assert.include(refused({ window: "{ size: 5 minuts }" }), "window.size: a duration is written")
    assert.include(refused({ window: "{ size: 5m, every: 7m }" }), "window.every: windows must meet")
    assert.include(refused({ window: "{ size: 5m, every: 2m }" }), "window.every: the size must be a multiple")
    assert.include(refused({ window: "{ size: 0s }" }), "longer than nothing")
    assert.include(refused({ key: "country" }), "a window's key must be that")
    assert.include(
      refused({ aggregates: "{ total: { function: sum, field: country } }" }),
      'there is no sum of "country"'
    )
    assert.include(refused({ aggregates: "{ revision: { function: count } }" }), "has a field revision already")
    assert.include(refused({ kind: "row" }), "a row rule has no window")
    assert.include(report(rowRule({ kind: "window" })), "a window rule has a window")
  })

  it("has an id of its own, a topic that exists, times in order, and tests that pass", () => {
    assert.include(report(rowRule(), rowRule()), "r2.yaml:1:5: id: r1.yaml has the same id")
    assert.include(report(rowRule({ on: "raw" })), 'r1.yaml:5:5: on: no topic "raw": rules are about raw-transactions')
    assert.include(
      report(rowRule({ effective: "{ from: 2026-02-01T00:00:00Z, until: 2026-01-01T00:00:00Z }" })),
      "it would never be in effect"
    )
    const tests = "[{ name: none, events: [{ amount: 10000 }], expect: [] }]"
    assert.include(report(rowRule({ tests })), 'test "none": 1 alert comes, 0 expected\n  10000.00')
    const wrong = "[{ name: strange, events: [{ amuont: 1 }, { amount: -1 }], expect: [] }]"
    assert.include(report(rowRule({ tests: wrong })), 'raw-transactions has no field "amuont"')
  })

  it("is in effect between its times, also when the condition ends in a comment", () => {
    const tests = `[{ name: times, events: [
      { amount: 10000, event_timestamp: "2026-01-31T23:59:59.999Z" }, { amount: 10001, event_timestamp: "2026-02-01T00:00:00Z" },
      { amount: 10002, event_timestamp: "2026-02-28T23:59:59.999Z" }, { amount: 10003, event_timestamp: "2026-03-01T00:00:00Z" }],
      expect: [{ message: "10001.00" }, { message: "10002.00" }] }]`
    const effective = '{ from: "2026-02-01T01:00:00+01:00", until: 2026-03-01T00:00:00Z }'
    assert.strictEqual(report(rowRule({ when: "amount >= 10000 // large", effective, tests })), "")
  })
})

describe("personal data", () => {
  class Application extends Schema.Opaque<Application>()(
    Schema.Struct({ id: Field.text(), ssn: Field.personal(Field.text()), at: Field.timestamp })
  ) {}
  const Applications = Topic.make("applications", { schema: Application, key: "id", eventTime: "at" })
  const check = (more: Readonly<Record<string, string>>) => {
    const text = rowRule({ on: "applications", when: "ssn.endsWith('9')", message: '"{id}"', ...more })
    const set = makeRuleSet([{ file: "r.yaml", text }], [Applications], { tests: true })
    return set._tag === "Failure" ? formatProblems(set.failure) : ""
  }

  it("may be judged, and is masked where the alert explains itself", () => {
    const tests = '[{ name: masked, events: [{ id: A, ssn: "123456789" }], expect: [{ values: { ssn: (personal) } }] }]'
    assert.strictEqual(check({ tests }), "")
  })

  it("is refused in messages and as a key", () => {
    assert.include(check({ message: '"{ssn}"' }), "{ssn} is personal data, which messages do not show")
    assert.include(check({ key: "ssn" }), '"ssn" is personal data, which alerts do not carry')
  })
})
