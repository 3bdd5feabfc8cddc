/** `frazil rules check`. */
import { ruleTopics } from "@frazil/flows"
import { loadRules } from "@frazil/rules"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { printJson, printLines } from "../Output.ts"
import { printOptions, rulesArgument } from "./RuleOptions.ts"

export const checkRules = Command.make(
  "check",
  { ...printOptions, file: rulesArgument },
  Effect.fnUntraced(function* (given) {
    const { rules } = yield* loadRules(given.file, ruleTopics, { tests: true })
    const rows = rules.map(({ document }) => ({ rule: document.id, tests: document.tests?.length ?? 0 }))
    if (given.json) return yield* printJson(rows)
    return yield* printLines(
      rows.map(({ rule, tests }) => `${rule}: sound, ${tests} ${tests === 1 ? "test passes" : "tests pass"}`)
    )
  })
).pipe(Command.withDescription("Checks rule documents and runs the tests inside them"))
