/**
 * Flink SQL's answers for the same windows over the same records: equal, with late records dropped by both.
 *
 * One file, one thread: a watermark follows every record there, as here. SQL's watermark passes a window one millisecond
 * before ours does (it ends at `end - 1`); times in hundredths of a second leave no room for the difference.
 */
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../support/Chance.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import {
  foundOf,
  randomTrades,
  shopsMax,
  type Timing,
  trade,
  type TradeLine,
  Trades,
  tradesJob
} from "../support/Trades.ts"
import { foundVisits, type VisitTiming, visitsJob } from "../support/Visits.ts"

const lines = randomTrades(makeChance(11), 2000, 45_000).map(({ account, at, cents, shop, tip }) =>
  trade(account, Math.floor(at / 10) * 10, cents, tip, shop)
)

const tumbling: Timing = { sizeMs: 10_000, everyMs: 10_000, latenessMs: 0, outOfOrdernessMs: 2000 }
const hopping: Timing = { sizeMs: 30_000, everyMs: 5000, latenessMs: 0, outOfOrdernessMs: 2000 }

const table = `CREATE TABLE trades (account STRING, amount DECIMAL(38, 2), tip BIGINT, shop STRING, at_ms BIGINT,
  ts AS TO_TIMESTAMP_LTZ(at_ms, 3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '\${FILE}', 'format' = 'json')`

const query = (windows: string) => `SELECT account, UNIX_TIMESTAMP(CAST(window_end AS STRING)) AS window_end,
  COUNT(*) AS records, CAST(SUM(amount) AS STRING) AS total, CAST(MIN(amount) AS STRING) AS least,
  CAST(MAX(amount) AS STRING) AS most, SUM(tip) AS tips, COUNT(DISTINCT shop) AS shops
  FROM TABLE(${windows}) GROUP BY account, window_start, window_end`

const flinkText = ({ row }: FlinkRow): string => {
  const { account, least, most, records, shops, tips, total, window_end } = row
  return JSON.stringify([
    account,
    window_end,
    records,
    total,
    least,
    most,
    tips ?? null,
    Math.min(Number(shops), shopsMax)
  ])
}

const ourText = (window: string): string => {
  const { account, count, least, most, shops, tips, total, window_end } = JSON.parse(window) as Record<string, string>
  return JSON.stringify([account, Date.parse(window_end!) / 1000, count, total, least, most, tips, shops])
}

const ours = (timing: Timing) =>
  Effect.gen(function* () {
    const topic = { ...Trades, partitions: 1 }
    yield* append(topic, lines)
    yield* runToEnd(tradesJob(timing, topic), { epochRecords: 100 })
    const { late, windows } = yield* foundOf
    assert.isAbove(late.length, 10)
    return windows.map(ourText).sort()
  }).pipe(Effect.provide(world))

const sessions: VisitTiming = { gapMs: 4000, maxMs: 86_400_000, latenessMs: 0, outOfOrdernessMs: 2000 }

/** A second apart, so that many a pause is exactly the gap; none so far out of order as to be late. */
const onTime = randomTrades(makeChance(12), 2000, 0).map(({ account, at, cents, shop, tip }, index) =>
  trade(account, at - (index % 3 === 0 ? 2000 : 0), cents, tip, shop)
)

const sessionQueries = [
  `SELECT account, UNIX_TIMESTAMP(CAST(window_start AS STRING)) AS session_start,
  UNIX_TIMESTAMP(CAST(window_end AS STRING)) AS session_end, COUNT(*) AS records, CAST(SUM(amount) AS STRING) AS total
  FROM TABLE(SESSION(TABLE trades PARTITION BY account, DESCRIPTOR(ts), INTERVAL '4' SECOND))
  GROUP BY account, window_start, window_end`,
  `SELECT account, UNIX_TIMESTAMP(CAST(SESSION_START(ts, INTERVAL '4' SECOND) AS STRING)) AS session_start,
  UNIX_TIMESTAMP(CAST(SESSION_END(ts, INTERVAL '4' SECOND) AS STRING)) AS session_end,
  COUNT(*) AS records, CAST(SUM(amount) AS STRING) AS total
  FROM trades GROUP BY account, SESSION(ts, INTERVAL '4' SECOND)`
]

const inputOf = (lines: ReadonlyArray<TradeLine>) =>
  lines.map(({ account, at, shop, tip, value }) =>
    JSON.stringify({ account, amount: (JSON.parse(value) as { amount: string }).amount, tip, shop, at_ms: at })
  )

describe("Flink SQL, asked for the same windows", () => {
  it.live("tumbling and hopping, answers alike", () =>
    Effect.gen(function* () {
      const rows = yield* flinkSql(inputOf(lines), [
        table,
        query("TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '10' SECOND)"),
        query("HOP(TABLE trades, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '30' SECOND)")
      ])
      const queries = [...new Set(rows.map(({ q }) => q))].sort((a, b) => a - b)
      const [first, second] = queries.map((q) =>
        rows
          .filter((row) => row.q === q)
          .map(flinkText)
          .sort()
      )
      assert.deepStrictEqual(yield* ours(tumbling), first)
      assert.deepStrictEqual(yield* ours(hopping), second)
    })
  )

  it.live("sessions, answers alike, also where a pause is exactly the gap", () =>
    Effect.gen(function* () {
      const rows = yield* flinkSql(inputOf(onTime), [table, ...sessionQueries])
      const ours = yield* Effect.gen(function* () {
        const topic = { ...Trades, partitions: 1 }
        yield* append(topic, onTime)
        yield* runToEnd(visitsJob(sessions, topic), { epochRecords: 100 })
        const { late, retracted, standing } = yield* foundVisits
        assert.deepStrictEqual([late, retracted], [[], 0])
        return standing.map((visit) => {
          const { account, count, total, window_end, window_start } = JSON.parse(visit) as Record<string, string>
          const [start, end] = [Date.parse(window_start!) / 1000, Date.parse(window_end!) / 1000]
          return JSON.stringify([account, start, end, count, total])
        })
      }).pipe(Effect.provide(world))
      assert.isAbove(ours.length, 300)
      const queries = [...new Set(rows.map(({ q }) => q))]
      assert.strictEqual(queries.length, 2)
      for (const q of queries) {
        const theirs = rows
          .filter((each) => each.q === q)
          .map(({ row }) =>
            JSON.stringify([row["account"], row["session_start"], row["session_end"], row["records"], row["total"]])
          )
        assert.deepStrictEqual(ours.toSorted(), theirs.sort(), `query ${q}`)
      }
    })
  )
})
