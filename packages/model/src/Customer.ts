/**
 * Contract of `customers`: who is known, and what lending knows of them. The latest record of a key is the customer.
 *
 * `apps/generator` seeds it; the lending router joins applications with it.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

class Customer extends Schema.Opaque<Customer>()(
  Schema.Struct({
    customer_id: Field.text(),
    name: Field.personal(Field.text()),
    credit_score: Field.int(),
    /** A year's. */
    income: Field.decimal(12, 2),
    credit_limit: Field.decimal(12, 2),
    home_country: Field.alpha2,
    since: Field.date
  })
) {}

export const Customers = Topic.make("customers", { schema: Customer, key: "customer_id" })
