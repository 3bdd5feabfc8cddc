/** `frazil rules measure`: precision and recall over records whose truth is known. */
import { ruleTopics } from "@frazil/flows"
import { loadRules, measure, type Precision, type Recall } from "@frazil/rules"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { alertsByRule, readEvents } from "./EventFile.ts"
import { eventsFlag, printOptions, rulesFlag } from "./RuleOptions.ts"

/** Where generated transactions say which fraud they belong to. */
const labelField = "label"

const share = (part: number, whole: number) => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`)

const precisionLines = (rows: ReadonlyArray<Precision>) =>
  textTable<Precision>(
    [
      { title: "RULE", text: (row) => row.rule ?? "all" },
      { title: "ALERTS", text: (row) => String(row.alerts), align: "right" },
      { title: "RIGHT", text: (row) => share(row.right, row.alerts), align: "right" },
      { title: "RECORDS", text: (row) => String(row.records), align: "right" },
      { title: "LABELLED", text: (row) => share(row.labelled, row.records), align: "right" }
    ],
    rows
  )

const recallLines = (rows: ReadonlyArray<Recall>) =>
  textTable<Recall>(
    [
      { title: "LABEL", text: (row) => row.label ?? "all" },
      { title: "RECORDS", text: (row) => String(row.records), align: "right" },
      { title: "FOUND", text: (row) => String(row.found), align: "right" },
      { title: "RECALL", text: (row) => share(row.found, row.records), align: "right" }
    ],
    rows
  )

export const measureRules = Command.make(
  "measure",
  { ...printOptions, rules: rulesFlag, events: eventsFlag },
  Effect.fnUntraced(function* (given) {
    const set = yield* loadRules(given.rules, ruleTopics)
    const records = yield* readEvents(given.events, set)
    const measured = measure(records, alertsByRule(set, records), labelField)
    if (given.json) return yield* printJson({ events: records.length, ...measured })
    return yield* printLines([
      "Precision: alerts that name a labelled record, and labelled ones among all records that alerts name",
      ...precisionLines(measured.precision),
      "",
      "Recall: labelled records that some alert names",
      ...recallLines(measured.recall)
    ])
  })
).pipe(Command.withDescription("Measures precision and recall of rules over labelled records"))
