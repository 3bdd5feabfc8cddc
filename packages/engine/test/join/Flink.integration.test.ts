/**
 * Flink SQL's interval and temporal joins over the same shuffled records: the same results; and its regular joins of each
 * key's latest rows: the same table in the end.
 *
 * No record is so far out of order as to be late: what Flink SQL does with those depends on when it looked. The versions are
 * a table with a primary key, whose rows Flink keeps by their times as they come; it lets nobody filter one, so that the kind
 * of a record is part of the key there, and a column of the left side says which.
 */
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../support/Chance.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { foundOf, type JoinCase, joinJob } from "../support/Joins.ts"
import { randomSignals, Signals } from "../support/Sequences.ts"

const outOfOrdernessMs = 3000
// a count of 0 would delete a version, which a row of a file cannot
const lines = randomSignals(makeChance(21), 1200, 2900).filter(({ n }) => n > 0)

const columns = "id BIGINT, account STRING, kind STRING, other STRING, n BIGINT, at_ms BIGINT"
const time = "ts AS TO_TIMESTAMP_LTZ(at_ms, 3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND"
const source = "WITH ('connector' = 'filesystem', 'path' = '${FILE}', 'format' = 'json')"
const declarations = [
  `CREATE TABLE signals (${columns}, ${time}) ${source}`,
  `CREATE TABLE keyed (${columns}, ${time}, PRIMARY KEY (account, kind) NOT ENFORCED) ${source}`,
  "CREATE VIEW lefts AS SELECT * FROM signals WHERE kind = 'a'",
  "CREATE VIEW rights AS SELECT * FROM signals WHERE kind = 'b'"
]

const result = (right: string) =>
  `SELECT COALESCE(l.account, ${right}.account) AS account, l.id AS l, ${right}.id AS r FROM lefts AS l`

const intervalSql = (join: string, lower: string, upper: string) =>
  `${result("r")} ${join} JOIN rights AS r ON l.account = r.account AND r.ts BETWEEN l.ts ${lower} AND l.ts ${upper}`

const asOfSql = (join: string) =>
  `${result("v")} ${join} JOIN keyed FOR SYSTEM_TIME AS OF l.ts AS v ON l.account = v.account AND l.other = v.kind`

const latestRow = (view: string) =>
  `(SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY account ORDER BY ts DESC) AS n_th FROM ${view}) WHERE n_th = 1)`

const latestSql = (join: string) =>
  `SELECT COALESCE(l.account, r.account) AS account, l.id AS l, r.id AS r
  FROM ${latestRow("lefts")} AS l ${join} JOIN ${latestRow("rights")} AS r ON l.account = r.account`

const common = { latenessMs: 0, same: false, coded: false, expressions: false }
const near = { ...common, join: "interval", lowerMs: -3000, upperMs: 4000 } as const
const around = ["- INTERVAL '3' SECOND", "+ INTERVAL '4' SECOND"] as const
const ahead = { ...common, join: "interval", lowerMs: 500, upperMs: 2000 } as const
const after = ["+ INTERVAL '0.5' SECOND", "+ INTERVAL '2' SECOND"] as const
const latest = { ...common, join: "latest", ttlMs: 86_400_000 } as const
const asOf = { ...common, join: "asOf", ttlMs: 86_400_000 } as const

const questions: ReadonlyArray<{ readonly of: JoinCase; readonly sql: string }> = [
  { of: { ...near, kind: "inner" }, sql: intervalSql("INNER", ...around) },
  { of: { ...near, kind: "left" }, sql: intervalSql("LEFT", ...around) },
  { of: { ...near, kind: "full" }, sql: intervalSql("FULL OUTER", ...around) },
  { of: { ...ahead, kind: "full" }, sql: intervalSql("FULL OUTER", ...after) },
  { of: { ...asOf, kind: "inner" }, sql: asOfSql("INNER") },
  { of: { ...asOf, kind: "left" }, sql: asOfSql("LEFT") },
  { of: { ...latest, kind: "inner" }, sql: latestSql("INNER") },
  { of: { ...latest, kind: "left" }, sql: latestSql("LEFT") },
  { of: { ...latest, kind: "full" }, sql: latestSql("FULL OUTER") }
]

const ours = (of: JoinCase) =>
  Effect.gen(function* () {
    const topic = { ...Signals, partitions: 1 }
    yield* append(topic, lines)
    yield* runToEnd(joinJob(of, { outOfOrdernessMs, topic }), { epochRecords: 100 })
    const { ledger, results } = yield* foundOf(of)
    assert.deepStrictEqual(ledger, [])
    return results
      .flatMap(([account, found]) =>
        // of a table, what the last result of a key says
        (of.join === "latest" ? found.slice(-1) : found).map((each) => `${account} ${each}`)
      )
      .sort()
  }).pipe(Effect.provide(world))

/** The rows of a query, after all that took rows back. */
const standing = (rows: ReadonlyArray<FlinkRow>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { op, row } of rows) {
    const text = `${String(row["account"])} ${String(row["l"] ?? "-")} ${String(row["r"] ?? "-")}`
    counts.set(text, (counts.get(text) ?? 0) + (op.startsWith("+") ? 1 : -1))
  }
  return [...counts].flatMap(([text, count]) => Array.from({ length: count }, () => text)).sort()
}

describe("Flink SQL, asked for the same joins", () => {
  it.live(
    "gives the same results",
    () =>
      Effect.gen(function* () {
        const input = lines.map(({ account, at, id, kind, n }) =>
          JSON.stringify({ id, account, kind, other: "b", n, at_ms: at })
        )
        const rows = yield* flinkSql(input, [...declarations, ...questions.map(({ sql }) => sql)])
        const numbers = [...new Set(rows.map(({ q }) => q))].sort((one, other) => one - other)
        assert.strictEqual(numbers.length, questions.length)
        for (const [index, { of, sql }] of questions.entries()) {
          const theirs = standing(rows.filter(({ q }) => q === numbers[index]))
          const found = yield* ours(of)
          assert.isAbove(found.length, of.join === "latest" ? 1 : 100, sql)
          assert.deepStrictEqual(found, theirs, sql)
        }
      }),
    300_000
  )
})
