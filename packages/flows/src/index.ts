import { FailedApplications, FailedPayments, LoanApplications, PaymentEvents, RawTransactions } from "@frazil/model"
import { noRules, type RuleSet } from "@frazil/rules"
import { claims, largeClaims } from "./claims.ts"
import { lendingEnrichment, lendingRouter } from "./lending.ts"
import { transactions } from "./transactions.ts"

export { Bureau, bureauFailures, BureauWire } from "./lookups/Bureau.ts"
export { Claim, claimFailures, claimProblem, Claims } from "./lookups/Claims.ts"

export { claims, largeClaims } from "./claims.ts"
export { lendingEnrichment, lendingRouter } from "./lending.ts"

/** The topics that rules may be about. */
export const ruleTopics = [RawTransactions]

/** Flows by the name that `--jobs` takes; each holds one or more jobs, which judge by the rules they are given. */
export const makeFlows = (rules: RuleSet) =>
  ({
    transactions: [transactions(rules)],
    lending: [lendingRouter, lendingEnrichment],
    claims: [claims, largeClaims]
  }) as const

/** The flows as they are declared: the same topics, nothing judged. For what looks at a system without running it. */
export const flows = makeFlows(noRules)

/** Topics of failures, and the topics whose records they were: what may be sent again. */
export const redrives = [
  { from: FailedPayments, to: PaymentEvents },
  { from: FailedApplications, to: LoanApplications }
] as const
