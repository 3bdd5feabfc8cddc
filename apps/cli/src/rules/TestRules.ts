/** `frazil rules test`. */
import { ruleTopics } from "@frazil/flows"
import { alertJson, loadRules } from "@frazil/rules"
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { note, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { alertsByRule, readEvents } from "./EventFile.ts"
import { eventsFlag, printOptions, rulesArgument } from "./RuleOptions.ts"

export const testRules = Command.make(
  "test",
  { ...printOptions, file: rulesArgument, events: eventsFlag },
  Effect.fnUntraced(function* (given) {
    const set = yield* loadRules(given.file, ruleTopics)
    const records = yield* readEvents(given.events, set)
    const start = yield* Clock.currentTimeMillis
    const alerts = alertsByRule(set, records).flatMap(([, found]) => found.map(alertJson))
    const tookMs = (yield* Clock.currentTimeMillis) - start
    if (given.json) yield* printLines(alerts.map((alert) => JSON.stringify(alert)))
    else if (alerts.length > 0) {
      const lines = textTable<(typeof alerts)[number]>(
        [
          { title: "RULE", text: (row) => `${row.rule_id} v${row.rule_version}` },
          { title: "SEVERITY", text: (row) => row.severity },
          { title: "KEY", text: (row) => row.key },
          { title: "TIME", text: (row) => row.event_timestamp },
          { title: "SOURCES", text: (row) => String(row.sources_count), align: "right" },
          { title: "VALUES", text: (row) => JSON.stringify(row.values) },
          { title: "MESSAGE", text: (row) => row.message }
        ],
        alerts
      )
      yield* printLines(lines)
    }
    yield* note(`${records.length} events, ${alerts.length} alerts, ${tookMs} ms`)
  })
).pipe(Command.withDescription("Tries rules on records and shows what they decide, and why"))
