/**
 * Flink SQL's answers for the same deduplications and rankings over the same records: equal, once its retractions are set off.
 *
 * One file, one thread, no record late. Flink breaks ties by arrival; so that it breaks them as we do, its rankings name event
 * time and arrival besides.
 */
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Bids, type BidsCase, bidsJob, foundBids, randomBids } from "../support/Bids.ts"
import { makeChance } from "../support/Chance.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const of: BidsCase = { ttlMs: 86_400_000, n: 3, order: "desc", outOfOrdernessMs: 3000, windowMs: 10_000 }
const lines = randomBids(makeChance(5), 3000, 2900)

const input = lines.map(({ at, auction, bidder, id, price }) =>
  JSON.stringify({ id, auction, bidder, price: price === null ? null : Number(price), at_ms: at })
)

const table = `CREATE TABLE bids (id BIGINT, auction STRING, bidder STRING, price BIGINT, at_ms BIGINT,
  ts AS TO_TIMESTAMP_LTZ(at_ms, 3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '\${FILE}', 'format' = 'json')`

const first = (order: string) => `SELECT auction, bidder, id FROM (SELECT *,
  ROW_NUMBER() OVER (PARTITION BY auction, bidder ORDER BY ts ${order}) AS n FROM bids) WHERE n = 1`

const ties = "ORDER BY price DESC, at_ms ASC, id ASC"

const top = `SELECT auction, n, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ${ties}) AS n
  FROM bids WHERE price IS NOT NULL) WHERE n <= 3`

const windowTop = `SELECT auction, UNIX_TIMESTAMP(CAST(window_end AS STRING)) * 1000 AS window_end, n, id FROM (SELECT *,
  ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ${ties}) AS n
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE price IS NOT NULL) WHERE n <= 3`

/** What stands when what was taken back is gone, by the query's place among them. */
const standingOf = (rows: ReadonlyArray<FlinkRow>, place: number): ReadonlyArray<string> => {
  const queries = [...new Set(rows.map(({ q }) => q))].sort((a, b) => a - b)
  const counts = new Map<string, number>()
  for (const { op, q, row } of rows) {
    if (q !== queries[place]) continue
    const text = Object.values(row).join(" ")
    counts.set(text, (counts.get(text) ?? 0) + (op.startsWith("-") ? -1 : 1))
  }
  assert.isTrue([...counts.values()].every((count) => count === 0 || count === 1))
  return [...counts].flatMap(([text, count]) => (count === 1 ? [text] : [])).sort()
}

/** Of each key what its highest revision tells. */
const lastOf = (tellings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const last = new Map<string, readonly [revision: number, told: string]>()
  for (const text of tellings) {
    const [auction, key, told, revision] = text.split(" ") as [string, string, string, string]
    if ((last.get(`${auction} ${key}`)?.[0] ?? -1) < Number(revision))
      last.set(`${auction} ${key}`, [Number(revision), told])
  }
  return [...last].map(([key, [, told]]) => `${key} ${told}`).sort()
}

describe("Flink SQL, asked for the same", () => {
  it.live("first and last records and rankings, answers alike", () =>
    Effect.gen(function* () {
      const rows = yield* flinkSql(input, [table, first("ASC"), first("DESC"), top, windowTop])
      const found = yield* Effect.gen(function* () {
        const topic = { ...Bids, partitions: 1 }
        yield* append(topic, lines)
        yield* runToEnd(bidsJob(of, topic), { epochRecords: 100 })
        return yield* foundBids
      }).pipe(Effect.provide(world))
      assert.deepStrictEqual(found.late, [])
      assert.deepStrictEqual(lastOf(found.firsts), standingOf(rows, 0))
      assert.deepStrictEqual(lastOf(found.lasts), standingOf(rows, 1))
      assert.deepStrictEqual(lastOf(found.tops), standingOf(rows, 2))
      assert.isAbove(found.windowTops.length, 300)
      assert.deepStrictEqual([...found.windowTops], standingOf(rows, 3))
    })
  )
})
