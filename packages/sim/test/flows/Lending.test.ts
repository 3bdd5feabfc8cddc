/** Lending from applications to decisions, against a plain loop over the same applications and customers. */
import { assert, describe, it } from "@effect/vitest"
import { Bureau, bureauFailures, lendingEnrichment, lendingRouter } from "@frazil/flows"
import { Customers, LoanApplications } from "@frazil/model"
import { Effect, Layer } from "effect"
import { makeRandom } from "../../src/generate/Random.ts"
import { appendRecords, flowWorld, linesOf, recordsOf, runToEnd } from "./FlowWorld.ts"

const random = makeRandom(11)
const chance = {
  below: (bound: number) => random.bits() % bound,
  pick: <A>(options: ReadonlyArray<A>): A => options[random.bits() % options.length]!
}
const customers = Array.from({ length: 40 }, (_, index) => ({
  customer_id: `C${index}`,
  name: "personal",
  credit_score: chance.pick([579, 580, 700, 749, 750, 800]),
  income: chance.pick([74_999.99, 75_000, 90_000]),
  credit_limit: chance.pick([500, 3_000, 20_000]),
  home_country: "DE",
  since: "2020-01-01"
}))
const applications = Array.from({ length: 400 }, (_, index) => ({
  application_id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  customer_id: chance.pick([null, `C${chance.below(60)}`]),
  ssn: String(100_000_000 + chance.below(900_000_000)),
  amount: chance.pick([499.99, 500, 500.01, 3_000.5, 5_000, 5_000.01]),
  currency: "EUR",
  merchant_id: "M1",
  term_months: 12,
  country: "DE",
  applied_at: "2026-01-14T00:00:00.000Z"
}))

const scores = [579, 580, 679, 680, 800]
/** What the bureau says of somebody: a score, a refusal, or nonsense. */
const saysOf = (ssn: string): number | "refused" | "nonsense" => {
  const last = Number(ssn.at(-1))
  return last === 8 ? "refused" : last === 9 ? "nonsense" : scores[last % scores.length]!
}
const bureau = Layer.succeed(Bureau, {
  lookup: (ssn) => {
    const said = saysOf(ssn)
    if (said === "refused") return Effect.fail(bureauFailures.rejected("refused"))
    return said === "nonsense" ? Effect.fail(bureauFailures.invalid("no score")) : Effect.succeed({ score: said })
  }
})

const expected = () => {
  const decided: Array<string> = []
  const failed: Array<string> = []
  for (const { amount, application_id, customer_id, ssn } of applications) {
    const customer = customers.find((candidate) => candidate.customer_id === customer_id)
    if (customer !== undefined) {
      let outcome = "referred"
      if (customer.credit_score < 580 || amount > customer.credit_limit) outcome = "declined"
      if (customer.credit_score >= 750 && customer.income >= 75_000) outcome = "approved"
      decided.push(`${application_id} ${outcome} ${customer.credit_score} internal`)
      continue
    }
    const said = saysOf(ssn)
    if (said === "nonsense") failed.push(`${application_id} BUREAU_INVALID_ANSWER`)
    else if (said === "refused") decided.push(`${application_id} referred null none`)
    else {
      const outcome = said >= 680 && amount <= 5_000 ? "approved" : said < 580 ? "declined" : "referred"
      decided.push(`${application_id} ${outcome} ${said} bureau`)
    }
  }
  return { decided: decided.toSorted(), failed: failed.toSorted() }
}

describe("lending", () => {
  it.live("decides on every application once, as the rules say, and keeps personal fields out of decisions", () =>
    Effect.gen(function* () {
      yield* appendRecords(Customers, customers, ({ customer_id }) => customer_id)
      yield* appendRecords(
        LoanApplications,
        applications,
        ({ application_id, customer_id }) => customer_id ?? application_id
      )
      yield* runToEnd(lendingRouter)
      yield* runToEnd(lendingEnrichment).pipe(Effect.provide(bureau))
      const decided = yield* linesOf("loan_decisions", "application_id", "outcome", "score", "score_source")
      const failed = yield* linesOf("failed_applications", "application_id", "error")
      assert.deepStrictEqual({ decided, failed }, expected())
      assert.isAbove(failed.length, 0)
      assert.notMatch(JSON.stringify(yield* recordsOf("loan_decisions")), /ssn|personal/)
      assert.deepStrictEqual(yield* recordsOf("dead-letter"), [])
    }).pipe(Effect.provide(flowWorld))
  )
})
