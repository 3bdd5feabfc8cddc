/**
 * A stateful job to simulate: running totals per account, and a copy of every large payment; all its topics land.
 */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { days, Landing } from "@frazil/lake"
import { DeadLetters } from "@frazil/model"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"

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

export const accounts = Job.make("accounts", [
  payments.pipe(
    Flow.keyBy("account"),
    Flow.mapWithState(
      { name: "totals", schema: State, initial: () => ({ count: 0, total: 0 }), ttl: "1 hour" },
      (state, payment) => {
        const next = { count: state.count + 1, total: state.total + payment.cents }
        return [next, [{ account: payment.account, id: payment.id, ...next }]]
      }
    ),
    Flow.to(Totals)
  ),
  payments.pipe(Flow.filter(expr("cents > 500")), Flow.to(Large))
])

export const accountLandings = [
  Landing.make(Payments, { table: "accounts.payments", partition: [days("at")] }),
  Landing.make(Totals, { table: "accounts.totals" }),
  Landing.make(DeadLetters, { table: "system.dead_letter", partition: [days("failed_at")] })
]

const startMs = Date.UTC(2026, 0, 14)
/** Some pauses are longer than state lives. */
const pausesMs = [1_000, 1_000, 1_000, 60_000, 5_000_000]

/** Payments over a few accounts; some lines are broken. */
export const payment = (random: Random): (() => string) => {
  let number = 0
  let atMs = startMs
  return () => {
    atMs += pausesMs[random.below(pausesMs.length)]!
    const at = new Date(atMs).toISOString()
    const text = JSON.stringify({ id: `p${number++}`, account: `A${random.below(7)}`, cents: random.below(1_000), at })
    return random.below(13) === 0 ? text.slice(0, -5) : text
  }
}
