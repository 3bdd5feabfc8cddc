/**
 * A bank as a chain of jobs: transfers become postings, these by account and minute movements; movements become running
 * balances by one job, and by another the sum of a window over all accounts.
 */
import { Field, Topic } from "@frazil/core"
import { count, Flow, Job, sum, Window } from "@frazil/engine"
import { Schema } from "effect"
import { disorderMs, windowMs } from "./Transfers.ts"

const Transfer = Schema.Struct({
  id: Field.text(),
  from: Field.text(),
  to: Field.text(),
  cents: Field.int(),
  at: Field.timestamp
})
const Posting = Schema.Struct({ account: Field.text(), cents: Field.int(), at: Field.timestamp })
class Movement extends Schema.Opaque<Movement>()(
  Schema.Struct({ account: Field.text(), window_end: Field.timestamp, cents: Field.double(), postings: Field.int() })
) {}
class Balance extends Schema.Opaque<Balance>()(
  Schema.Struct({ account: Field.text(), window_end: Field.timestamp, cents: Field.double() })
) {}
class Total extends Schema.Opaque<Total>()(
  Schema.Struct({ window: Field.text(), cents: Field.double(), postings: Field.double(), accounts: Field.int() })
) {}
const Windowed = Schema.Struct({
  window: Field.text(),
  cents: Field.double(),
  postings: Field.int(),
  window_end: Field.timestamp
})

export const Transfers = Topic.make("transfers", { schema: Transfer, key: "id", eventTime: "at" })
export const Movements = Topic.make("movements", { schema: Movement, key: "account", eventTime: "window_end" })
export const Balances = Topic.make("balances", { schema: Balance, key: "account" })
export const Totals = Topic.make("bank-totals", { schema: Total, key: "window" })

const window = Window.tumbling(`${windowMs}ms`, { allowedLateness: "0s" })

const postings = Job.make("bank-postings", [
  Flow.from(Transfers).pipe(
    Flow.eventTime("at", { outOfOrderness: `${disorderMs}ms` }),
    Flow.flatMap(
      ({ at, cents, from, to }) => [
        { account: from, cents: -cents, at },
        { account: to, cents, at }
      ],
      { schema: Posting }
    ),
    Flow.keyBy("account", { name: "accounts" }),
    Flow.window(window, { cents: sum("cents"), postings: count() }, { name: "movements" }),
    Flow.to(Movements)
  )
])

const balances = Job.make("bank-balances", [
  Flow.from(Movements).pipe(
    Flow.keyBy("account"),
    Flow.mapWithState(
      { name: "balance", schema: Schema.Finite, initial: () => 0, ttl: "3650 days" },
      (before, { account, cents, window_end }) => [before + cents, [{ account, window_end, cents: before + cents }]]
    ),
    Flow.to(Balances)
  )
])

const totals = Job.make("bank-totals", [
  Flow.from(Movements).pipe(
    Flow.eventTime("window_end", { outOfOrderness: "0s" }),
    Flow.map(
      ({ cents, postings, window_end }) => ({
        window: new Date(window_end).toISOString(),
        cents,
        postings,
        window_end
      }),
      { schema: Windowed }
    ),
    Flow.keyBy("window", { name: "windows" }),
    Flow.window(window, { cents: sum("cents"), postings: sum("postings"), accounts: count() }, { name: "totals" }),
    Flow.to(Totals)
  )
])

export const bankJobs = [postings, balances, totals] as const
