/**
 * Rules are listed, checked, tried and measured from files alone; what is wrong with one is told with its place.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder, transaction } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const rule = (when: string) => `id: large
version: 3
description: a large amount
severity: high
on: raw-transactions
kind: row
when: ${when}
message: "{amount} on {account_id}"
`

const files = Effect.map(temporaryFolder, (folder) => {
  mkdirSync(join(folder, "rules"), { recursive: true })
  const events = join(folder, "events.ndjson")
  const labelled = transaction(2).replace(/\}$/, ',"label":"velocity"}')
  writeFileSync(join(folder, "rules", "large.yaml"), rule("amount > 0"))
  writeFileSync(join(folder, "rules", "README.md"), "no rule")
  writeFileSync(events, `${transaction(1)}\n${labelled}\n\n`)
  return { rules: join(folder, "rules"), file: join(folder, "rules", "large.yaml"), events }
})

describe("frazil rules", () => {
  it.live("lists and checks the rules that ship", () =>
    Effect.gen(function* () {
      const listed = yield* frazil(["rules", "list"])
      assert.include(listed.stdout, "velocity-count")
      assert.isUndefined(listed.error)
    })
  )

  it.live("checks a document, and says where it is wrong", () =>
    Effect.gen(function* () {
      const { file } = yield* files
      assert.strictEqual((yield* frazil(["rules", "check", file])).stdout, "large: sound, 0 tests pass\n")
      writeFileSync(file, rule("amount > country"))
      const refused = yield* frazil(["rules", "check", file])
      assert.strictEqual(refused.error, `the rules in ${file} cannot be used: 1 problem`)
    })
  )

  it.live("shows what rules decide on events, and why", () =>
    Effect.gen(function* () {
      const { events, file } = yield* files
      const ended = yield* frazil(["rules", "test", file, "--events", events, "--json"])
      const alerts = ended.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      assert.strictEqual(alerts.length, 2)
      assert.deepInclude(alerts[0], {
        rule_id: "large",
        rule_version: 3,
        revision: 0,
        sources: [{ topic: "raw-transactions", partition: 0, offset: 0 }]
      })
      assert.match(ended.stderr, /^2 events, 2 alerts, \d+ ms\n$/)
      assert.include((yield* frazil(["rules", "test", file, "--events", events])).stdout, "large v3")
    })
  )

  it.live("measures precision and recall by the labels that rules cannot read", () =>
    Effect.gen(function* () {
      const { events, rules } = yield* files
      const measured = yield* frazilJson("rules", "measure", "--rules", rules, "--events", events)
      assert.deepStrictEqual(measured, {
        events: 2,
        precision: [
          { rule: "large", alerts: 2, right: 1, records: 2, labelled: 1 },
          { alerts: 2, right: 1, records: 2, labelled: 1 }
        ],
        recall: [
          { label: "velocity", records: 1, found: 1 },
          { records: 1, found: 1 }
        ]
      })
      const text = yield* frazil(["rules", "measure", "--rules", rules, "--events", events])
      assert.match(text.stdout, /velocity +1 +1 +100\.0 %/)
    })
  )

  it.live("refuses events that do not decode, without showing them", () =>
    Effect.gen(function* () {
      const { events, file } = yield* files
      writeFileSync(events, `${transaction(1).replace(/"amount":[^,]+/, '"amount":"secret"')}\n`)
      const { error } = yield* frazil(["rules", "test", file, "--events", events])
      assert.include(error, "event 1: field amount")
      assert.notInclude(error, "secret")
    })
  )
})
