/** Control totals: exact beyond a safe integer, the same whatever the batching and crashes, told by monitor and progress. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { addTotals } from "../../src/run/ControlTotals.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, type Line, runToEnd, world } from "../support/Harness.ts"

class Transfer extends Schema.Opaque<Transfer>()(
  Schema.Struct({
    account: Field.text(),
    amount: Field.decimal(30, 2),
    fee: Field.optional(Field.decimal(10, 3)),
    score: Field.double(),
    at: Field.timestamp
  })
) {}
const Transfers = Topic.make("transfers", { schema: Transfer, key: "account", eventTime: "at", partitions: 2 })
const Copies = Topic.make("copies", { schema: Transfer, key: "account", partitions: 1 })

const transfers = Flow.from(Transfers)
const job = Job.make("totals", [
  transfers.pipe(Flow.total("all", { sum: "amount" })),
  transfers.pipe(Flow.filter(expr("amount < 0")), Flow.total("negative", { sum: "amount" })),
  transfers.pipe(Flow.total("fees", { sum: "fee" })),
  transfers.pipe(Flow.filter(expr("account == 'A1'")), Flow.total("of one")),
  transfers.pipe(Flow.to(Copies))
])

/** Cents as a decimal text. */
const textOf = (cents: bigint, scale: number): string => {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(scale + 1, "0")
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const count = 120
// some beyond 2^53, some negative, every eleventh broken
const amounts = Array.from({ length: count }, (_, index) =>
  index % 3 === 0 ? BigInt(index) * 10n ** 20n + 7n : BigInt(index * 37) - 2000n
)
const lines = amounts.map((amount, index): Line => {
  const fee = index % 2 === 0 ? "null" : `"0.${String(index).padStart(3, "0")}"`
  const at = new Date(Date.UTC(2026, 0, 14) + index * 1000).toISOString()
  const value = `{"account":"A${index % 3}","amount":"${textOf(amount, 2)}","fee":${fee},"score":1.5,"at":"${at}"}`
  return { key: `A${index % 3}`, value: index % 11 === 10 ? value.slice(0, -4) : value }
})
const valid = amounts.flatMap((amount, index) => (index % 11 === 10 ? [] : [{ amount, index }]))
const sum = (values: ReadonlyArray<bigint>) => values.reduce((all, each) => all + each, 0n)
const negative = valid.filter(({ amount }) => amount < 0n)
const expected = {
  all: { records: valid.length, sum: textOf(sum(valid.map(({ amount }) => amount)), 2) },
  negative: { records: negative.length, sum: textOf(sum(negative.map(({ amount }) => amount)), 2) },
  fees: {
    records: valid.length,
    sum: textOf(sum(valid.map(({ index }) => (index % 2 === 0 ? 0n : BigInt(index)))), 3)
  },
  "of one": { records: valid.filter(({ index }) => index % 3 === 1).length, sum: null }
}

describe("control totals", () => {
  it.effect("are exact, and the same as what is committed", () =>
    Effect.gen(function* () {
      yield* append(Transfers, lines)
      const monitor = Job.monitor()
      yield* runToEnd(job, { epochRecords: 7, observer: monitor })
      assert.deepStrictEqual(monitor.status()[0]?.totals, expected)
      const [stage] = yield* Job.progress([job])
      assert.deepStrictEqual(stage?.counts.totals, expected)
    }).pipe(Effect.provide(world))
  )

  for (const name of epochPoints) {
    it.live(`count each record once when the job crashes at ${name}`, () =>
      Effect.gen(function* () {
        yield* append(Transfers, lines)
        for (const nth of [2, 3]) yield* Effect.exit(runToEnd(job, { epochRecords: 20 }).pipe(crashAt(name, nth)))
        const monitor = Job.monitor()
        yield* runToEnd(job, { epochRecords: 20, observer: monitor })
        assert.deepStrictEqual(monitor.status()[0]?.totals, expected)
      }).pipe(Effect.provide(world))
    )
  }

  it.effect("send what code made of a whole number to the dead letter instead of counting it", () =>
    Effect.gen(function* () {
      const Halves = Topic.make("halves", {
        schema: Schema.Struct({ account: Field.text(), half: Field.int() }),
        key: "account"
      })
      const halved = Job.make("halved", [
        transfers.pipe(
          Flow.map(({ account }) => ({ account, half: account === "A1" ? 0.5 : 1 }), { schema: Halves.schema }),
          Flow.total("halves", { sum: "half" })
        )
      ])
      yield* append(Transfers, lines)
      const monitor = Job.monitor()
      yield* runToEnd(halved, { observer: monitor })
      const whole = valid.length - expected["of one"].records
      assert.deepStrictEqual(monitor.status()[0]?.totals, { halves: { records: whole, sum: String(whole) } })
      assert.strictEqual(monitor.status()[0]?.failed, expected["of one"].records)
    }).pipe(Effect.provide(world))
  )

  it("are refused where there is no exact sum", () => {
    const problemsOf = (output: Flow.Output) => {
      try {
        Job.make("job", [output])
        return []
      } catch (error) {
        if (error instanceof Job.Refused) return error.problems
        throw error
      }
    }
    assert.deepStrictEqual(problemsOf(transfers.pipe(Flow.total("t", { sum: "score" }))), [
      "t: score is a Double field, which has no exact sum: add up decimals or whole numbers"
    ])
    const made = transfers.pipe(Flow.map(({ amount }) => ({ amount })))
    assert.deepStrictEqual(problemsOf(made.pipe(Flow.total("t", { sum: "amount" }))), [
      "t: it adds up amount of records that nobody describes: give the Flow.map before it a schema"
    ])
    assert.deepStrictEqual(problemsOf(made.pipe(Flow.total("t"))), [])
    // what types refuse, said to those who have none
    const unknown = { sum: "none" as "amount" }
    assert.deepStrictEqual(problemsOf(transfers.pipe(Flow.total("t", unknown))), [
      "t: it adds up none, which its records do not have"
    ])
  })

  it("add up over shards, also of versions with another scale", () => {
    const one = { a: { records: 1, sum: "1.50" }, b: { records: 2, sum: null } }
    const other = { a: { records: 2, sum: "-2.125" }, c: { records: 1, sum: "3" } }
    assert.deepStrictEqual(addTotals(one, other), {
      a: { records: 3, sum: "-0.625" },
      b: { records: 2, sum: null },
      c: { records: 1, sum: "3" }
    })
    assert.strictEqual(addTotals(undefined, undefined), undefined)
  })
})
