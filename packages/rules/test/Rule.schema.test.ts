/** The schema that editors read beside the shipped rules, and those rules themselves. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { loadRules, ruleJsonSchema } from "../src/index.ts"
import { Effect } from "effect"
import { topics } from "./support/Documents.ts"

const directory = new URL("../../../lakehouse/rules/", import.meta.url)

it("the schema beside the rules is the one that they are read by", () => {
  const written: unknown = JSON.parse(readFileSync(new URL("schema.json", directory), "utf8"))
  assert.deepStrictEqual(written, JSON.parse(JSON.stringify(ruleJsonSchema())))
})

it.effect("the shipped rules are sound, each with tests that pass", () =>
  Effect.gen(function* () {
    const { rules } = yield* loadRules(directory.pathname, topics, { tests: true })
    assert.strictEqual(rules.length, readdirSync(directory).filter((name) => name.endsWith(".yaml")).length)
    for (const { document } of rules) assert.isAbove(document.tests?.length ?? 0, 0, document.id)
  })
)

it.effect("a directory that is not there, or a file that is no text, is refused in one line", () =>
  Effect.gen(function* () {
    const missing = yield* Effect.flip(loadRules("/nowhere/at/all", topics))
    assert.strictEqual(missing.message, "rules: /nowhere/at/all cannot be read: there is no such file")
  })
)
