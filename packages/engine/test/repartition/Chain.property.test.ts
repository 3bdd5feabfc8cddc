/** Windows over the results of windows, through two internal topics: complete whatever the order, batching and restarts. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, sum, Window } from "../../src/index.ts"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { byShop, TradesByShop } from "../support/Repartitioned.ts"
import { randomTrades, type TradeLine } from "../support/Trades.ts"

class Part extends Schema.Opaque<Part>()(
  Schema.Struct({ side: Field.text(), account: Field.text(), trades: Field.int(), total: Field.decimal(38, 2) })
) {}
class SideTotal extends Schema.Opaque<SideTotal>()(
  Schema.Struct({
    side: Field.text(),
    window_end: Field.timestamp,
    revision: Field.int(),
    results: Field.int(),
    trades: Field.double(),
    total: Field.decimal(38, 2)
  })
) {}
const SideTotals = Topic.make("side-totals", { schema: SideTotal, key: "side", partitions: 2 })

const innerMs = 10_000
const outerMs = 30_000
const sideOf = (account: string) => (account < "A2" ? "left" : "right")

const chain = (latenessMs: number, partitions: number) =>
  Job.make("chain", [
    Flow.from(TradesByShop).pipe(
      Flow.eventTime("at", { outOfOrderness: "2s" }),
      Flow.keyBy("account", { name: "accounts", partitions }),
      Flow.window(
        Window.tumbling(`${innerMs}ms`, { allowedLateness: `${latenessMs}ms`, once: true }),
        { trades: count(), total: sum("amount") },
        { name: "inner" }
      ),
      Flow.map(({ account, total, trades }): Part => ({ side: sideOf(account), account, trades, total }), {
        schema: Part
      }),
      Flow.keyBy("side", { name: "sides" }),
      Flow.window(
        Window.tumbling(`${outerMs}ms`, { allowedLateness: "0s" }),
        { results: count(), trades: sum("trades"), total: sum("total") },
        { name: "outer" }
      ),
      Flow.to(SideTotals)
    )
  ])

const expectedOf = (lines: ReadonlyArray<TradeLine>) => {
  const sides = new Map<string, { readonly inner: Set<string>; trades: number; cents: bigint }>()
  for (const { account, at, cents } of lines) {
    const end = (Math.floor(at / outerMs) + 1) * outerMs
    const name = `${sideOf(account)} ${new Date(end).toISOString()}`
    const side = sides.get(name) ?? { inner: new Set(), trades: 0, cents: 0n }
    sides.set(name, side)
    side.inner.add(`${account} ${Math.floor(at / innerMs)}`)
    side.trades++
    side.cents += cents
  }
  return Array.from(sides, ([name, { cents, inner, trades }]) => `${name} ${inner.size} ${trades} ${cents}`).sort()
}

const foundOf = Effect.map(readAll("side-totals"), (lines) =>
  lines
    .map(({ value }) => {
      const [, total] = /"total":"?(-?[0-9.]+)/.exec(value)!
      const each = JSON.parse(value) as Record<string, unknown>
      assert.strictEqual(each["revision"], 0)
      const cents = BigInt(total!.includes(".") ? total!.replace(/\.(\d)$/, ".$10").replace(".", "") : `${total}00`)
      return `${String(each["side"])} ${String(each["window_end"])} ${String(each["results"])} ${String(each["trades"])} ${cents}`
    })
    .sort()
)

describe("a window over the results of windows", () => {
  for (const latenessMs of [0, 8000]) {
    it.live(`that take records ${latenessMs} late has all of them, each once, in the window that they end in`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= casesOf(3); seed++) {
          const chance = makeChance(latenessMs + seed)
          // as far out of order as the inner windows still take
          const lines = randomTrades(chance, 150, 2000 + latenessMs).map(byShop)
          const job = chain(latenessMs, 1 + chance.below(4))
          const options = {
            epochRecords: chance.pick([1, 7, 50]),
            checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
          }
          yield* Effect.gen(function* () {
            yield* append(TradesByShop, lines)
            for (let crashes = chance.below(3); crashes > 0; crashes--)
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(30))))
            yield* runToEnd(job, options)
            assert.deepStrictEqual(yield* foundOf, expectedOf(lines), `seed ${seed}`)
            assert.deepStrictEqual(yield* readAll("ledger"), [], `seed ${seed}: nothing is late`)
          }).pipe(Effect.provide(world))
        }
      })
    )
  }
})
