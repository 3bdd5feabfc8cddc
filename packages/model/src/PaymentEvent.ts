/**
 * Contract of `payment-events`: payments on claims, before anybody looked the claim up.
 *
 * `apps/generator` makes them; the claims job reads them.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class PaymentEvent extends Schema.Opaque<PaymentEvent>()(
  Schema.Struct({
    payment_id: Field.text(),
    claim_id: Field.text(),
    payment_amount: Field.decimal(12, 2),
    payment_date: Field.timestamp,
    processor_id: Field.text()
  })
) {}

export const PaymentEvents = Topic.make("payment-events", {
  schema: PaymentEvent,
  key: "claim_id",
  eventTime: "payment_date"
})
