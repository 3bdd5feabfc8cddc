/**
 * The shipped window rules, as documents in the stream, against Flink SQL written by hand: the same windows, the same values.
 *
 * All records lie in one partition and one file, so that both have one watermark; Flink, which has no allowed lateness, gets
 * it as disorder instead. Some records are later than that, and both drop them. Times are in hundredths of a second: SQL's
 * watermark passes a window one millisecond before ours does.
 */
import { partitionOf } from "@frazil/core"
import { ruleTopics } from "@frazil/flows"
import { rulesDirectory } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { loadRules, type RuleSet } from "@frazil/rules"
import { makeTransactions } from "@frazil/sim"
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlace, runIn } from "./support/PipelineRun.ts"

const seed = 31
const outOfOrdernessMs = 5000
const startMs = Date.UTC(2026, 0, 14, 7)
const text = new TextDecoder()

interface Transaction {
  readonly account_id: string
  readonly amount: string
  readonly country: string
  readonly at_ms: number
}

/** Transactions of partition 0: most arrive within seconds, one in ten up to eight minutes late. */
const made = (() => {
  const generator = makeTransactions({ seed, fraudShare: 0.05 })
  const lines: Array<string> = []
  const transactions: Array<Transaction> = []
  for (let index = 0; index < 30_000; index++) {
    const { bytes, length } = generator.next(startMs + index * 500)
    const line = text.decode(bytes.subarray(0, length))
    const { account_id, country, event_timestamp } = JSON.parse(line) as Record<string, string>
    if (partitionOf(account_id!, RawTransactions.partitions) !== 0) continue
    // a multiplicative walk over all delays, the same each time
    const delayMs = index % 10 === 0 ? (index * 7919) % 480_000 : (index * 7919) % 4000
    const at_ms = Math.floor((Date.parse(event_timestamp!) - delayMs) / 10) * 10
    lines.push(line.replace(event_timestamp!, new Date(at_ms).toISOString()))
    // as its digits: a double would not do for a decimal
    const amount = /"amount":"?([0-9.]+)/.exec(line)?.[1] ?? ""
    transactions.push({ account_id: account_id!, amount, country: country!, at_ms })
  }
  return { lines, transactions }
})()

const ruleOf = (set: RuleSet, id: string) => {
  const rule = set.rules.find(({ document }) => document.id === id)
  assert(rule?.window !== undefined, `${id} is no window rule any more`)
  return { when: rule.document.when, window: rule.window }
}

/** `count >= 7` of a rule's condition, as it stands there. */
const boundIn = (when: string, name: string): string => {
  const found = new RegExp(`\\b${name} (>=?) ([0-9.]+)`).exec(when)
  assert(found !== null, `"${when}" has no bound of ${name}: write the SQL of this test anew`)
  return `${found[1]} ${found[2]}`
}

const tableOf = (
  delayMs: number
) => `CREATE TABLE tx (account_id STRING, amount DECIMAL(18, 2), country STRING, at_ms BIGINT,
  ts AS TO_TIMESTAMP_LTZ(at_ms, 3), WATERMARK FOR ts AS ts - INTERVAL '${delayMs / 1000}' SECOND(3))
  WITH ('connector' = 'filesystem', 'path' = '\${FILE}', 'format' = 'json')`

interface Question {
  readonly id: string
  /** Names of the rule's values and how SQL computes them, as text. */
  readonly values: Readonly<Record<string, string>>
  readonly having: (when: string) => string
}

const questions: ReadonlyArray<Question> = [
  {
    id: "velocity-count",
    values: { count: "CAST(COUNT(*) AS STRING)" },
    having: (when) => `COUNT(*) ${boundIn(when, "count")}`
  },
  {
    id: "velocity-sum",
    values: { count: "CAST(COUNT(*) AS STRING)", total: "CAST(SUM(amount) AS STRING)" },
    having: (when) => `COUNT(*) ${boundIn(when, "count")} AND SUM(amount) ${boundIn(when, "total")}`
  },
  {
    id: "foreign-after-large",
    values: { countries: "CAST(COUNT(DISTINCT country) AS STRING)", largest: "CAST(MAX(amount) AS STRING)" },
    having: (when) =>
      `COUNT(DISTINCT country) ${boundIn(when, "countries")} AND MAX(amount) ${boundIn(when, "largest")}`
  }
]

