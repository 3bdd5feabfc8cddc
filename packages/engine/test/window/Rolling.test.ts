/** Rolling totals over days: what a record costs, what a key keeps, and what the totals come to, month after month. */
import type { Shard } from "../../src/run/Shard.ts"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../support/Chance.ts"
import { onStore } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, type Timing, trade, type TradeLine, Trades, tradesJob } from "../support/Trades.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 0, 1)

const month: Timing = {
  sizeMs: 30 * dayMs,
  everyMs: dayMs,
  latenessMs: 2 * dayMs,
  outOfOrdernessMs: hourMs,
  rolling: true
}

/** A hundred days of two accounts: one trades all the time, one on some days. */
const lines = (() => {
  const chance = makeChance(30)
  const found: Array<TradeLine> = []
  for (let minutes = 0; minutes < 100 * 24 * 60; minutes += 5 + chance.below(14)) {
    const account = chance.once(150) ? "B" : "A"
    const late = chance.once(20) ? chance.below(4) * dayMs : 0
    found.push(trade(account, startMs + minutes * 60_000 - late, BigInt(chance.below(10_000))))
  }
  return found
})()

describe("a 30-day total, told at the end of each day on which something happened", () => {
  it.live("is that of all its records, and costs a pane a day and key, and a result a day, whatever the overlap", () =>
    Effect.gen(function* () {
      const panesOfA: Array<number> = []
      let shards: ReadonlyArray<Shard> = []
      const watching = onStore((store) => ({
        writeNew: (name, bytes) => {
          const held = shards[0]!.context.windows[0]!.read?.("A", 0) as { readonly panes: ReadonlyArray<object> } // for people
          panesOfA.push(held.panes.length)
          return store.writeNew(name, bytes)
        }
      }))
      const observer = { started: (_: unknown, live: ReadonlyArray<Shard>) => void (shards = live) }
      // one partition: alone, B would lead its own by more than an hour
      const topic = { ...Trades, partitions: 1 }
      yield* append(topic, lines)
      yield* runToEnd(tradesJob(month, topic), { epochRecords: 500, checkpointEveryMs: 0, observer }).pipe(watching)
      const found = yield* foundOf
      const expected = expectedOf(lines, month, () => 0)
      assert.deepStrictEqual(found, expected)
      // A has a window for each day; B's are as many as its days
      assert.isAbove(found.windows.filter((each) => each.includes('"A"')).length, 95)
      const daysOfB = new Set(lines.flatMap(({ account, at }) => (account === "B" ? Math.floor(at / dayMs) : [])))
      assert.isAtMost(found.windows.filter((each) => each.includes('"B"')).length, daysOfB.size)
      assert.isAbove(panesOfA.length, 10)
      assert.isAbove(Math.max(...panesOfA), 30)
      // the window's, those that the lateness keeps, and today's
      assert.isAtMost(Math.max(...panesOfA), 30 + 2 + 1)
    }).pipe(Effect.provide(world))
  )
})
