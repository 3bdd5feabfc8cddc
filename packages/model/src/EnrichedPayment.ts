/**
 * Contracts of `enriched-payments` and `large-claims`: payments with what the table of claims says about them.
 *
 * The claims job writes the first, which lands as `claims.enriched`; the large-claims job keeps those over a bound.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { PaymentEvent } from "./PaymentEvent.ts"

class EnrichedPayment extends Schema.Opaque<EnrichedPayment>()(
  Schema.Struct({
    ...PaymentEvent.fields,
    member_id: Field.text(),
    claim_amount: Field.decimal(10, 2),
    claim_status: Field.optional(Field.text()),
    enrichment_status: Field.oneOf(["SUCCESS"]),
    enrichment_timestamp: Field.timestamp
  })
) {}

export const EnrichedPayments = Topic.make("enriched-payments", {
  schema: EnrichedPayment,
  key: "claim_id",
  eventTime: "payment_date"
})

export const LargeClaims = Topic.make("large-claims", {
  schema: EnrichedPayment,
  key: "claim_id",
  eventTime: "payment_date"
})
