// Rule documents for tests, and what reading them comes to.
import { RawTransactions } from "@frazil/model"
import { Result } from "effect"
import { formatProblems, makeRuleSet } from "../../src/index.ts"

export const topics = [RawTransactions]

/** A row rule; `more` replaces or adds lines. */
export const rowRule = (more: Readonly<Record<string, string>> = {}): string => {
  const lines = {
    id: "large",
    version: "1",
    description: "a large amount",
    severity: "high",
    on: "raw-transactions",
    kind: "row",
    when: "amount >= 10000",
    message: '"{amount}"',
    ...more
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("")
}

/** A window rule over five minutes. */
export const windowRule = (more: Readonly<Record<string, string>> = {}): string =>
  rowRule({
    id: "velocity",
    kind: "window",
    window: "{ size: 5m, every: 1m }",
    aggregates: "{ count: { function: count }, total: { function: sum, field: amount } }",
    when: "count > 3 && total > 100",
    message: '"{count} of {account_id}"',
    ...more
  })

/** The report over documents; empty when they are sound. */
export const report = (...texts: ReadonlyArray<string>): string => {
  const set = makeRuleSet(
    texts.map((text, index) => ({ file: `r${index + 1}.yaml`, text })),
    topics,
    { tests: true }
  )
  return Result.isFailure(set) ? formatProblems(set.failure) : ""
}

/** The rules of sound documents. */
export const rulesOf = (...texts: ReadonlyArray<string>) =>
  Result.getOrThrowWith(
    makeRuleSet(
      texts.map((text, index) => ({ file: `r${index + 1}.yaml`, text })),
      topics
    ),
    (problems) => new Error(formatProblems(problems))
  )
