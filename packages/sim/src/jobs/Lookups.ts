/**
 * A job with lookups for the simulator: orders enriched by a service that is slow, fails, hangs and throws as the seed says.
 *
 * What becomes of an order follows from its customer alone, so that a disturbed run must end as an undisturbed one: each
 * order once, in its topic, among the failed or in the dead letter.
 */
import { Field, Topic } from "@frazil/core"
import { Flow, Job, Lookup } from "@frazil/engine"
import { DeadLetters } from "@frazil/model"
import { Landing } from "@frazil/lake"
import { Context, Effect, Random, Schema } from "effect"
import type { Random as Chance } from "../generate/Random.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ id: Field.text(), customer: Field.text(), amount: Field.decimal(12, 2), at: Field.timestamp })
) {}
class Customer extends Schema.Opaque<Customer>()(Schema.Struct({ score: Field.int() })) {}
class Scored extends Schema.Opaque<Scored>()(
  Schema.Struct({ id: Field.text(), customer: Field.text(), amount: Field.decimal(12, 2), score: Field.int() })
) {}
class Unknown extends Schema.Opaque<Unknown>()(
  Schema.Struct({ id: Field.text(), customer: Field.text(), error: Field.text() })
) {}
export const Orders = Topic.make("orders", { schema: Order, key: "customer", eventTime: "at", partitions: 2 })
const ScoredOrders = Topic.make("scored-orders", { schema: Scored, key: "customer", partitions: 2 })
const UnknownCustomers = Topic.make("unknown-customers", { schema: Unknown, key: "customer", partitions: 1 })

class NoCustomer extends Schema.TaggedError<NoCustomer>()("NoCustomer", { message: Schema.String }) {}
class Busy extends Schema.TaggedError<Busy>()("Busy", { message: Schema.String }) {}
class Down extends Schema.TaggedError<Down>()("Down", { message: Schema.String }) {}

class Customers extends Lookup.Service<Customers, string, Customer, NoCustomer | Busy | Down>()(
  "@frazil/sim/Customers",
  {
    answer: Customer,
    failures: { NoCustomer: "absent", Busy: "overloaded", Down: "transient" },
    timeout: (message) => new Down({ message }),
    unavailable: (message) => new Down({ message })
  }
) {}

const policy = {
  capacity: 16,
  timeout: "2 seconds",
  retry: { first: "20ms", longest: "500ms" },
  breaker: { failures: 5, openFor: "300ms", probesMax: 2 }
} as const

export const lookups = Job.make("lookups", [
  Flow.from(Orders).pipe(
    Flow.filter(({ amount }) => amount.gt(1)),
    Flow.lookup(Customers, { key: "customer", policy }),
    Flow.orDeadLetter(UnknownCustomers, ({ _tag, record }) => ({
      id: record.id,
      customer: record.customer,
      error: _tag
    })),
    Flow.to(ScoredOrders)
  )
])

const customersMax = 30

/** Answers late, or not, or not yet, as the process's chance has it; what it answers in the end is the customer's. */
export const customers = Context.make(Customers, {
  lookup: (customer) =>
    Effect.gen(function* () {
      const mood = yield* Random.nextIntBetween(0, 12)
      yield* Effect.sleep(mood * mood * 3)
      if (mood === 0) return yield* Effect.never
      if (mood === 1) return yield* new Busy({ message: "too many calls" })
      if (mood === 2) return yield* new Down({ message: "not now" })
      const number = Number(customer.slice(1))
      if (number % 7 === 0) return yield* new NoCustomer({ message: "no such customer" })
      if (number % 11 === 0) return yield* Effect.die(new RangeError("a bug of the service"))
      return { score: 300 + number }
    })
})

export const lookupLandings = [
  Landing.make(ScoredOrders, { table: "orders.scored" }),
  Landing.make(DeadLetters, { table: "system.dead_letter" })
]

const startMs = Date.UTC(2026, 0, 14)

/** Orders of few customers; some lines are broken, some orders are too small to ask about. */
export const order = (random: Chance): (() => string) => {
  let number = 0
  return () => {
    const at = new Date(startMs + number * 1000).toISOString()
    const customer = `C${random.below(customersMax)}`
    const text = JSON.stringify({ id: `o${number++}`, customer, amount: `${random.below(20)}.50`, at })
    return random.below(13) === 0 ? text.slice(0, -5) : text
  }
}
