/**
 * Lending (system S1): each application takes the way of known customers or the way over the credit bureau, and is decided.
 *
 * `lending-router` joins applications with the customers that there are; `lending-enrichment` decides on known customers'
 * by what lending knows of them, and on the rest by the bureau's score, which who runs it provides. While the bureau is
 * unavailable applications wait; what it refuses goes to a person; an answer that makes no sense is a failed application.
 */
import { Field, type Timestamp, expr } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import {
  Customers,
  ExternalChecks,
  FailedApplications,
  InternalChecks,
  LoanApplications,
  LoanDecisions
} from "@frazil/model"
import { Schema } from "effect"
import { externalRules, firstReason, internalRules, outcomeOf, type OutcomeRules } from "./LendingRules.ts"
import { Bureau } from "./lookups/Bureau.ts"

const { known, unknown } = Flow.from(LoanApplications).pipe(
  Flow.joinTable(Customers, { on: "customer_id", take: ["credit_score"] }),
  Flow.route({ known: Flow.has("credit_score"), unknown: Flow.otherwise })
)

export const lendingRouter = Job.make("lending-router", [
  known.pipe(Flow.stamp("routed_at"), Flow.extend({ route_reason: () => "known customer" }), Flow.to(InternalChecks)),
  unknown.pipe(
    Flow.stamp("routed_at"),
    Flow.extend({
      route_reason: ({ customer_id }) => ((customer_id ?? null) === null ? "no customer" : "customer not known")
    }),
    Flow.to(ExternalChecks)
  )
])

/** What a decision is made of, whichever way the application took. */
interface Decidable {
  readonly application_id: string
  readonly customer_id?: string | null | undefined
  readonly applied_at: Timestamp
  readonly routed_at: Timestamp
  readonly decided_at: Timestamp
  readonly reason: string
}

const decision = (
  rules: OutcomeRules,
  record: Decidable,
  score: number | null,
  source: "internal" | "bureau",
  lookedUpMs: number | null
) => ({
  application_id: record.application_id,
  customer_id: record.customer_id ?? null,
  outcome: outcomeOf(rules, record.reason),
  reasons: [record.reason],
  score,
  score_source: score === null ? ("none" as const) : source,
  rule_set: rules.id,
  rule_version: rules.version,
  decided_at: record.decided_at,
  timings: {
    routed_ms: record.routed_at - record.applied_at,
    looked_up_ms: lookedUpMs,
    decided_ms: record.decided_at - record.applied_at
  }
})

/** An application that the bureau answered, or refused to answer: what the rules read, and no personal field. */
class Scored extends Schema.Opaque<Scored>()(
  Schema.Struct({
    application_id: Field.uuid,
    customer_id: Field.optional(Field.text()),
    amount: Field.decimal(12, 2),
    applied_at: Field.timestamp,
    routed_at: Field.timestamp,
    score: Field.optional(Field.int()),
    looked_up_at: Field.timestamp
  })
) {}

const codes = {
  BureauInvalidAnswer: "BUREAU_INVALID_ANSWER",
  BureauTimeout: "BUREAU_TIMEOUT",
  BureauUnavailable: "BUREAU_UNAVAILABLE"
} as const

export const lendingEnrichment = Job.make("lending-enrichment", [
  Flow.from(InternalChecks).pipe(
    Flow.joinTable(Customers, { on: "customer_id", take: ["credit_score", "income", "credit_limit"] }),
    Flow.stamp("decided_at"),
    Flow.extend({ reason: expr.string(firstReason(internalRules)) }),
    Flow.map((record) => decision(internalRules, record, record.credit_score, "internal", null)),
    Flow.to(LoanDecisions)
  ),
  Flow.from(ExternalChecks).pipe(
    Flow.lookup(Bureau, {
      key: "ssn",
      policy: { order: "unordered", timeout: "10 seconds", whileUnavailable: "wait" }
    }),
    Flow.catchTag("BureauRejected", ({ record }) => ({ ...record, score: null })),
    Flow.orDeadLetter(FailedApplications, ({ _tag, attempts, error, record }) => ({
      ...record,
      error: codes[_tag],
      attempts,
      message: error.message
    })),
    Flow.stamp("looked_up_at"),
    Flow.map(
      (record): Scored => ({
        application_id: record.application_id,
        customer_id: record.customer_id ?? null,
        amount: record.amount,
        applied_at: record.applied_at,
        routed_at: record.routed_at,
        score: record.score,
        looked_up_at: record.looked_up_at
      }),
      { schema: Scored }
    ),
    Flow.stamp("decided_at"),
    Flow.extend({ reason: expr.string(firstReason(externalRules)) }),
    Flow.map((record) =>
      decision(externalRules, record, record.score ?? null, "bureau", record.looked_up_at - record.routed_at)
    ),
    Flow.to(LoanDecisions)
  )
])
