/**
 * Contract of `loan_applications`: what a merchant asks for on a buyer's behalf.
 *
 * `apps/generator` makes them; the lending router reads them. A known customer's applications meet in one partition with
 * the customer's record; an unknown applicant's have their own id as key.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class LoanApplication extends Schema.Opaque<LoanApplication>()(
  Schema.Struct({
    application_id: Field.uuid,
    customer_id: Field.optional(Field.text()),
    ssn: Field.personal(Field.digits9),
    amount: Field.decimal(12, 2),
    /** ISO-4217, by its form: three capital letters. */
    currency: Field.alpha3,
    merchant_id: Field.text(),
    term_months: Field.int({ min: 1 }),
    /** ISO-3166 alpha-2, by its form: two capital letters. */
    country: Field.alpha2,
    applied_at: Field.timestamp
  })
) {}

/** The key of everything that is about one application before it is decided. */
export const applicationKey = { field: "customer_id", else: "application_id" } as const

export const LoanApplications = Topic.make("loan_applications", {
  schema: LoanApplication,
  key: applicationKey,
  eventTime: "applied_at"
})
