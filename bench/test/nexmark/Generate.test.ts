/** The generated events: Nexmark's shares and ids, the same for the same seed. */
import { assert, describe, it } from "@effect/vitest"
import { type GenerateOptions, makeNexmark } from "../../src/nexmark/Generate.ts"

interface Event {
  readonly event_type: string
  readonly id?: number
  readonly auction?: number
  readonly date_time: string
}

const take = (count: number, options: GenerateOptions): ReadonlyArray<Event> => {
  const next = makeNexmark(options)
  return Array.from({ length: count }, () => JSON.parse(next()) as Event)
}

const sorted = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)

const timesOf = (events: ReadonlyArray<Event>) => events.map(({ date_time }) => Date.parse(date_time))

describe("Nexmark's generator", () => {
  it("gives of 50 events one person, three auctions and 46 bids, with ids that count up", () => {
    const events = take(500, { seed: 1 })
    const of = (kind: string) => events.filter(({ event_type }) => event_type === kind)
    assert.deepStrictEqual(
      of("person").map(({ id }) => id),
      Array.from({ length: 10 }, (_, index) => 1000 + index)
    )
    assert.deepStrictEqual(
      of("auction").map(({ id }) => id),
      Array.from({ length: 30 }, (_, index) => 1000 + index)
    )
    assert.strictEqual(of("bid").length, 460)
  })

  it("sends about half of the bids to the hot auction", () => {
    const bids = take(20_000, { seed: 2 }).filter(({ event_type }) => event_type === "bid")
    const hot = bids.filter(({ auction }) => auction! % 100 === 0).length
    assert.isAbove(hot / bids.length, 0.48)
    assert.isBelow(hot / bids.length, 0.54)
  })

  it("is the same for a seed, and another for another", () => {
    assert.deepStrictEqual(take(100, { seed: 3 }), take(100, { seed: 3 }))
    assert.notDeepEqual(take(100, { seed: 3 }), take(100, { seed: 4 }))
  })

  it("keeps time at its rate, and leaves the order within groups only", () => {
    const times = timesOf(take(3000, { seed: 5, rate: 100 }))
    assert.strictEqual(times.at(-1)! - times[0]!, 29_990)
    assert.deepStrictEqual(times, sorted(times))
    const mixed = timesOf(take(3000, { seed: 5, rate: 100, outOfOrderGroup: 100 }))
    assert.notDeepEqual(mixed, times)
    assert.deepStrictEqual(sorted(mixed), times)
    for (let from = 0; from < 3000; from += 100) {
      assert.deepStrictEqual(sorted(mixed.slice(from, from + 100)), times.slice(from, from + 100))
    }
  })
})
