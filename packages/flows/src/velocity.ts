/**
 * How much a customer pays in five minutes (the documents' first example): count and sum of each such window, as features
 * for a feature store, which a sink in `frazil.yaml` fills.
 *
 * A record up to five minutes late still counts, and revises its window. That is the length of a window, so that every
 * revision of one comes before the first result of the next: whoever keeps the newest record of a customer, as the store
 * does, has the newest window.
 */
import { count, Flow, Job, sum, Window } from "@frazil/engine"
import { FraudFeatures, Transactions } from "@frazil/model"

export const velocity = Job.make("velocity", [
  Flow.from(Transactions).pipe(
    Flow.eventTime("timestamp", { outOfOrderness: "5 seconds" }),
    Flow.keyBy("customer_id"),
    Flow.window(
      Window.tumbling("5 minutes", { allowedLateness: "5 minutes" }),
      { transaction_count_5min: count(), transaction_total_5min: sum("amount") },
      { name: "velocity" }
    ),
    Flow.to(FraudFeatures)
  )
])
