// The job of the recovery tests: counts and sums per account, and a copy of every large payment. Beside it the same
// answers from a plain loop that shares no code with the engine.
import { expr, Field, Topic } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { type Line, readAll } from "./Harness.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ id: Field.text(), account: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
class Running extends Schema.Opaque<Running>()(
  Schema.Struct({ account: Field.text(), id: Field.text(), count: Field.int(), total: Field.int() })
) {}

export const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at", partitions: 3 })
const Totals = Topic.make("totals", { schema: Running, key: "account", partitions: 2 })
const Large = Topic.make("large", { schema: Payment, key: "account", partitions: 2 })

const State = Schema.Struct({ count: Schema.Finite, total: Schema.Finite })
const payments = Flow.from(Payments)

const jobOf = (store: Flow.StateStore) =>
  Job.make("accounts", [
    payments.pipe(
      Flow.keyBy("account"),
      Flow.mapWithState(
        { name: "totals", schema: State, initial: () => ({ count: 0, total: 0 }), ttl: "30 days", store },
        (state, payment) => {
          const next = { count: state.count + 1, total: state.total + payment.cents }
          return [next, [{ account: payment.account, id: payment.id, ...next }]]
        }
      ),
      Flow.to(Totals)
    ),
    payments.pipe(Flow.filter(expr("cents > 500")), Flow.to(Large))
  ])

export const accounts = jobOf("memory")
/** The same with its state on disk, in a cache in which nothing stays. */
export const accountsOnDisk = jobOf({ disk: { cacheBytesMax: 0 } })

const startMs = Date.UTC(2026, 0, 14)

/** `count` payments over a few accounts; every 13th line is broken. */
export const paymentLines = (count: number, from = 0): ReadonlyArray<Line> =>
  Array.from({ length: count }, (_, index) => {
    const i = from + index
    const account = `A${(i * 7) % 5}`
    const at = new Date(startMs + i * 1000).toISOString()
    const value = JSON.stringify({ id: `p${i}`, account, cents: (i * 37) % 1000, at })
    return { key: account, value: i % 13 === 12 ? value.slice(0, -5) : value }
  })

export interface Expected {
  readonly totals: ReadonlyArray<string>
  readonly large: ReadonlyArray<string>
  readonly deadLetters: number
}

/** What the topics must hold, sorted. */
export const expectedOf = (lines: ReadonlyArray<Line>): Expected => {
  const sums = new Map<string, { count: number; total: number }>()
  const totals: Array<string> = []
  const large: Array<string> = []
  let deadLetters = 0
  for (const { value } of lines) {
    let payment: { id: string; account: string; cents: number }
    try {
      payment = JSON.parse(value)
    } catch {
      deadLetters++
      continue
    }
    const before = sums.get(payment.account) ?? { count: 0, total: 0 }
    const after = { count: before.count + 1, total: before.total + payment.cents }
    sums.set(payment.account, after)
    totals.push(JSON.stringify({ account: payment.account, id: payment.id, ...after }))
    if (payment.cents > 500) large.push(value)
  }
  return { totals: totals.sort(), large: large.sort(), deadLetters }
}

/** Fails the test unless the topics hold exactly the answers to `lines`: each once, nothing torn. */
export const assertAnswers = Effect.fnUntraced(function* (lines: ReadonlyArray<Line>, what = "answers") {
  const expected = expectedOf(lines)
  const totals = (yield* readAll("totals")).map((line) => line.value)
  const large = (yield* readAll("large")).map((line) => line.value)
  assert.deepStrictEqual(totals.toSorted(), expected.totals, what)
  assert.deepStrictEqual(large.toSorted(), expected.large, what)
  const letters = yield* readAll("dead-letter")
  const places = new Set(letters.map((line) => line.value.replace(/"message".*/, "")))
  assert.strictEqual(letters.length, expected.deadLetters, what)
  assert.strictEqual(places.size, expected.deadLetters, what)
})
