import { FailedApplications, FailedPayments, LoanApplications, PaymentEvents, RawTransactions } from "@frazil/model"
import { noRules, type RuleSet } from "@frazil/rules"
import type { Decimal } from "@frazil/core"
import { abroad } from "./abroad.ts"
import { claimsCachedDefault, largeClaimsOverDefault, makeClaims, makeLargeClaims } from "./claims.ts"
import { lendingEnrichment, lendingRouter } from "./lending.ts"
import { security } from "./security.ts"
import { sessionSummaries } from "./sessions.ts"
import { transactions } from "./transactions.ts"
import { velocity } from "./velocity.ts"

export { Bureau, bureauFailures, BureauWire } from "./lookups/Bureau.ts"
export { Claim, claimFailures, claimProblem, Claims } from "./lookups/Claims.ts"

export { claimsCachedDefault, largeClaimsOverDefault, makeClaims, makeLargeClaims } from "./claims.ts"
export { security } from "./security.ts"
export { lendingEnrichment, lendingRouter } from "./lending.ts"
export { sessionSummaries } from "./sessions.ts"

/** The topics that rules may be about. */
export const ruleTopics = [RawTransactions]

/** What whoever runs the flows may say of them; each has a default. */
export interface FlowSettings {
  readonly largeClaimsOver?: Decimal<2>
  /** Claims whose answers are kept; 0 for none. */
  readonly claimsCached?: number
}

/** Flows by the name that `--jobs` takes; each holds one or more jobs, which judge by the rules they are given. */
export const makeFlows = (rules: RuleSet, settings: FlowSettings = {}) =>
  ({
    transactions: [transactions(rules)],
    lending: [lendingRouter, lendingEnrichment],
    claims: [
      makeClaims(settings.claimsCached ?? claimsCachedDefault),
      makeLargeClaims(settings.largeClaimsOver ?? largeClaimsOverDefault)
    ],
    security: [security],
    sessions: [sessionSummaries],
    velocity: [velocity],
    abroad: [abroad]
  }) as const

/** The flows as they are declared: the same topics, nothing judged. For what looks at a system without running it. */
export const flows = makeFlows(noRules)

/**
 * Those that run unless somebody names others. Not `abroad`: it reads a topic whose border `transactions` is, and what does
 * not decode would be a dead letter of each.
 */
export const flowsByDefault = ["transactions", "lending", "claims", "security", "sessions", "velocity"] as const

/** Topics of failures, and the topics whose records they were: what may be sent again. */
export const redrives = [
  { from: FailedPayments, to: PaymentEvents },
  { from: FailedApplications, to: LoanApplications }
] as const
