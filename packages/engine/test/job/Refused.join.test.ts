/** What `Job.make` refuses of joins of two flows, in its words, and the names that it derives for them. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { count, Flow, Job, Lookup, Pattern, Window } from "../../src/index.ts"
import { runToEnd, worldWithoutLedger } from "../support/Harness.ts"

class Event extends Schema.Opaque<Event>()(
  Schema.Struct({ account: Field.text(), kind: Field.text(), amount: Field.int(), at: Field.timestamp })
) {}
class Sum extends Schema.Opaque<Sum>()(Schema.Struct({ account: Field.text() })) {}
const Events = Topic.make("events", { schema: Event, key: "account", eventTime: "at" })
const Others = Topic.make("others", { schema: Event, key: "account", eventTime: "at" })
class Numbers extends Schema.Opaque<Numbers>()(
  Schema.Struct({ account: Field.int(), kind: Field.text(), amount: Field.int(), at: Field.timestamp })
) {}
const Numbered = Topic.make("numbered", { schema: Numbers, key: "account", eventTime: "at" })
const Timeless = Topic.make("timeless", { schema: Event, key: "account" })
const Sums = Topic.make("sums", { schema: Sum, key: "account" })

class Risk extends Schema.Opaque<Risk>()(Schema.Struct({ score: Field.int() })) {}
class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}
class Risks extends Lookup.Service<Risks, string, Risk, Gone>()("test/Risks", {
  answer: Risk,
  failures: { Gone: "final" },
  timeout: (message) => new Gone({ message }),
  unavailable: (message) => new Gone({ message })
}) {}

/** The problems of a job of these outputs. */
const problemsOf = (...outputs: ReadonlyArray<Flow.Output<unknown>>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

const from = (topic: Topic<Event, string>) => Flow.from(topic).pipe(Flow.keyBy("account"))
const events = from(Events)
const name = "joinInterval(account)@events"
const near = { lower: "-1m", upper: "1m" } as const
const account = (one: { readonly account: string }) => ({ account: one.account })

type Options = Flow.IntervalOptions<"inner" | "left" | "full">
const meeting = (options: Options = near, right: typeof events = events) =>
  events.pipe(
    Flow.joinInterval(right, options, (one, other) => account((one ?? other)!)),
    Flow.to(Sums, options.name === undefined ? {} : { name: `${options.name} out` })
  )

describe("a job with joins of two flows", () => {
  it("is refused when an expression of its result asks for a field that no side has", () => {
    const asking = (source: string) =>
      events.pipe(Flow.joinInterval(events, near, { account: expr.string(source) }), Flow.to(Sums))
    assert.deepStrictEqual(problemsOf(asking("left.account")), [])
    for (const source of ["account", "left.acount", "other.account"]) {
      const [problem] = problemsOf(asking(source))
      assert.include(problem, `${name}: `)
      assert.include(problem, `no field "${source}"`)
    }
  })

  it("is refused when times and bounds make no sense", () => {
    assert.deepStrictEqual(problemsOf(meeting()), [])
    assert.deepStrictEqual(problemsOf(meeting({ lower: "1m", upper: "-1m" })), [
      `${name}: its lower is after its upper, so no two records could meet; write the earlier one as lower`
    ])
    assert.deepStrictEqual(problemsOf(meeting({ ...near, recordsPerKeyMax: 0 })), [
      `${name}: recordsPerKeyMax and recordsHeldMax must be at least 1`
    ])
    assert.deepStrictEqual(problemsOf(meeting({ ...near, store: "disk" })), [])
    assert.deepStrictEqual(problemsOf(meeting({ ...near, store: { disk: { cacheBytesMax: Number.NaN } } })), [
      `${name}: its cacheBytesMax is no number of bytes`
    ])
    const asOf = events.pipe(Flow.joinAsOf(events, { ttl: "0s" }, account), Flow.to(Sums))
    assert.deepStrictEqual(problemsOf(asOf), [
      "joinAsOf(account)@events: its ttl is nothing, so it would remember nothing: write how long it may"
    ])
  })

  it("is refused over two topics when their keys differ in type, or want topics of other sizes", () => {
    assert.deepStrictEqual(problemsOf(meeting(near, from(Others))), [])
    const numbered = Flow.from(Numbered).pipe(Flow.keyBy("account")) as unknown as typeof events // as plain JavaScript may
    assert.deepStrictEqual(problemsOf(meeting(near, numbered)), [
      "joinInterval(account)@events+numbered: account is Text on its left side and Int on its right; give both the same type"
    ])
    const sized = (topic: Topic<Event, string>, partitions: number) =>
      Flow.from(topic).pipe(Flow.keyBy("account", { partitions }))
    const differ = sized(Events, 2).pipe(Flow.joinInterval(sized(Others, 3), near, account), Flow.to(Sums))
    assert.deepStrictEqual(problemsOf(differ), [
      "keyBy(account)@events and keyBy(account)@others share a topic, but want 2 and 3 partitions; write one number"
    ])
    const coded = Flow.from(Others).pipe(
      Flow.map(({ at, account }) => ({ at, account })),
      Flow.keyBy("account")
    )
    assert.deepStrictEqual(problemsOf(events.pipe(Flow.joinInterval(coded, near, account), Flow.to(Sums))), [
      "keyBy(account)@others: its records go through a topic, but code made them, so that nobody knows their fields; give Flow.map a schema before it"
    ])
  })

  it("is refused over records without time, and by a key that one side alone was brought to", () => {
    const timeless = from(Timeless)
    const joined = timeless.pipe(Flow.joinInterval(timeless, near, account), Flow.to(Sums))
    assert.include(problemsOf(joined)[0], "its records meet by event time, but timeless has none")
    const byKind = Flow.from(Events).pipe(Flow.keyBy("kind"))
    const other = byKind.pipe(Flow.joinInterval(byKind, near, account), Flow.to(Sums))
    // both sides go through one topic
    assert.deepStrictEqual(problemsOf(other), [])
    const replaced = events.pipe(Flow.extend({ account: () => "x" }), Flow.keyBy("account"))
    assert.include(
      problemsOf(events.pipe(Flow.joinInterval(replaced, near, account), Flow.to(Sums))).join("\n"),
      `${name}: keyBy(account)@events and keyBy(account)@events#2 cannot share a topic, since one side is made of what the topic of the other brings; key that other side once more right before the join`
    )
  })

  it("is refused when nobody knows what a result has, or a condition does not check", () => {
    const made = events.pipe(
      Flow.map(({ account }) => ({ account, other: 1 })),
      Flow.keyBy("account")
    )
    assert.deepStrictEqual(problemsOf(events.pipe(Flow.joinInterval(made, near), Flow.to(Sums))), [])
    assert.deepStrictEqual(problemsOf(events.pipe(Flow.joinInterval(made, { ...near, kind: "left" }), Flow.to(Sums))), [
      `${name}: code made the records of its right side, so nobody knows which fields are null without them; give the join a function that makes its result`
    ])
    const loose = Flow.joinInterval as unknown as (right: unknown, options: object) => (self: unknown) => typeof events
    const both = events.pipe(loose(events, near), Flow.to(Sums)) // as plain JavaScript may
    assert.include(problemsOf(both), `${name}: both sides have kind; give the join a function that makes its result`)
    const deleted = events.pipe(
      Flow.joinAsOf(events, { ttl: "1d", deleted: expr("amont == 0") }, account),
      Flow.to(Sums)
    )
    assert.include(problemsOf(deleted)[0], "right of joinAsOf@events: ")
    assert.include(problemsOf(deleted)[0], "amont")
  })

  it("is refused when a topic cannot say that a result is taken back", () => {
    const table = events.pipe(Flow.joinLatest(events, { ttl: "1d" }, account), Flow.to(Sums))
    assert.deepStrictEqual(problemsOf(table), [
      "joinLatest(account)@events: it takes back the result of a key that has none any more, but sums has no field retracted to tell that; add Field.boolean under that name, or handle such results before"
    ])
    const handled = events.pipe(
      Flow.joinLatest(events, { ttl: "1d" }, account),
      Flow.filter(({ retracted }) => !retracted),
      Flow.to(Sums)
    )
    assert.deepStrictEqual(problemsOf(handled), [])
  })

  it("is refused behind a window, a pattern, a lookup and another join; and those behind it", () => {
    const window = Window.tumbling("1m", { allowedLateness: "0s" })
    const counted = events.pipe(
      Flow.window(window, { count: count() }, { name: "inner" }),
      Flow.keyBy("account", { name: "results" })
    )
    const twice = Pattern.on(Events).begin("one", expr("amount > 1")).times(2).within("1m")
    const matched = events.pipe(Flow.pattern(twice, { name: "inner" }), Flow.keyBy("account", { name: "results" }))
    const joined = events.pipe(
      Flow.joinInterval(events, { ...near, name: "inner" }, account),
      Flow.keyBy("account", { name: "results" })
    )
    for (const inner of [counted, matched, joined]) {
      const problems = problemsOf(
        (inner as typeof joined).pipe(Flow.joinInterval(events, { ...near, name: "outer" }, account), Flow.to(Sums))
      )
      // the stage would read what it makes of what it reads
      assert.include(problems.join("\n"), "outer: results and keyBy(account)@events cannot share a topic")
    }
    const latest = events.pipe(
      Flow.joinLatest(events, { ttl: "1d", name: "inner" }, account),
      Flow.map(account, { schema: Sum }),
      Flow.keyBy("account", { name: "again" })
    )
    const problems = problemsOf(
      latest.pipe(Flow.window(window, { count: count() }, { name: "outer" }), Flow.to(Sums))
    ).join("\n")
    const risky = problemsOf(
      joined.pipe(
        Flow.lookup(Risks, { key: "account", name: "risks" }),
        Flow.catchTag("Gone", ({ record }) => record),
        Flow.to(Sums, { name: "risky" })
      )
    ).join("\n")
    assert.include(problems, "again: the results of the join inner take each other's place")
    assert.include(risky, "risks: a lookup over the results of inner does not run yet")
    const behind = events.pipe(
      Flow.lookup(Risks, { key: "account", name: "risks" }),
      Flow.catchTag("Gone", ({ record }) => record),
      Flow.keyBy("account"),
      Flow.joinInterval(events, { ...near, name: "outer" }, account),
      Flow.to(Sums)
    )
    assert.include(problemsOf(behind).join("\n"), "and keyBy(account)@events cannot share a topic")
    // through a topic of its own, it reads what the other side is made of
    const again = events.pipe(Flow.keyBy("account", { repartition: true, name: "again" }))
    const kept = counted.pipe(
      Flow.joinInterval(again, { ...near, name: "outer" }, account),
      Flow.to(Sums, { name: "kept" })
    )
    assert.deepStrictEqual(problemsOf(kept), [])
  })

  it("names a join by its key and topic; two of one name are refused, since a number would swap their states", () => {
    assert.include(problemsOf(meeting(), meeting({ ...near, upper: "2m" }))[0], `two operators are named "${name}"`)
    assert.deepStrictEqual(problemsOf(meeting(), meeting({ ...near, name: "second" })), [])
  })

  it.live("does not run without a ledger", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(runToEnd(Job.make("job", [meeting()])))
      assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("need a Ledger"))
    }).pipe(Effect.provide(worldWithoutLedger))
  )
})
