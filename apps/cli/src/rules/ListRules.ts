/** `frazil rules list`. */
import { ruleTopics } from "@frazil/flows"
import { loadRules } from "@frazil/rules"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { printOptions, rulesFlag } from "./RuleOptions.ts"

export const listRules = Command.make(
  "list",
  { ...printOptions, rules: rulesFlag },
  Effect.fnUntraced(function* (given) {
    const { rules } = yield* loadRules(given.rules, ruleTopics)
    const rows = rules.map(({ document, file }) => ({
      id: document.id,
      version: document.version,
      kind: document.kind,
      on: document.on,
      severity: document.severity,
      outcome: document.outcome ?? null,
      score: document.score ?? null,
      when: document.when,
      description: document.description,
      file
    }))
    if (given.json) return yield* printJson(rows)
    const columns = textTable<(typeof rows)[number]>(
      [
        { title: "RULE", text: (row) => row.id },
        { title: "VERSION", text: (row) => String(row.version), align: "right" },
        { title: "KIND", text: (row) => row.kind },
        { title: "ON", text: (row) => row.on },
        { title: "SEVERITY", text: (row) => row.severity },
        { title: "OUTCOME", text: (row) => row.outcome ?? "-" },
        { title: "WHEN", text: (row) => row.when.replaceAll(/\s+/g, " ").trim().slice(0, 80) }
      ],
      rows
    )
    return yield* printLines(columns)
  })
).pipe(Command.withDescription("Lists the rules"))
