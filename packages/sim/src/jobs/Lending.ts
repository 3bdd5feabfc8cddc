/**
 * Lending to simulate: the router over a table of customers, and the enrichment over a bureau that is slow, hangs, fails
 * and wants to be left alone as the seed says.
 *
 * What is decided on an application follows from the application and its customer alone: customers are there before.
 */
import { Bureau, bureauFailures, lendingEnrichment, lendingRouter } from "@frazil/flows"
import { tables } from "@frazil/lakehouse"
import { Customers, DeadLetters, ExternalChecks, InternalChecks, LoanApplications, LoanDecisions } from "@frazil/model"
import { Context, Effect, Random } from "effect"
import type { Random as Chance } from "../generate/Random.ts"
import { presentInput, input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

type Options = Omit<SimOptions, "input" | "landings">

const startMs = Date.UTC(2026, 0, 14)
const customersMax = 20
const recordsMin = 10
const recordsSpread = 25

const customers = (random: Chance): ReadonlyArray<string> =>
  Array.from({ length: customersMax }, (_, number) =>
    JSON.stringify({
      customer_id: `C${number}`,
      name: "Somebody",
      credit_score: 560 + random.below(300),
      income: random.below(2) === 0 ? 80_000 : 20_000.5,
      credit_limit: random.below(2) === 0 ? 500 : 20_000,
      home_country: "DE",
      since: "2020-01-01"
    })
  )

/** Applications of customers, of strangers and of nobody; some lines are broken. `kind` tells them apart from others. */
const applicationLines =
  (kind: number, routed: boolean) =>
  (random: Chance): ReadonlyArray<string> =>
    Array.from({ length: recordsMin + random.below(recordsSpread) }, (_, number) => {
      const at = new Date(startMs + number * 1_000).toISOString()
      const text = JSON.stringify({
        application_id: `00000000-0000-4000-800${kind}-${String(number).padStart(12, "0")}`,
        customer_id: random.below(4) === 0 ? null : `C${random.below(customersMax + 10)}`,
        ssn: String(100_000_000 + random.below(800_000_000)),
        amount: 100 * (1 + random.below(80)),
        currency: "EUR",
        merchant_id: "M1",
        term_months: 12,
        country: "DE",
        applied_at: at,
        ...(routed ? { routed_at: at, route_reason: "known customer" } : {})
      })
      return random.below(13) === 0 ? text.slice(0, -5) : text
    })

/** Answers late, or not, or not yet, as the process's chance has it; what it answers in the end is the applicant's. */
const bureau = Context.make(Bureau, {
  lookup: (ssn) =>
    Effect.gen(function* () {
      const mood = yield* Random.nextIntBetween(0, 16)
      yield* Effect.sleep(mood * mood * 5)
      if (mood === 0) return yield* Effect.never
      if (mood === 1) return yield* Effect.fail(bureauFailures.overloaded("too many calls", 700))
      if (mood === 2) return yield* Effect.fail(bureauFailures.unavailable("not now"))
      const number = Number(ssn)
      if (number % 7 === 0) return yield* Effect.fail(bureauFailures.rejected("refused"))
      if (number % 11 === 0) return yield* Effect.fail(bureauFailures.invalid("no score"))
      return { score: 300 + (number % 551) }
    })
})

const landingsOf = (...topics: ReadonlyArray<string>) => tables.filter(({ topic }) => topics.includes(topic.name))

export const router = (options: Options): SimReport =>
  run(lendingRouter, {
    ...options,
    input: [presentInput(Customers, customers), input(LoanApplications, applicationLines(0, false))],
    landings: landingsOf(LoanApplications.name, DeadLetters.name),
    volatileFields: ["failed_at", "routed_at"]
  })

export const enrichment = (options: Options): SimReport =>
  run(lendingEnrichment, {
    ...options,
    input: [
      presentInput(Customers, customers),
      input(InternalChecks, applicationLines(1, true)),
      input(ExternalChecks, applicationLines(2, true))
    ],
    landings: landingsOf(LoanDecisions.name, DeadLetters.name),
    services: bureau,
    volatileFields: ["failed_at", "decided_at", "timings", "attempts"]
  })
