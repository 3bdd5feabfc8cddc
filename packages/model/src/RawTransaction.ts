/**
 * Contract of `raw-transactions`: card transactions as they arrive.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class RawTransaction extends Schema.Opaque<RawTransaction>()(
  Schema.Struct({
    transaction_id: Field.uuid,
    account_id: Field.text(),
    amount: Field.decimal(18, 2, { positive: true }),
    /** ISO-4217, by its form: three capital letters. */
    currency: Field.alpha3,
    type: Field.oneOf(["purchase", "refund", "withdrawal", "transfer"]),
    merchant_id: Field.text(),
    merchant_category: Field.text(),
    /** ISO-3166 alpha-2, by its form: two capital letters. */
    country: Field.alpha2,
    city: Field.text(),
    lat: Field.double({ min: -90, max: 90 }),
    lon: Field.double({ min: -180, max: 180 }),
    channel: Field.oneOf(["pos", "online", "atm", "mobile"]),
    device_id: Field.text(),
    ip: Field.text(),
    event_timestamp: Field.timestamp,
    /** Name of an injected fraud pattern, to measure detection by; rules cannot read it. */
    label: Field.hiddenFromRules(Field.optional(Field.text()))
  })
) {}

export const RawTransactions = Topic.make("raw-transactions", {
  schema: RawTransaction,
  key: "account_id",
  eventTime: "event_timestamp"
})
