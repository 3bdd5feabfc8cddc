/**
 * The tests inside a rule document: events, and the alerts that must come of them.
 *
 * `frazil rules check` runs them. Interpreted, in memory; what the stream compiles is proven equal by the package's tests.
 */
import { Result } from "effect"
import type { CheckedRule } from "./CheckedRule.ts"
import type { ReadRule } from "./Document.ts"
import { evaluateRule } from "./Evaluate.ts"
import type { RuleProblem } from "./Problem.ts"
import type { TestDocument } from "./Rule.ts"
import { sampleRecords } from "./Sample.ts"
import { type AlertRecord, alertJson } from "./Trace.ts"
import type { Path } from "./Yaml.ts"

type Expected = TestDocument["expect"][number]

/** What differs between an alert and what a test expects of it; undefined when nothing does. */
const difference = (expected: Expected, alert: AlertRecord): string | undefined => {
  const json = alertJson(alert)
  const pairs: ReadonlyArray<readonly [name: string, wanted: unknown, found: unknown]> = [
    ["key", expected.key, json.key],
    ["message", expected.message, json.message],
    ["window_start", expected.window_start, json.window_start],
    ...Object.entries(expected.values ?? {}).map(
      ([name, wanted]) =>
        [`values.${name}`, wanted, Object.hasOwn(json.values, name) ? json.values[name] : undefined] as const
    )
  ]
  const wrong = pairs.find(([, wanted, found]) => wanted !== undefined && wanted !== found)
  if (wrong === undefined) return undefined
  const [name, wanted, found] = wrong
  return `${name} is ${JSON.stringify(found) ?? "not there"}, expected ${JSON.stringify(wanted)}`
}

/** Runs every test of a rule; what fails is told with its place, all at once. */
export const runTests = (rule: CheckedRule, read: ReadRule): ReadonlyArray<RuleProblem> => {
  const problems: Array<RuleProblem> = []
  for (const [index, test] of (rule.document.tests ?? []).entries()) {
    const tell = (path: Path, message: string) =>
      problems.push({
        file: read.file,
        ...read.placeOf(["tests", index, ...path]),
        message: `test "${test.name}": ${message}`
      })
    const records = sampleRecords(rule.topic, test.events)
    if (Result.isFailure(records)) {
      for (const { index: event, message } of records.failure) tell(["events", event], message)
      continue
    }
    const alerts = evaluateRule(rule, records.success)
    if (alerts.length !== test.expect.length) {
      const come = `${alerts.length} ${alerts.length === 1 ? "alert comes" : "alerts come"}`
      tell(["expect"], `${come}, ${test.expect.length} expected${alerts.map(({ message }) => `\n${message}`).join("")}`)
      continue
    }
    for (const [at, expected] of test.expect.entries()) {
      const wrong = difference(expected, alerts[at]!)
      if (wrong !== undefined) tell(["expect", at], wrong)
    }
  }
  return problems
}
