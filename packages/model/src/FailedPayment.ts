/**
 * Contract of `failed-payments`: payments whose claim was not found or could not be asked for, to be sent again.
 *
 * The claims job writes it; it lands as `claims.failed`, and operators redrive it once the reason is gone.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { PaymentEvent } from "./PaymentEvent.ts"

class FailedPayment extends Schema.Opaque<FailedPayment>()(
  Schema.Struct({
    ...PaymentEvent.fields,
    enrichment_status: Field.oneOf(["CLAIM_NOT_FOUND", "DB_ERROR", "DB_TIMEOUT"]),
    /** For people; holds no value of the record. */
    reason: Field.text(),
    attempts: Field.int({ min: 0 }),
    enrichment_timestamp: Field.timestamp
  })
) {}

export const FailedPayments = Topic.make("failed-payments", {
  schema: FailedPayment,
  key: "claim_id",
  eventTime: "payment_date"
})
