/** Claims from payments to enriched, failed and large ones, each payment once. */
import { assert, describe, it } from "@effect/vitest"
import { Decimal } from "@frazil/core"
import {
  claimFailures,
  Claims,
  claimsCachedDefault,
  largeClaimsOverDefault,
  makeClaims,
  makeLargeClaims
} from "@frazil/flows"
import { PaymentEvents } from "@frazil/model"
import { Effect, Layer, Result } from "effect"
import { appendRecords, flowWorld, linesOf, recordsOf, runToEnd } from "./FlowWorld.ts"

const payments = Array.from({ length: 120 }, (_, index) => ({
  payment_id: `P${index}`,
  claim_id: `${["CL", "BIG", "CX", "BAD"][index % 4]}${index}`,
  payment_amount: 12.5,
  payment_date: "2026-01-14T00:00:00.000Z",
  processor_id: "PR1"
}))

const claimOf = (claimId: string) => {
  if (claimId.startsWith("CX")) return Result.fail(claimFailures.absent("no such claim"))
  if (claimId.startsWith("BAD")) return Result.fail(claimFailures.invalid("its amount is negative"))
  const amount = claimId.startsWith("BIG") ? "10000.01" : "10000.00"
  return Result.succeed({ member_id: `M-${claimId}`, claim_amount: Decimal.of(amount, 2), claim_status: null })
}
const table = Layer.succeed(Claims, {
  lookup: (claimId) => Effect.fromResult(claimOf(claimId)),
  lookupMany: (claimIds) => Effect.succeed(claimIds.map(claimOf))
})

const starting = (...prefixes: ReadonlyArray<string>) =>
  payments.filter(({ claim_id }) => prefixes.some((prefix) => claim_id.startsWith(prefix)))

describe("claims", () => {
  it.live("enriches each payment or fails it with its reason, and keeps the large ones", () =>
    Effect.gen(function* () {
      yield* appendRecords(PaymentEvents, payments, ({ claim_id }) => claim_id)
      yield* runToEnd(makeClaims(claimsCachedDefault)).pipe(Effect.provide(table))
      yield* runToEnd(makeLargeClaims(largeClaimsOverDefault))
      assert.deepStrictEqual(
        yield* linesOf("enriched-payments", "payment_id", "member_id", "enrichment_status"),
        starting("CL", "BIG")
          .map(({ claim_id, payment_id }) => `${payment_id} M-${claim_id} SUCCESS`)
          .toSorted()
      )
      assert.deepStrictEqual(
        yield* linesOf("failed-payments", "payment_id", "enrichment_status", "reason"),
        [
          ...starting("CX").map(({ payment_id }) => `${payment_id} CLAIM_NOT_FOUND no such claim`),
          ...starting("BAD").map(({ payment_id }) => `${payment_id} DB_ERROR its amount is negative`)
        ].toSorted()
      )
      assert.deepStrictEqual(
        yield* linesOf("large-claims", "payment_id"),
        starting("BIG")
          .map(({ payment_id }) => payment_id)
          .toSorted()
      )
      assert.deepStrictEqual(yield* recordsOf("dead-letter"), [])
    }).pipe(Effect.provide(flowWorld))
  )

  it.live("keeps those over the amount that it is told, to the cent", () =>
    Effect.gen(function* () {
      yield* appendRecords(PaymentEvents, payments, ({ claim_id }) => claim_id)
      yield* runToEnd(makeClaims(claimsCachedDefault)).pipe(Effect.provide(table))
      yield* runToEnd(makeLargeClaims(Decimal.of("10000.01", 2)))
      assert.deepStrictEqual(yield* recordsOf("large-claims"), [])
    }).pipe(Effect.provide(flowWorld))
  )

  it.live("keeps all over an amount below theirs", () =>
    Effect.gen(function* () {
      yield* appendRecords(PaymentEvents, payments, ({ claim_id }) => claim_id)
      yield* runToEnd(makeClaims(claimsCachedDefault)).pipe(Effect.provide(table))
      yield* runToEnd(makeLargeClaims(Decimal.of("9999.99", 2)))
      assert.strictEqual((yield* recordsOf("large-claims")).length, starting("CL", "BIG").length)
    }).pipe(Effect.provide(flowWorld))
  )
})