const queryOf = (set: RuleSet, { having, id, values }: Question): string => {
  const { when, window } = ruleOf(set, id)
  const [every, size] = [window.everyMs, window.sizeMs].map((ms) => `INTERVAL '${ms / 1000}' SECOND(3)`)
  const columns = Object.entries(values).map(([name, sql]) => `${sql} AS \`${name}\``)
  return `SELECT account_id, UNIX_TIMESTAMP(CAST(window_end AS STRING)) AS ends, COUNT(*) AS records, ${columns.join(", ")}
  FROM TABLE(HOP(TABLE tx, DESCRIPTOR(ts), ${every}, ${size}))
  GROUP BY account_id, window_start, window_end HAVING ${having(when)}`
}

interface Finding {
  readonly window: string
  readonly records: number
  readonly values: string
}

const valuesText = (names: ReadonlyArray<string>, values: Readonly<Record<string, unknown>>): string =>
  names.map((name) => `${name}=${String(values[name])}`).join(" ")

const byWindow = (findings: ReadonlyArray<Finding>) => new Map(findings.map((each) => [each.window, each]))

/** Each window in its last revision, of the rules in question. */
const ourFindings = (records: ReadonlyArray<{ readonly value: string }>) => {
  const last = new Map<string, Finding & { readonly revision: number }>()
  for (const { value } of records) {
    const alert = JSON.parse(Buffer.from(value, "latin1").toString()) as Record<string, string> & {
      readonly revision: number
      readonly sources_count: number
      readonly values: Readonly<Record<string, unknown>>
    }
    const question = questions.find(({ id }) => id === alert["rule_id"])
    if (question === undefined) continue
    const window = `${question.id} ${alert["key"]} ${Date.parse(alert["window_end"]!) / 1000}`
    if ((last.get(window)?.revision ?? -1) >= alert.revision) continue
    const values = valuesText(Object.keys(question.values), alert.values)
    last.set(window, { window, revision: alert.revision, records: alert.sources_count, values })
  }
  return byWindow([...last.values()])
}

const theirFindings = (rows: ReadonlyArray<FlinkRow>) => {
  const first = Math.min(...rows.map(({ q }) => q))
  return byWindow(
    rows.map(({ q, row }) => {
      const { id, values } = questions[q - first]!
      const window = `${id} ${String(row["account_id"])} ${String(row["ends"])}`
      return { window, records: Number(row["records"]), values: valuesText(Object.keys(values), row) }
    })
  )
}

describe("Flink SQL, asked what the shipped window rules ask", () => {
  it.live("names the same windows of the same accounts, with the same values", () =>
    Effect.gen(function* () {
      const set = yield* loadRules(rulesDirectory, ruleTopics)
      const place = yield* makePlace(Buffer.from(made.lines.map((line) => `${line}\n`).join("")))
      yield* runIn(place, { rules: set })
      const layer = systemLayer(dataDirectory(place.data))
      const ours = ourFindings(yield* readTopic("alerts").pipe(Effect.provide(layer)))
      const late = yield* readTopic("late-and-dropped").pipe(Effect.provide(layer))
      assert.isAbove(late.length, 50, "late records")
      const lateness = new Set(questions.map(({ id }) => ruleOf(set, id).window.allowedLatenessMs))
      assert.strictEqual(lateness.size, 1, "one table of Flink's has one watermark")
      const rows = yield* flinkSql(
        made.transactions.map((each) => JSON.stringify(each)),
        [tableOf(outOfOrdernessMs + [...lateness][0]!), ...questions.map((question) => queryOf(set, question))]
      )
      const theirs = theirFindings(rows)
      assert.deepStrictEqual([...ours.keys()].sort(), [...theirs.keys()].sort())
      for (const { id } of questions) {
        assert.isAbove([...ours.keys()].filter((window) => window.startsWith(id)).length, 20, id)
      }
      // an alert that was given before its window's last record tells what there was then
      const whole = [...ours.values()].filter(({ records, window }) => theirs.get(window)?.records === records)
      assert.isAbove(whole.length, ours.size / 2)
      for (const { values, window } of whole) assert.strictEqual(values, theirs.get(window)?.values, window)
    })
  )
})
