// Flows with lookups: what they become, and wrong ones, each refused by the compiler at the argument that is wrong.
import { Field, Topic } from "@frazil/core"
import { Effect, Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow, Job, Lookup } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), note: Field.optional(Field.text()), cents: Field.int() })
) {}
class Claim extends Schema.Opaque<Claim>()(
  Schema.Struct({ member_id: Field.text(), status: Field.optional(Field.text()) })
) {}
class Enriched extends Schema.Opaque<Enriched>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), cents: Field.int(), member_id: Field.text() })
) {}
class Failure extends Schema.Opaque<Failure>()(Schema.Struct({ id: Field.text(), why: Field.text() })) {}
const Payments = Topic.make("payments", { schema: Payment, key: "claim_id" })
const Enrichments = Topic.make("enriched", { schema: Enriched, key: "claim_id" })
const Failures = Topic.make("failed", { schema: Failure, key: "id" })

class ClaimNotFound extends Schema.TaggedError<ClaimNotFound>()("ClaimNotFound", { message: Schema.String }) {}
class DbError extends Schema.TaggedError<DbError>()("DbError", {
  message: Schema.String,
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}
class DbTimeout extends Schema.TaggedError<DbTimeout>()("DbTimeout", { message: Schema.String }) {}

const declared = {
  answer: Claim,
  failures: {
    ClaimNotFound: "absent",
    DbError: ({ retryAfterMs }: DbError) => (retryAfterMs === undefined ? "transient" : "overloaded"),
    DbTimeout: "transient"
  },
  timeout: (message: string) => new DbTimeout({ message }),
  unavailable: (message: string) => new DbError({ message })
} as const

class Claims extends Lookup.Service<Claims, string, Claim, ClaimNotFound | DbError | DbTimeout>()(
  "test/Claims",
  declared
) {}

// a service says of each of its failures what it means
Lookup.Service<Claims, string, Claim, ClaimNotFound | DbError>()("test/Missing", {
  ...declared,
  // @ts-expect-error: DbError is not told
  failures: { ClaimNotFound: "absent" },
  unavailable: (message) => new DbError({ message }),
  timeout: (message) => new DbError({ message })
})
// it is a service like any other
const asked = Effect.flatMap(Claims, (claims) => claims.lookup("C1"))
expectTypeOf(asked).toEqualTypeOf<Effect.Effect<Claim, ClaimNotFound | DbError | DbTimeout, Claims>>()

const enriched = Flow.from(Payments).pipe(
  Flow.lookup(Claims, { key: "claim_id", policy: { capacity: 100, timeout: "2 seconds", whileUnavailable: "fail" } })
)
expectTypeOf<Flow.RecordOf<typeof enriched>>().toEqualTypeOf<Payment & Claim>()
expectTypeOf<Flow.ServicesOf<typeof enriched>>().toEqualTypeOf<Claims>()
expectTypeOf<Flow.Tags<Flow.FailureOf<typeof enriched>>>().toEqualTypeOf<"ClaimNotFound" | "DbError" | "DbTimeout">()
expectTypeOf<Flow.FailureOf<typeof enriched>["record"]>().toEqualTypeOf<Payment>()

const ended = enriched.pipe(
  Flow.catchTag("ClaimNotFound", ({ record }) => ({ ...record, member_id: "none", status: null })),
  Flow.orDeadLetter(Failures, (failed) => {
    expectTypeOf(failed._tag).toEqualTypeOf<"DbError" | "DbTimeout">()
    expectTypeOf(failed.attempts).toEqualTypeOf<number>()
    return { id: failed.record.id, why: failed.error.message }
  }),
  Flow.to(Enrichments)
)
const job = Job.make("claims", [ended])
expectTypeOf<ReturnType<typeof job.needs.services>>().toEqualTypeOf<Claims>()

// @ts-expect-error: its failures are unhandled
enriched.pipe(Flow.to(Enrichments))
// @ts-expect-error: no such failure
enriched.pipe(Flow.catchTag("Odd", ({ record }) => record))
// @ts-expect-error: no such field
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: "claim" }))
// @ts-expect-error: a key of another type
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: "cents" }))
// @ts-expect-error: a key that may be null
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: "note" }))
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: (payment) => payment.note ?? payment.claim_id }))
// @ts-expect-error: a key of another type
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: (payment) => payment.cents }))
// @ts-expect-error: no such unit
Flow.from(Payments).pipe(Flow.lookup(Claims, { key: "claim_id", policy: { timeout: "2 secs" } }))

// an answer that repeats a field is kept apart
class Twin extends Lookup.Service<Twin, string, Payment, DbTimeout>()("test/Twin", {
  answer: Payment,
  failures: { DbTimeout: "transient" },
  timeout: (message) => new DbTimeout({ message }),
  unavailable: (message) => new DbTimeout({ message })
}) {}
// @ts-expect-error: both have an id
Flow.from(Payments).pipe(Flow.lookup(Twin, { key: "claim_id" }))
const twins = Flow.from(Payments).pipe(Flow.lookupAs("twin", Twin, { key: "claim_id" }))
expectTypeOf<Flow.RecordOf<typeof twins>["twin"]>().toEqualTypeOf<Payment>()

// two lookups keep their failures apart
const both = enriched.pipe(Flow.lookupAs("twin", Twin, { key: "member_id" }))
expectTypeOf<Flow.ServicesOf<typeof both>>().toEqualTypeOf<Claims | Twin>()
expectTypeOf<Extract<Flow.FailureOf<typeof both>, { _tag: "DbTimeout" }>["record"]>().toEqualTypeOf<
  Payment | (Payment & Claim)
>()
