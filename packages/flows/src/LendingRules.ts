/**
 * What lending decides by: two versioned lists of conditions, of which the first that holds decides.
 *
 * `lending.ts` compiles each list into one checked expression. A condition without a value (a score that nobody has) does
 * not hold, so that what is not known falls to the last entry: a person looks. Counts `version` up with every change.
 */
export type Outcome = "approved" | "declined" | "referred"

export interface OutcomeRule {
  /** Machine word, told in the decision's `reasons`. */
  readonly reason: string
  /** CEL. */
  readonly when: string
  readonly outcome: Outcome
}

export interface OutcomeRules {
  readonly id: string
  readonly version: number
  /** In the order in which they are asked. */
  readonly rules: ReadonlyArray<OutcomeRule>
  /** When none holds. */
  readonly otherwise: Omit<OutcomeRule, "when">
}

/** Known customers: by what lending knows of them. */
export const internalRules: OutcomeRules = {
  id: "lending-internal",
  version: 1,
  rules: [
    {
      reason: "good_score_and_income",
      when: "credit_score >= 750 && income >= 75000",
      outcome: "approved"
    },
    { reason: "low_score", when: "credit_score < 580", outcome: "declined" },
    { reason: "over_credit_limit", when: "amount > credit_limit", outcome: "declined" },
    { reason: "customer_gone", when: "!has(credit_score)", outcome: "referred" }
  ],
  otherwise: { reason: "needs_review", outcome: "referred" }
}

/** Everybody else: by the bureau's score. */
export const externalRules: OutcomeRules = {
  id: "lending-external",
  version: 1,
  rules: [
    { reason: "good_score_and_small_amount", when: "score >= 680 && amount <= 5000", outcome: "approved" },
    { reason: "low_score", when: "score < 580", outcome: "declined" },
    { reason: "bureau_refused", when: "!has(score)", outcome: "referred" }
  ],
  otherwise: { reason: "needs_review", outcome: "referred" }
}

/** CEL for the reason of the first rule that holds. */
export const firstReason = ({ otherwise, rules }: OutcomeRules): string =>
  rules.reduceRight((rest, { reason, when }) => `(${when}) ? '${reason}' : (${rest})`, `'${otherwise.reason}'`)

/** The outcome that a reason stands for. */
export const outcomeOf = ({ otherwise, rules }: OutcomeRules, reason: string): Outcome =>
  rules.find((rule) => rule.reason === reason)?.outcome ?? otherwise.outcome
