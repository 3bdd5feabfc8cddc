/** What `Job.make` refuses of windows, in its words, and the names that it derives for them. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { collect, count, countDistinct, first, Flow, Job, sum, Window } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ account: Field.text(), amount: Field.decimal(12, 2), at: Field.timestamp })
) {}
class Counted extends Schema.Opaque<Counted>()(Schema.Struct({ account: Field.text(), count: Field.int() })) {}
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const Timeless = Topic.make("timeless", { schema: Payment, key: "account" })
const Counts = Topic.make("counts", { schema: Counted, key: "account" })

const minute = Window.tumbling("1 minute", { allowedLateness: "0s" })
const payments = Flow.from(Payments).pipe(Flow.keyBy("account"))

const counted = (
  window: Window<"event", "final" | "early" | "retractable">,
  options: Parameters<typeof Flow.window>[2] = {}
) => payments.pipe(Flow.window(window, { count: count() }, options), Flow.to(Counts, options))

/** The problems of a job of these outputs. */
const problemsOf = (...outputs: ReadonlyArray<Flow.Output>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

describe("a job with windows", () => {
  it("is refused when a window has no length, leaves gaps, or is made of too many panes", () => {
    const none = "window(account)@payments: its window has no length"
    assert.deepStrictEqual(problemsOf(counted(Window.tumbling("0s", { allowedLateness: "0s" }))), [none])
    const gaps = counted(Window.hopping("1 minute", { every: "2 minutes", allowedLateness: "0s" }))
    assert.include(problemsOf(gaps)[0], "so that every record is in one")
    const fine = counted(Window.hopping("30 days", { every: "1s", allowedLateness: "0s" }))
    assert.include(problemsOf(fine)[0], "made of 2592000 panes, at most 100000")
    const shut = counted(Window.tumbling("1m", { allowedLateness: "0s", windowsOpenMax: 0 }))
    assert.include(problemsOf(shut)[0], "must be at least 1")
  })

  it("is refused on disk when it is read from too many panes, or its cache is no number", () => {
    const store = "disk"
    const fine = counted(Window.hopping("1 hour", { every: "1s", allowedLateness: "0s" }), { store })
    assert.include(problemsOf(fine)[0], "would be read from 3600 panes, at most 1000")
    const cacheless = counted(minute, { store: { disk: { cacheBytesMax: Number.NaN } } })
    assert.include(problemsOf(cacheless)[0], "its cacheBytesMax is no number of bytes")
    for (const of of [minute, Window.rolling("30 days", { every: "1 day", allowedLateness: "0s" })])
      assert.deepStrictEqual(problemsOf(counted(of, { store })), [])
  })

  it("is refused over records that have no time, whose fields code made up, or by the clock with no reason", () => {
    const timeless = Flow.from(Timeless).pipe(Flow.keyBy("account"))
    const problem = "window(account)@timeless: its windows are of event time, but timeless has none"
    assert.include(
      problemsOf(timeless.pipe(Flow.window(minute, { count: count() }), Flow.to(Counts)))[0],
      `${problem}; name the field with Flow.eventTime`
    )
    const made = Flow.from(Payments).pipe(
      Flow.map((payment: Payment) => ({ ...payment })),
      Flow.keyBy("account")
    )
    const total = made.pipe(Flow.window(minute, { count: count(), total: sum("amount") }), Flow.to(Counts))
    assert.include(problemsOf(total)[0], '"total" needs to know the field amount, but code made these records')
    assert.deepStrictEqual(problemsOf(made.pipe(Flow.window(minute, { count: count() }), Flow.to(Counts))), [])
    const clock = Window.operational(Window.processing.tumbling("1m"), { because: "a display" })
    assert.deepStrictEqual(problemsOf(counted(clock)), [])
    assert.deepStrictEqual(problemsOf(timeless.pipe(Flow.window(clock, { count: count() }), Flow.to(Counts))), [])
    const silent = Window.operational(Window.processing.tumbling("1m"), { because: " " })
    assert.deepStrictEqual(problemsOf(counted(silent)), [
      "window(account)@payments: its windows go by the clock, so their results differ from run to run; declare with Window.operational because of what that is good enough, or use event time"
    ])
  })

  it("is refused when names clash, and when a window lies on a window that tells results twice", () => {
    const clash = payments.pipe(
      Flow.window(minute, { count: count(), count_capped: count(), revision: count() }),
      Flow.to(Counts)
    )
    assert.deepStrictEqual(problemsOf(clash), [
      "window(account)@payments: its result would have two fields revision; name the aggregate otherwise"
    ])
    const capped = payments.pipe(
      Flow.window(minute, { count: count(), at: countDistinct("account", { valuesMax: 3 }), at_capped: count() }),
      Flow.to(Counts)
    )
    assert.include(problemsOf(capped)[0], "two fields at_capped")
    const inner = payments.pipe(Flow.window(minute, { count: count() }, { name: "inner" }))
    const outer = inner.pipe(
      Flow.keyBy("account", { name: "again" }),
      Flow.window(minute, { count: count() }, { name: "outer" })
    )
    assert.deepStrictEqual(problemsOf(outer.pipe(Flow.to(Counts))), [])
    const unkeyed = (inner as unknown as typeof payments).pipe(
      Flow.window(minute, { count: count() }, { name: "outer" })
    )
    assert.deepStrictEqual(problemsOf(unkeyed.pipe(Flow.to(Counts))), [
      "outer: the results of inner come by their own time; call Flow.keyBy between the two"
    ])
    const nothing = payments.pipe(
      Flow.window(minute, {}),
      Flow.map(({ account }) => ({ account, count: 0 })),
      Flow.to(Counts)
    )
    assert.include(problemsOf(nothing)[0], "it computes nothing")
  })

  it("is refused when sessions have no gap, may not last as long as it, or early results come too late to be early", () => {
    const options = { allowedLateness: "0s" } as const
    assert.include(problemsOf(counted(Window.session("0s", { ...options, max: "1d" })))[0], "its sessions have no gap")
    const short = counted(Window.session("30 minutes", { ...options, max: "20 minutes" }))
    assert.include(problemsOf(short)[0], 'write a "max" that is longer, such as "1 day"')
    assert.deepStrictEqual(problemsOf(counted(Window.session("30 minutes", { ...options, max: "1 day" }))), [])
    const late = counted(Window.tumbling("1 minute", { ...options, early: "1 minute" }))
    assert.include(problemsOf(late)[0], 'write an "early" shorter than it, or leave it out')
    assert.include(
      problemsOf(counted(Window.tumbling("1m", { ...options, early: "0s" })))[0],
      "early results must come"
    )
    const gaps = counted(Window.rolling("1 minute", { ...options, every: "2 minutes" }))
    assert.include(problemsOf(gaps)[0], "so that every record is in one")
    const shut = counted(Window.session("1m", { ...options, max: "1d", windowsOpenPerKeyMax: 0 }))
    assert.include(problemsOf(shut)[0], "must be at least 1")
  })

  it("is refused when an aggregate is named as a field that its kind of window has, or takes a field of another kind", () => {
    const session = Window.session("1m", { allowedLateness: "0s", max: "1d" })
    const named = payments.pipe(Flow.window(session, { count: count(), retracted: count() }), Flow.to(Counts))
    assert.include(problemsOf(named)[0], "two fields retracted; name the aggregate otherwise")
    const early = Window.tumbling("1m", { allowedLateness: "0s", early: "10s" })
    const marked = payments.pipe(Flow.window(early, { count: count(), early: count() }), Flow.to(Counts))
    assert.include(problemsOf(marked)[0], "two fields early; name the aggregate otherwise")
    const fine = payments.pipe(Flow.window(minute, { count: count(), early: first("account") }), Flow.to(Counts))
    assert.deepStrictEqual(problemsOf(fine), [])
    const listed = payments.pipe(
      Flow.window(minute, { count: count(), all: collect("account", { valuesMax: 2 }), all_capped: count() }),
      Flow.to(Counts)
    )
    assert.include(problemsOf(listed)[0], "two fields all_capped")
    const lied = collect<{ readonly account: string }, "account">("amount" as "account", { valuesMax: 2 }) // as code that lies about its types does
    const amounts = payments.pipe(Flow.window(minute, { count: count(), all: lied }), Flow.to(Counts))
    assert.include(problemsOf(amounts)[0], '"all" cannot be the collect of amount, a Decimal field')
    assert.throws(
      () => collect<Payment, "account">("account", { valuesMax: 0 }),
      "valuesMax must be an integer of at least 1, found 0"
    )
  })

  it("is refused when a session's result may be taken back and the topic it goes to cannot say so", () => {
    const late = Window.session("30 minutes", { allowedLateness: "1 hour", max: "1 day" })
    const results = payments.pipe(Flow.window(late, { count: count() }, { name: "visits" }))
    assert.deepStrictEqual(problemsOf(results.pipe(Flow.stamp("seen_at"), Flow.to(Counts))), [
      'visits: late records take its results back, but counts has no field retracted to tell that; add Field.boolean under that name, handle such results before, or write allowedLateness: "0s"'
    ])
    const handled = results.pipe(
      Flow.filter(({ retracted }) => !retracted),
      Flow.to(Counts)
    )
    assert.deepStrictEqual(problemsOf(handled), [])
    class Marked extends Schema.Opaque<Marked>()(
      Schema.Struct({ account: Field.text(), count: Field.int(), retracted: Field.boolean })
    ) {}
    const marked = Topic.make("marked", { schema: Marked, key: "account" })
    assert.deepStrictEqual(problemsOf(results.pipe(Flow.to(marked))), [])
  })

  it("names a window by its key and topic; two of one name are refused, since a number would swap their states", () => {
    assert.deepStrictEqual(problemsOf(counted(minute)), [])
    const [problem] = problemsOf(counted(minute), counted(minute))
    assert.include(problem, 'two operators are named "window(account)@payments"')
    assert.deepStrictEqual(problemsOf(counted(minute), counted(minute, { name: "second" })), [
      'two operators are named "second" (window and to): give each its own name'
    ])
  })
})
