/**
 * Contract of `transactions`: a customer's payments as the documents' small example has them, for features of fraud.
 *
 * Not `raw-transactions`, which are whole: here is who paid how much to whom, and when. The velocity job reads them.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

class Transaction extends Schema.Opaque<Transaction>()(
  Schema.Struct({
    customer_id: Field.text(),
    amount: Field.decimal(18, 2),
    merchant_id: Field.text(),
    timestamp: Field.timestamp
  })
) {}

export const Transactions = Topic.make("transactions", {
  schema: Transaction,
  key: "customer_id",
  eventTime: "timestamp"
})
