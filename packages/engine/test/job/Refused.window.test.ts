/** What `Job.make` refuses of windows, in its words, and the names that it derives for them. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { count, countDistinct, Flow, Job, sum, Window } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ account: Field.text(), amount: Field.decimal(12, 2), at: Field.timestamp })
) {}
class Counted extends Schema.Opaque<Counted>()(Schema.Struct({ account: Field.text(), count: Field.int() })) {}
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const Timeless = Topic.make("timeless", { schema: Payment, key: "account" })
const Counts = Topic.make("counts", { schema: Counted, key: "account" })

const minute = Window.tumbling("1 minute", { allowedLateness: "0s" })
const payments = Flow.from(Payments).pipe(Flow.keyBy("account"))

const counted = (window: Window<"event">, options: { readonly name?: string } = {}) =>
  payments.pipe(Flow.window(window, { count: count() }, options), Flow.to(Counts, options))

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

  it("is refused over records that have no time, whose fields code made up, or by the clock", () => {
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
    assert.include(problemsOf(counted(clock))[0], "windows by the clock do not run yet")
  })

  it("is refused when names clash, and when a window lies on a window", () => {
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
    const outer = inner.pipe(Flow.keyBy("account"), Flow.window(minute, { count: count() }, { name: "outer" }))
    assert.deepStrictEqual(problemsOf(outer.pipe(Flow.to(Counts))), [
      "outer: a window over the results of inner does not run yet; write those to a topic and window that"
    ])
    const nothing = payments.pipe(
      Flow.window(minute, {}),
      Flow.map(({ account }) => ({ account, count: 0 })),
      Flow.to(Counts)
    )
    assert.include(problemsOf(nothing)[0], "it computes nothing")
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
