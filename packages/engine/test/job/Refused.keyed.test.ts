/** What `Job.make` refuses of deduplications and rankings, in its words, and the names that it derives for them. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { count, Flow, Job, State, top, Window } from "../../src/index.ts"

class Bid extends Schema.Opaque<Bid>()(
  Schema.Struct({
    id: Field.text(),
    auction: Field.text(),
    price: Field.int(),
    odd: Field.boolean,
    at: Field.timestamp
  })
) {}
class Seen extends Schema.Opaque<Seen>()(Schema.Struct({ auction: Field.text() })) {}
const Bids = Topic.make("bids", { schema: Bid, key: "auction", eventTime: "at" })
const Timeless = Topic.make("timeless", { schema: Bid, key: "auction" })
const SeenTopic = Topic.make("seen", { schema: Seen, key: "auction" })

const problemsOf = (...outputs: ReadonlyArray<Flow.Output<unknown>>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

const bids = Flow.from(Bids).pipe(Flow.keyBy("auction"))
const first = { keep: "first", ttl: "1 hour" } as const
const best = { n: 3, by: "price", ttl: "1 hour" } as const
const end = Flow.to(SeenTopic) as (flow: Flow.Flow<Seen, never, unknown>) => Flow.Output<unknown>

describe("a job with deduplications and rankings", () => {
  it("is refused when bounds make no sense, and when fields are none", () => {
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.deduplicate(first)))), [])
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.deduplicate({ ...first, ttl: "0s" })))), [
      "deduplicate@bids: its ttl is nothing, so it would remember nothing: write how long it may"
    ])
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.deduplicate({ ...first, keysMax: 0, recordsHeldMax: 0 })))), [
      "deduplicate@bids: keysMax must be at least 1, found 0",
      "deduplicate@bids: recordsHeldMax must be at least 1, found 0"
    ])
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.deduplicate({ ...first, fields: ["odd"] })))), [
      "deduplicate@bids: it cannot tell records apart by odd, a Boolean field; choose a text or an integer"
    ])
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.topN({ ...best, n: 0 })))), [
      "topN@bids: it ranks 0 records; write a whole number from 1 to 1000"
    ])
    const window = Window.tumbling("1m", { allowedLateness: "0s" })
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.topN({ window, n: 5000, by: "price" })))), [
      'window(auction)@bids: "ranking" ranks 5000 records; write a whole number from 1 to 1000'
    ])
    assert.deepStrictEqual(
      problemsOf(end(bids.pipe(Flow.window(window, { best: top(2, { by: "odd" as "price" }) })))),
      ['window(auction)@bids: "best" cannot be the top of odd, a Boolean field']
    )
  })

  it("is refused without event time, and over what comes at a time of its own", () => {
    assert.deepStrictEqual(problemsOf(end(Flow.from(Timeless).pipe(Flow.keyBy("auction"), Flow.topN(best)))), [
      "topN@timeless: its rankings are forgotten by event time, but timeless has none; name the field with Flow.eventTime"
    ])
    const again = bids.pipe(Flow.deduplicate(first), Flow.topN(best))
    assert.include(
      problemsOf(end(again))[0],
      "topN@bids: the results of deduplicate@bids come by their own time; call Flow.keyBy between the two"
    )
  })

  const seen = { schema: Schema.Finite, ttl: "1 hour", entriesMax: 5 } as const
  const nothing = { onRecord: ({ auction }: Bid) => [{ auction }] }

  it("is refused when a process function's bounds make no sense", () => {
    const sound = { name: "sound", states: { seen: State.list(seen) } }
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.process(sound, nothing)))), [])
    const odd = {
      name: "odd",
      states: { seen: State.map({ ...seen, ttl: "0s", entriesMax: 0 }) },
      operational: { because: "" },
      keysMax: 0,
      timersPerKeyMax: 0,
      timersMax: Number.NaN
    }
    assert.deepStrictEqual(problemsOf(end(bids.pipe(Flow.process(odd, nothing)))), [
      "odd: the ttl of its state seen is nothing, so it would remember nothing: write how long it may",
      "odd: entriesMax of its state seen must be at least 1, found 0",
      "odd: keysMax must be at least 1, found 0",
      "odd: timersMax must be at least 1, found NaN",
      "odd: timersPerKeyMax must be at least 1, found 0",
      "odd: it goes by the clock, so its answers differ from run to run; write because of what that is good enough"
    ])
    const timeless = Flow.from(Timeless).pipe(Flow.keyBy("auction"), Flow.process(sound, nothing))
    assert.deepStrictEqual(problemsOf(end(timeless)), [
      "sound: its state is forgotten by event time, but timeless has none; name the field with Flow.eventTime"
    ])
    const first = bids.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour" }), Flow.process(sound, nothing))
    assert.include(
      problemsOf(end(first))[0],
      "the results of deduplicate@bids come by their own time; call Flow.keyBy between the two"
    )
  })

  it("is refused when it would decide by what goes by the clock", () => {
    const rules = { conditions: [expr<Seen>("auction == 'A'")], decide: (_: number, record: Seen) => record }
    const clock = Window.operational(Window.processing.tumbling("1m"), { because: "a display" })
    const windowed = bids.pipe(Flow.window(clock, { n: count() }), Flow.decide(rules))
    assert.deepStrictEqual(problemsOf(end(windowed)), [
      "decide@bids: it would decide by window(auction)@bids, which goes by the clock and answers differently each time it runs; decide by event time"
    ])
    const name = "timed"
    const timed = bids.pipe(
      Flow.process({ name, states: {}, operational: { because: "a display" } }, nothing),
      Flow.map((record) => record, { schema: Seen }),
      Flow.decide(rules)
    )
    assert.include(problemsOf(end(timed))[0], "it would decide by timed, which goes by the clock")
  })

  it("is refused when two states have one name", () => {
    const two = [end(bids.pipe(Flow.topN(best))), end(bids.pipe(Flow.topN({ ...best, n: 5 })))]
    assert.include(problemsOf(...two)[0], 'two operators are named "topN@bids"')
  })
})
