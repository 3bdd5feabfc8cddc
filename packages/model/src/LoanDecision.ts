/**
 * Contract of `loan_decisions`: what was decided on an application, why, and by which rules.
 *
 * The enrichment job writes one for each application, whichever way it took; they land as `lending.decisions`.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

const Timings = Schema.Struct({
  /** From the application to its route. */
  routed_ms: Schema.Finite,
  /** From the route to the bureau's answer; null when nobody was asked. */
  looked_up_ms: Schema.NullOr(Schema.Finite),
  /** From the application to the decision. */
  decided_ms: Schema.Finite
})

class LoanDecision extends Schema.Opaque<LoanDecision>()(
  Schema.Struct({
    application_id: Field.uuid,
    customer_id: Field.optional(Field.text()),
    outcome: Field.oneOf(["approved", "declined", "referred"]),
    reasons: Field.json(Schema.Array(Schema.String)),
    score: Field.optional(Field.int()),
    score_source: Field.oneOf(["internal", "bureau", "none"]),
    rule_set: Field.text(),
    rule_version: Field.int({ min: 1 }),
    decided_at: Field.timestamp,
    timings: Field.json(Timings)
  })
) {}

export const LoanDecisions = Topic.make("loan_decisions", {
  schema: LoanDecision,
  key: "application_id",
  eventTime: "decided_at"
})
