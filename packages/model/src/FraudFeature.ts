/**
 * Contract of `fraud-features`: what a customer's transactions of five minutes come to, for a feature store.
 *
 * The velocity job makes them; a field is named as the feature that it becomes.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

class FraudFeature extends Schema.Opaque<FraudFeature>()(
  Schema.Struct({
    customer_id: Field.text(),
    window_start: Field.timestamp,
    /** Exclusive. */
    window_end: Field.timestamp,
    /** 0 is the window's first result; a record that comes late gives the next. */
    revision: Field.int({ min: 0 }),
    transaction_count_5min: Field.int({ min: 1 }),
    transaction_total_5min: Field.decimal(38, 2)
  })
) {}

export const FraudFeatures = Topic.make("fraud-features", {
  schema: FraudFeature,
  key: "customer_id",
  eventTime: "window_start"
})
