/**
 * Flink SQL's interval and temporal joins over two tables of other columns, each shuffled by itself: the same results.
 *
 * No record is so far out of order as to be late: what Flink SQL does with those depends on when it looked. The asks are a
 * table with a primary key for the temporal join, whose rows Flink keeps by their times as they come.
 */
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../support/Chance.ts"
import { runToEnd } from "../support/Harness.ts"
import { foundOf, type JoinCase } from "../support/Joins.ts"
import { randomSignals } from "../support/Sequences.ts"
import { appendSplit, placedLedger, placedWorld, split, splitJob } from "../support/SplitJoins.ts"

const outOfOrdernessMs = 3000
const layout = { bids: 3, asks: 2, between: 2 }
// a count of 0 would delete a version, which a row of a file cannot; of two versions of one time the partitions decide
const signals = randomSignals(makeChance(23), 1200, 2900).filter(({ n }) => n > 0)
const versions = new Map(signals.map((each) => [`${each.kind} ${each.account} ${each.at}`, each.id]))
const lines = split(
  signals.filter(({ account, at, id, kind }) => kind !== "b" || versions.get(`${kind} ${account} ${at}`) === id)
)

const time = "WATERMARK FOR ts AS ts - INTERVAL '3' SECOND"
const bids = `account STRING, id BIGINT, at_ms BIGINT, ts AS TO_TIMESTAMP_LTZ(at_ms, 3), ${time}`
const asks = `since_ms BIGINT, code STRING, account STRING, ts AS TO_TIMESTAMP_LTZ(since_ms, 3), ${time}`
const source = (name: string) => `WITH ('connector' = 'filesystem', 'path' = '\${FILE}${name}', 'format' = 'json')`
const declarations = [
  `CREATE TABLE bids (${bids}) ${source("")}`,
  `CREATE TABLE asks (${asks}) ${source(".asks")}`,
  `CREATE TABLE versions (${asks}, PRIMARY KEY (account) NOT ENFORCED) ${source(".asks")}`
]

const result = (right: string) =>
  `SELECT COALESCE(l.account, ${right}.account) AS account, l.id AS l, ${right}.code AS r FROM bids AS l`
const intervalSql = (join: string, lower: string, upper: string) =>
  `${result("r")} ${join} JOIN asks AS r ON l.account = r.account AND r.ts BETWEEN l.ts ${lower} AND l.ts ${upper}`
const asOfSql = (join: string) =>
  `${result("v")} ${join} JOIN versions FOR SYSTEM_TIME AS OF l.ts AS v ON l.account = v.account`

const common = { latenessMs: 0, same: false, coded: false, expressions: false }
const near = { ...common, join: "interval", lowerMs: -3000, upperMs: 4000 } as const
const around = ["- INTERVAL '3' SECOND", "+ INTERVAL '4' SECOND"] as const
const ahead = { ...common, join: "interval", lowerMs: 500, upperMs: 2000 } as const
const after = ["+ INTERVAL '0.5' SECOND", "+ INTERVAL '2' SECOND"] as const
const asOf = { ...common, join: "asOf", ttlMs: 86_400_000 } as const

const questions: ReadonlyArray<{ readonly of: JoinCase; readonly sql: string }> = [
  { of: { ...near, kind: "inner" }, sql: intervalSql("INNER", ...around) },
  { of: { ...near, kind: "left" }, sql: intervalSql("LEFT", ...around) },
  { of: { ...near, kind: "full" }, sql: intervalSql("FULL OUTER", ...around) },
  { of: { ...ahead, kind: "full" }, sql: intervalSql("FULL OUTER", ...after) },
  { of: { ...asOf, kind: "inner" }, sql: asOfSql("INNER") },
  { of: { ...asOf, kind: "left" }, sql: asOfSql("LEFT") }
]

const ours = (of: JoinCase) =>
  Effect.gen(function* () {
    yield* appendSplit(lines, layout)
    yield* runToEnd(splitJob(of, { outOfOrdernessMs, layout }), { epochRecords: 100 })
    const { results } = yield* foundOf(of)
    assert.deepStrictEqual(yield* placedLedger, [])
    return results.flatMap(([account, found]) => found.map((each) => `${account} ${each}`)).sort()
  }).pipe(Effect.provide(placedWorld))

/** The rows of a query, after all that took rows back. */
const standing = (rows: ReadonlyArray<FlinkRow>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { op, row } of rows) {
    const right = row["r"] === null || row["r"] === undefined ? "-" : String(row["r"]).slice(3)
    const text = `${String(row["account"])} ${String(row["l"] ?? "-")} ${right}`
    counts.set(text, (counts.get(text) ?? 0) + (op.startsWith("+") ? 1 : -1))
  }
  return [...counts].flatMap(([text, count]) => Array.from({ length: count }, () => text)).sort()
}

describe("Flink SQL, asked for the same joins of two tables", () => {
  it.live(
    "gives the same results",
    () =>
      Effect.gen(function* () {
        const of = (kind: string) => lines.flatMap(({ signal }) => (signal.kind === kind ? [signal] : []))
        const left = of("a").map(({ account, at, id }) => JSON.stringify({ account, id, at_ms: at }))
        const right = of("b").map(({ account, at, id }) => JSON.stringify({ since_ms: at, code: `ref${id}`, account }))
        const statements = [...declarations, ...questions.map(({ sql }) => sql)]
        const rows = yield* flinkSql(left, statements, { others: { asks: right } })
        const numbers = [...new Set(rows.map(({ q }) => q))].sort((one, other) => one - other)
        assert.strictEqual(numbers.length, questions.length)
        for (const [index, { of: join, sql }] of questions.entries()) {
          const theirs = standing(rows.filter(({ q }) => q === numbers[index]))
          const found = yield* ours(join)
          assert.isAbove(found.length, 100, sql)
          assert.deepStrictEqual(found, theirs, sql)
        }
      }),
    300_000
  )
})
