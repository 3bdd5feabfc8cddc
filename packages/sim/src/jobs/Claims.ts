/**
 * Claims to simulate: payments enriched from a table that is slow, lacks some claims and holds some that make no sense.
 *
 * A database that fails is not among its moods: those payments fail, and which ones they are is the moment's.
 */
import { Decimal } from "@frazil/core"
import { claimFailures, Claims, claimsCachedDefault, makeClaims } from "@frazil/flows"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, EnrichedPayments, FailedPayments, PaymentEvents } from "@frazil/model"
import { Context, Effect, Random, Result } from "effect"
import type { Random as Chance } from "../generate/Random.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

const startMs = Date.UTC(2026, 0, 14)
const claimsMax = 40
const recordsMin = 15
const recordsSpread = 40
/** Below the lookup's timeout, with its retries and its cache. */
const slowestMs = 3_000

const payments = (random: Chance): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, (_, number) => {
    const text = JSON.stringify({
      payment_id: `P${number}`,
      claim_id: `CL${random.below(claimsMax)}`,
      payment_amount: 10 + random.below(500),
      payment_date: new Date(startMs + number * 1_000).toISOString(),
      processor_id: "PR1"
    })
    return random.below(13) === 0 ? text.slice(0, -5) : text
  })

const claimOf = (claimId: string) => {
  const number = Number(claimId.slice(2))
  if (number % 7 === 0) return Result.fail(claimFailures.absent("no such claim"))
  if (number % 11 === 0) return Result.fail(claimFailures.invalid("its claim_amount is negative"))
  return Result.succeed({
    member_id: `M${number}`,
    claim_amount: Decimal.of(`${number * 500}.00`, 2),
    claim_status: null
  })
}

const lookupMany = (claimIds: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const slow = yield* Random.nextIntBetween(0, 8)
    yield* Effect.sleep(slow === 0 ? slowestMs : slow * slow * 3)
    return claimIds.map(claimOf)
  })

const table = Context.make(Claims, {
  lookupMany,
  lookup: (claimId) => Effect.flatMap(lookupMany([claimId]), ([only]) => Effect.fromResult(only!)) // one for one
})

const landed = [EnrichedPayments, FailedPayments, DeadLetters].map(({ name }) => name)

export const claimsOfPayments = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  run(makeClaims(claimsCachedDefault), {
    ...options,
    input: [input(PaymentEvents, payments)],
    landings: tables.filter(({ topic }) => landed.some((name) => name === topic.name)),
    services: table,
    volatileFields: ["failed_at", "enrichment_timestamp", "attempts"]
  })
