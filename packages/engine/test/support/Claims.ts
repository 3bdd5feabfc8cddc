// The job of the lookup tests: payments enriched with their claims, by a service that does what a script says. Beside it
// the answers that a plain loop over the same script gives.
import { Decimal, Field, Topic } from "@frazil/core"
import { Clock, Effect, Layer, Schema } from "effect"
import { Flow, Job, Lookup } from "../../src/index.ts"
import { type Line, readAll } from "./Harness.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
class Claim extends Schema.Opaque<Claim>()(Schema.Struct({ member_id: Field.text(), share: Field.decimal(5, 2) })) {}
class Enriched extends Schema.Opaque<Enriched>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), cents: Field.int(), member_id: Field.text() })
) {}
class Failure extends Schema.Opaque<Failure>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), status: Field.text(), attempts: Field.int() })
) {}
export const Payments = Topic.make("payments", { schema: Payment, key: "claim_id", eventTime: "at", partitions: 2 })
export const EnrichedPayments = Topic.make("enriched", { schema: Enriched, key: "claim_id", partitions: 1 })
export const FailedPayments = Topic.make("failed", { schema: Failure, key: "claim_id", partitions: 1 })

export class ClaimNotFound extends Schema.TaggedError<ClaimNotFound>()("ClaimNotFound", { message: Schema.String }) {}
export class DbError extends Schema.TaggedError<DbError>()("DbError", {
  message: Schema.String,
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}
export class DbTimeout extends Schema.TaggedError<DbTimeout>()("DbTimeout", { message: Schema.String }) {}
export class TooMany extends Schema.TaggedError<TooMany>()("TooMany", {
  message: Schema.String,
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}
export type ClaimsFailure = ClaimNotFound | DbError | DbTimeout | TooMany

export class Claims extends Lookup.Service<Claims, string, Claim, ClaimsFailure>()("test/Claims", {
  answer: Claim,
  failures: { ClaimNotFound: "absent", DbError: "transient", DbTimeout: "transient", TooMany: "overloaded" },
  timeout: (message) => new DbTimeout({ message }),
  unavailable: (message) => new DbError({ message })
}) {}

export type ClaimsShape = Lookup.LookupShape<string, Claim, ClaimsFailure>

/** Payments through the lookup, answers and failures each to their topic. */
export const claimsJob = (policy: Lookup.LookupPolicy) =>
  Job.make("claims", [
    Flow.from(Payments).pipe(
      Flow.lookup(Claims, { key: "claim_id", policy, name: "claims" }),
      Flow.orDeadLetter(FailedPayments, (failed) => ({
        id: failed.record.id,
        claim_id: failed.record.claim_id,
        status: failed._tag,
        attempts: failed.attempts
      })),
      Flow.to(EnrichedPayments)
    )
  ])

export const claimOf = (claimId: string): Claim => ({ member_id: `M-${claimId}`, share: Decimal.of("12.50", 2) })

const startMs = Date.UTC(2026, 0, 14)

export const paymentLine = (index: number, claimId: string): Line => ({
  key: claimId,
  value: JSON.stringify({
    id: `p${index}`,
    claim_id: claimId,
    cents: index,
    at: new Date(startMs + index * 1000).toISOString()
  })
})

/** What a service does with a key, the `n`th time it is asked about it. */
export type Script = (claimId: string, n: number) => Effect.Effect<Claim, ClaimsFailure>

export interface Asked {
  readonly claimId: string
  readonly atMs: number
}

/** A service that follows the script, and every call it got. */
export const scripted = (script: Script) => {
  const asked: Array<Asked> = []
  const times = new Map<string, number>()
  const lookup = (claimId: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (atMs) => {
      asked.push({ claimId, atMs })
      const n = (times.get(claimId) ?? 0) + 1
      times.set(claimId, n)
      return script(claimId, n)
    })
  return { asked, lookup, layer: Layer.succeed(Claims, { lookup }) }
}

export const enriched = Effect.map(readAll("enriched"), (lines) =>
  lines.map(({ value }) => JSON.parse(value) as { readonly id: string; readonly member_id: string })
)
export const failed = Effect.map(readAll("failed"), (lines) =>
  lines.map(
    ({ value }) => JSON.parse(value) as { readonly id: string; readonly status: string; readonly attempts: number }
  )
)
