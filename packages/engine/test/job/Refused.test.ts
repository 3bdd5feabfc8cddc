/** What `Job.make` refuses, in its words; the names it derives; and what it does not refuse. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Data, Result, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    amount: Field.decimal(12, 2),
    note: Field.optional(Field.text()),
    at: Field.timestamp
  })
) {}
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const Copies = Topic.make("copies", { schema: Payment, key: "account" })
const Letters = Topic.make("letters", { schema: Payment, key: "account" })
const payments = Flow.from(Payments)

class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}
class Long extends Data.TaggedError("Long")<{ readonly message: string }> {}

const failing = payments.pipe(
  Flow.mapResult((payment: Payment): Result.Result<Payment, Odd | Long> => Result.succeed(payment))
)

/** The problems that `make` throws; none when it makes a job. */
const problemsOf = (make: () => unknown): ReadonlyArray<string> => {
  try {
    make()
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}
const refused = (outputs: ReadonlyArray<Flow.Output>): ReadonlyArray<string> =>
  problemsOf(() => Job.make("job", outputs))

const state = (name: string, ttl: "1 day" | "0 days" = "1 day") => ({
  name,
  schema: Schema.Finite,
  initial: () => 0,
  ttl
})
const counted =
  (name: string, ttl?: "0 days") =>
  (flow: Flow.Flow<Payment, never, never, object>): Flow.Flow<Payment> =>
    flow.pipe(Flow.mapWithState(state(name, ttl), (count, payment: Payment) => [count + 1, [payment]] as const))
const byAccount = payments.pipe(Flow.keyBy("account"))

const namesOf = (outputs: ReadonlyArray<Flow.Output>) =>
  Job.make("names", outputs).graph.operators.map((operator) => operator.name)

describe("Job.make", () => {
  it("tells every problem at once, each with what to write instead", () => {
    const outputs = [
      payments.pipe(Flow.filter(expr("amont > 100")), Flow.to(Copies, { name: "same" })),
      payments.pipe(Flow.filter(expr("note")), Flow.to(Copies, { name: "same" })),
      payments.pipe(Flow.to(Payments))
    ]
    let message = ""
    try {
      Job.make("Big Job", outputs)
    } catch (error) {
      message = String(error)
    }
    assert.strictEqual(
      message,
      `JobRefused: job "Big Job" is refused:
  - filter@payments: no field "amont": did you mean "amount"?
    amont > 100
    ^^^^^
  - filter@payments#2: the result must be true or false, and this is a text: declare it with expr.string(…)
    note
    ^^^^
  - two operators are named "same" (to and to): give each its own name
  - to(payments)@payments: writes the topic that it reads, so it would never end
  - its name must be lower case letters, digits and dashes, begin with a letter, and have at most 63`
    )
  })

  it("refuses a job without outputs, and names that are no names", () => {
    assert.deepStrictEqual(refused([]), ["it has no output: end at least one flow in Flow.to or Flow.validate"])
    for (const name of ["", "Job", "9jobs", "a.b", "a/b", "../a", "a".repeat(64), "__proto__"]) {
      assert.strictEqual(problemsOf(() => Job.make(name, [payments.pipe(Flow.to(Copies))])).length, 1, name)
    }
    assert.deepStrictEqual(
      refused([
        payments.pipe(
          Flow.filter(() => true),
          Flow.named(""),
          Flow.to(Copies)
        )
      ]),
      ["an operator (filter) has an empty name: leave it out or write one"]
    )
  })

  it("shows an expression's problem with carets, also behind what changed the fields", () => {
    const [problem] = refused([
      payments.pipe(Flow.extend({ size: expr.number("1 + 1") }), Flow.filter(expr("size > 'a'")), Flow.to(Copies))
    ])
    assert.include(problem, "filter@payments: ")
    assert.include(problem, "\n  size > 'a'\n  ^")
    assert.include(
      refused([payments.pipe(Flow.extend({ amount: expr.decimal(2, "amount + nope") }), Flow.to(Copies))])[0],
      'no field "nope"'
    )
  })

  it("refuses an expression over records that code made, where no field is known", () => {
    assert.deepStrictEqual(
      refused([
        payments.pipe(
          Flow.map((payment) => payment),
          Flow.filter(expr("amount > 100")),
          Flow.to(Copies)
        )
      ]),
      [
        "filter@payments: an expression needs to know the record's fields, but code made these records; write a function instead"
      ]
    )
  })

  it("refuses two states of one name: their values would swap", () => {
    assert.deepStrictEqual(
      refused([byAccount.pipe(counted("count"), Flow.to(Copies)), byAccount.pipe(counted("count"), Flow.to(Letters))]),
      ['two operators are named "count" (mapWithState and mapWithState): give each its own name']
    )
  })

  it("refuses a topic that is declared twice, or that would be read twice", () => {
    const again = Topic.make("payments", { schema: Payment, key: "account" })
    assert.deepStrictEqual(
      refused([payments.pipe(Flow.to(Copies)), Flow.from(again).pipe(Flow.to(Copies, { name: "more" }))]),
      ["topic payments is declared 2 times in this job: use one Topic value for it"]
    )
    assert.deepStrictEqual(
      refused([
        payments.pipe(Flow.to(Copies)),
        payments.pipe(Flow.named("named"), Flow.filter(expr("amount > 1")), Flow.to(Letters))
      ]),
      ["topic payments would be read twice: leave Flow.named off Flow.from and name the operators after it"]
    )
  })

  it("refuses to write what it reads, as an output or as a dead letter", () => {
    assert.deepStrictEqual(
      refused([
        failing.pipe(
          Flow.orDeadLetter(Payments, ({ record }) => record),
          Flow.to(Copies)
        )
      ]),
      ["orDeadLetter(payments)@payments: writes the topic that it reads, so it would never end"]
    )
  })
})

describe("Job.make and routes", () => {
  it("refuses branches behind Flow.otherwise and branches that JavaScript would move", () => {
    const { big, rest } = payments.pipe(Flow.route({ rest: Flow.otherwise, big: expr("amount > 100") }))
    assert.deepStrictEqual(refused([big.pipe(Flow.to(Copies)), rest.pipe(Flow.to(Letters))]), [
      'route@payments: branch "big" comes after Flow.otherwise, which takes every record: write it before'
    ])
    const numbered = payments.pipe(Flow.route({ b: expr("amount > 2"), "1": expr("amount > 1") }))
    assert.deepStrictEqual(refused([numbered["1"].pipe(Flow.to(Copies))]), [
      'route@payments: branch "1" is a number, which JavaScript moves before other names: begin it with a letter'
    ])
  })
})

describe("Job.make and event time", () => {
  it("refuses Flow.eventTime behind a filter, and two event times of one topic (rule 11)", () => {
    const late = payments.pipe(
      Flow.filter(() => true),
      Flow.eventTime("at", { outOfOrderness: "1s" })
    )
    assert.deepStrictEqual(refused([late.pipe(Flow.to(Copies))]), [
      "eventTime@payments: the watermark is stamped before filters; move Flow.eventTime right behind Flow.from"
    ])
    const first = payments.pipe(Flow.eventTime("at", { outOfOrderness: "1s" }))
    const second = payments.pipe(Flow.eventTime("at", { outOfOrderness: "2s" }))
    assert.deepStrictEqual(refused([first.pipe(Flow.to(Copies)), second.pipe(Flow.to(Letters))]), [
      "topic payments has two event times in this job: declare one and use that flow twice"
    ])
  })
})

describe("Job.make and keyed state", () => {
  it("refuses a key field that was replaced after it is keyed; before, the records go to the new key's place", () => {
    const replaced = { account: expr.string("'x'") }
    const problem =
      "extend@payments: replaces account, which count is keyed by; call Flow.keyBy behind it, or write the new value to another field"
    assert.deepStrictEqual(refused([byAccount.pipe(Flow.extend(replaced), counted("count"), Flow.to(Copies))]), [
      problem
    ])
    assert.deepStrictEqual(
      refused([payments.pipe(Flow.extend(replaced), Flow.keyBy("account"), counted("count"), Flow.to(Letters))]),
      []
    )
    // the time is no text, so no topic with that key could take it; the types see it at Flow.to, this at the stamp
    const stamped = byAccount.pipe(Flow.stamp("account")) as unknown as typeof byAccount
    assert.deepStrictEqual(refused([stamped.pipe(counted("count"), Flow.to(Copies))]), [
      "stamp@payments: replaces account, which count is keyed by; call Flow.keyBy behind it, or write the new value to another field"
    ])
  })

  it("refuses a cache of no number of bytes", () => {
    const store = { disk: { cacheBytesMax: Number.NaN } }
    const onDisk = byAccount.pipe(
      Flow.mapWithState({ ...state("count"), store }, (count, payment: Payment) => [count, [payment]] as const)
    )
    assert.deepStrictEqual(refused([onDisk.pipe(Flow.to(Copies))]), ["count: its cacheBytesMax is no number of bytes"])
  })

  it("refuses state without event time, and state that would remember nothing", () => {
    const Timeless = Topic.make("timeless", { schema: Payment, key: "account" })
    assert.deepStrictEqual(
      refused([Flow.from(Timeless).pipe(Flow.keyBy("account"), counted("count"), Flow.to(Copies))]),
      ["count: its state is forgotten by event time, but timeless has none; name the field with Flow.eventTime"]
    )
    assert.deepStrictEqual(refused([byAccount.pipe(counted("count", "0 days"), Flow.to(Copies))]), [
      "count: its ttl is nothing, so it would remember nothing: write how long it may"
    ])
    // the types refuse it as well
    const unkeyed = payments as unknown as typeof byAccount
    assert.deepStrictEqual(refused([unkeyed.pipe(counted("count"), Flow.to(Copies))]), [
      "count: its state needs a key; call Flow.keyBy before it"
    ])
  })
})

describe("Job.make and failures", () => {
  const open =
    "mapResult@payments: its failures are still open where the flow is used twice, so both would handle them; handle them before"

  it("refuses failures that two consumers would handle", () => {
    const handled = (to: typeof Copies) =>
      failing.pipe(
        Flow.filter(() => true),
        Flow.orDeadLetter(Letters, ({ record }) => record),
        Flow.to(to)
      )
    assert.deepStrictEqual(refused([handled(Copies), handled(Copies)]).slice(0, 1), [open])
    const half = failing.pipe(Flow.catchTag("Odd", ({ record }) => record))
    const rest = () => half.pipe(Flow.catchTag("Long", ({ record }) => record))
    assert.deepStrictEqual(refused([rest().pipe(Flow.to(Copies)), rest().pipe(Flow.to(Letters))]), [open])
  })

  it("takes failures that were handled before the flow is used twice or routed", () => {
    const caught = failing.pipe(Flow.catchTag(["Odd", "Long"], ({ record }) => record))
    assert.deepStrictEqual(refused([caught.pipe(Flow.to(Copies)), caught.pipe(Flow.to(Letters))]), [])
    const { first, rest } = caught.pipe(Flow.route({ first: (payment) => payment.id === "", rest: Flow.otherwise }))
    const again = rest.pipe(
      Flow.mapResult((payment: Payment): Result.Result<Payment, Odd> => Result.succeed(payment)),
      Flow.catchTag("Odd", ({ record }) => record)
    )
    assert.deepStrictEqual(refused([first.pipe(Flow.to(Copies)), again.pipe(Flow.to(Letters))]), [])
  })
})

describe("the names of operators", () => {
  it("are derived from what they do and what they read, and numbered in the order of the outputs", () => {
    assert.deepStrictEqual(
      namesOf([
        payments.pipe(Flow.filter(expr("amount > 1")), Flow.keyBy("account"), counted("count"), Flow.to(Copies)),
        payments.pipe(Flow.filter(expr("amount > 2")), Flow.to(Copies)),
        Flow.validate(payments)
      ]),
      [
        "payments",
        "filter@payments",
        "keyBy(account)@payments",
        "count",
        "to(copies)@payments",
        "filter@payments#2",
        "to(copies)@payments#2",
        "validate@payments"
      ]
    )
  })

  it("are the given ones where they are given", () => {
    assert.deepStrictEqual(
      namesOf([payments.pipe(Flow.filter(expr("amount > 1")), Flow.named("big"), Flow.to(Copies, { name: "kept" }))]),
      ["payments", "big", "kept"]
    )
  })

  it("belong to nodes: a flow used twice is one operator with two consumers", () => {
    const big = payments.pipe(Flow.filter(expr("amount > 1")))
    const { graph } = Job.make("shared", [big.pipe(Flow.to(Copies)), big.pipe(Flow.to(Letters)), Flow.validate(big)])
    assert.deepStrictEqual(
      graph.operators.map(({ consumers, name }) => [name, consumers]),
      [
        ["payments", [1]],
        ["filter@payments", [2, 3, 4]],
        ["to(copies)@payments", []],
        ["to(letters)@payments", []],
        ["validate@payments", []]
      ]
    )
  })
})
