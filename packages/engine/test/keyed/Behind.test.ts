/** Behind a `keyBy`, what is kept once is counted, ranked and processed: no record of it is late. */
import { Field, Topic } from "@frazil/core"
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, Window } from "../../src/index.ts"
import { Bids, randomBids } from "../support/Bids.ts"
import { makeChance } from "../support/Chance.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

class Counted extends Schema.Opaque<Counted>()(
  Schema.Struct({ bidder: Field.text(), window_start: Field.timestamp, bids: Field.int() })
) {}
const CountedTopic = Topic.make("counted", { schema: Counted, key: "bidder" })

const job = Job.make("behind", [
  Flow.from(Bids).pipe(
    Flow.eventTime("at", { outOfOrderness: "3 seconds" }),
    Flow.keyBy("auction"),
    Flow.deduplicate({ keep: "first", fields: ["bidder"], ttl: "10 seconds", name: "first" }),
    Flow.keyBy("bidder", { name: "bidders" }),
    Flow.window(Window.tumbling("20 seconds", { allowedLateness: "0s" }), { bids: count() }),
    Flow.to(CountedTopic)
  )
])

it.live("a window behind a deduplication counts every first record once", () =>
  Effect.gen(function* () {
    const lines = randomBids(makeChance(3), 300, 2900)
    const firsts: Array<(typeof lines)[number]> = []
    for (const line of lines.toSorted((left, right) => left.at - right.at || left.id - right.id)) {
      const covered = firsts.some(
        ({ at, auction, bidder }) => auction === line.auction && bidder === line.bidder && line.at < at + 10_000
      )
      if (!covered) firsts.push(line)
    }
    const expected = new Map<string, number>()
    for (const { at, bidder } of firsts) {
      const window = `${bidder} ${new Date(Math.floor(at / 20_000) * 20_000).toISOString()}`
      expected.set(window, (expected.get(window) ?? 0) + 1)
    }
    yield* append(Bids, lines)
    yield* runToEnd(job)
    assert.deepStrictEqual(yield* Effect.orElseSucceed(readAll("ledger"), () => []), [])
    const found = (yield* readAll("counted")).map(({ value }) => JSON.parse(value) as Record<string, string | number>)
    assert.deepStrictEqual(
      found.map(({ bidder, bids, window_start }) => `${bidder} ${window_start} ${bids}`).sort(),
      Array.from(expected, ([window, bids]) => `${window} ${bids}`).sort()
    )
    assert.isAbove(found.length, 15)
  }).pipe(Effect.provide(world))
)
