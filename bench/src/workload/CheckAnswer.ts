/**
 * Compares a workload's answer with that of plain loops (`Oracle.ts`), over the first lines of its file: in a process of its own,
 * which nothing of what is measured shares.
 *
 * `support/CheckedAnswer.ts` runs it: `bun bench/src/workload/CheckAnswer.ts FILE w2`, and gives it what the workload's run
 * over that file told on stdin. Prints a JSON object: `{"answer":"checked"}`, `{"answer":"differs: rows"}`, or why it was not checked.
 */
import { readFileSync } from "node:fs"
import { accountRow, accountsCount } from "../support/AccountRows.ts"
import { oracleCounts, oracleDays, oracleJoin, oracleSequences, oracleWindows, Unjudged } from "./Oracle.ts"

const rowOf = (account: string) => {
  const [, digits] = /^ACC(\d{7})$/.exec(account) ?? []
  return digits === undefined || Number(digits) >= accountsCount ? undefined : accountRow(Number(digits))
}

const landed = (content: string) => {
  const { amount_cents, invalid, n } = oracleCounts(content)
  return { n, invalid, amount_cents, rows: n - invalid, by_day: oracleDays(content) }
}

const joined = (content: string) => {
  const { invalid, n } = oracleCounts(content)
  return { n, invalid, ...oracleJoin(content, rowOf) }
}

/** By workload. */
const expected: Readonly<Record<string, (content: string) => Readonly<Record<string, unknown>>>> = {
  w1: oracleCounts,
  w2: (content) => ({ ...oracleCounts(content), ...oracleWindows(content, 300_000, 501) }),
  w3: (content) => ({ ...oracleCounts(content), ...oracleWindows(content, 3_600_000, 1) }),
  w4: (content) => ({ ...oracleCounts(content), ...oracleSequences(content) }),
  w5: landed,
  w6: joined
}

/** As it is printed in a line: sums as numbers. */
const printed = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each))

const check = (file: string, workload: string, told: Readonly<Record<string, unknown>>): string => {
  try {
    const fields = expected[workload]!(readFileSync(file, "utf8"))
    const differing = Object.keys(fields).filter((name) => printed(fields[name]) !== printed(told[name]))
    return differing.length === 0 ? "checked" : `differs: ${differing.join(", ")}`
  } catch (error) {
    if (error instanceof Unjudged) return `not checked: ${error.message}`
    throw error
  }
}

const [, , file = "", workload = ""] = process.argv
const told = JSON.parse(readFileSync(0, "utf8")) as Readonly<Record<string, unknown>> // a workload's line
process.stdout.write(`${JSON.stringify({ answer: check(file, workload, told) })}\n`)
