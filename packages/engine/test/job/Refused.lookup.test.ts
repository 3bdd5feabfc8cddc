/** What `Job.make` refuses of lookups, in its words; and what expressions may read behind one. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, Lookup, Window } from "../../src/index.ts"
import { hurried } from "../support/Faults.ts"
import { ClaimNotFound, claimOf, Claims, paymentLine, Payments, scripted } from "../support/Claims.ts"
import { append, readAll, runToEnd, TestDeadLetters, world } from "../support/Harness.ts"

class Out extends Schema.Opaque<Out>()(Schema.Struct({ id: Field.text(), claim_id: Field.text() })) {}
class Shared extends Schema.Opaque<Shared>()(
  Schema.Struct({ id: Field.text(), claim_id: Field.text(), share: Field.optional(Field.decimal(5, 2)) })
) {}
const Outs = Topic.make("outs", { schema: Out, key: "claim_id", partitions: 1 })
const payments = Flow.from(Payments)

const problemsOf = (...outputs: ReadonlyArray<Flow.Output<unknown>>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

const looked = (policy: Lookup.LookupPolicy, name = "claims") =>
  payments.pipe(Flow.lookup(Claims, { key: "claim_id", policy, name }), Flow.orDeadLetter(TestDeadLetters))

describe("Job.make", () => {
  it("refuses a policy that makes no sense, each part of it", () => {
    const policy = {
      capacity: 0,
      timeout: "0ms",
      retry: { attemptsMax: 1.5, first: "20 seconds" },
      breaker: { failures: 0, probesMax: 0, openFor: "0s" },
      cache: { entriesMax: 0, ttl: "1h" },
      batch: { keysMax: -1 },
      rate: { callsPerSecond: 0, burst: 0.5 },
      concurrency: { initial: 5, min: 9, max: 2 },
      deadline: "0s"
    } as const
    const problems = problemsOf(looked(policy).pipe(Flow.to(Outs)))
    const fields = problems.map((problem) => /^claims: its policy's ([\w.]+) must be /.exec(problem)?.[1])
    assert.deepStrictEqual(fields, [
      "capacity",
      "timeout",
      "retry.attemptsMax",
      "retry.longest",
      "breaker.failures",
      "breaker.probesMax",
      "breaker.openFor",
      "cache.entriesMax",
      "batch.keysMax",
      "rate.callsPerSecond",
      "rate.burst",
      "concurrency.initial",
      "concurrency.max",
      "deadline"
    ])
  })

  it("refuses a duration that is none", () => {
    const policy = { timeout: "soon" } as unknown as Lookup.LookupPolicy
    assert.match(problemsOf(looked(policy).pipe(Flow.to(Outs)))[0] ?? "", /^claims: "soon" is no duration/)
  })

  it("refuses what time or order behind a lookup would not be right for", () => {
    const state = { name: "count", schema: Schema.Finite, initial: () => 0, ttl: "1 day" } as const
    const counted = (order: "ordered" | "unordered") =>
      looked({ order }).pipe(
        Flow.keyBy("claim_id"),
        Flow.mapWithState(state, (seen, { claim_id, id }) => [seen + 1, [{ id, claim_id }]] as const),
        Flow.to(Outs)
      )
    assert.deepStrictEqual(problemsOf(counted("ordered")), [])
    assert.deepStrictEqual(problemsOf(counted("unordered")), [
      "count: its state depends on the order of records, which claims does not keep; make that lookup ordered"
    ])
    const minutes = Window.tumbling("1 minute", { allowedLateness: "0 seconds" })
    // between the two, time goes through a topic
    const windowed = looked({}).pipe(
      Flow.keyBy("claim_id"),
      Flow.window(minutes, { count: count() }, { name: "minutes" }),
      Flow.map(({ claim_id }) => ({ id: "w", claim_id })),
      Flow.to(Outs)
    )
    assert.deepStrictEqual(problemsOf(windowed), [])
    const at = payments.pipe(Flow.keyBy("claim_id"), Flow.lookup(Claims, { key: "claim_id", name: "claims" }))
    const within = at.pipe(
      Flow.orDeadLetter(TestDeadLetters),
      Flow.window(minutes, { count: count() }, { name: "minutes" }),
      Flow.map(({ claim_id }) => ({ id: "w", claim_id })),
      Flow.to(Outs)
    )
    assert.deepStrictEqual(problemsOf(within), [
      "minutes: a window needs the time of the answers of claims in order; call Flow.keyBy between the two"
    ])
    const over = payments.pipe(
      Flow.keyBy("claim_id"),
      Flow.window(minutes, { count: count() }, { name: "minutes" }),
      Flow.lookup(Claims, { key: "claim_id", name: "claims" }),
      Flow.orDeadLetter(TestDeadLetters),
      Flow.map(({ claim_id }) => ({ id: "w", claim_id })),
      Flow.to(Outs)
    )
    assert.deepStrictEqual(problemsOf(over), [
      "claims: a lookup over the results of minutes does not run yet; call Flow.keyBy with { repartition: true } between the two"
    ])
  })

  it("refuses two lookups of one name: their records in flight would swap", () => {
    const unnamed = () =>
      payments.pipe(Flow.lookup(Claims, { key: "claim_id" }), Flow.orDeadLetter(TestDeadLetters), Flow.to(Outs))
    const [first] = problemsOf(unnamed(), unnamed())
    assert.strictEqual(
      first,
      'two operators are named "lookup(test/Claims)@payments" (lookup and lookup): give each its own name'
    )
  })

  it("refuses failures of a lookup that two flows would handle", () => {
    const open = payments.pipe(Flow.lookup(Claims, { key: "claim_id", name: "claims" }))
    const handled = (name: string) => open.pipe(Flow.orDeadLetter(TestDeadLetters), Flow.to(Outs, { name }))
    assert.deepStrictEqual(problemsOf(handled("one"), handled("two")), [
      "claims: its failures are still open where the flow is used twice, so both would handle them; handle them before"
    ])
  })

  it("refuses an answer whose fields nobody knows", () => {
    class Odd extends Lookup.Service<Odd, string, { readonly x: string }, Lookup.LookupFailure>()("test/Odd", {
      answer: Schema.Struct({ x: Schema.String }),
      failures: {},
      timeout: (message) => ({ _tag: "T", message }),
      unavailable: (message) => ({ _tag: "U", message })
    }) {}
    const flow = payments.pipe(
      Flow.lookup(Odd, { key: "claim_id", name: "odd" }),
      Flow.orDeadLetter(TestDeadLetters),
      Flow.to(Outs)
    )
    assert.deepStrictEqual(problemsOf(flow), [
      'odd: the answer of test/Odd: field "x" must be made with Field.text, Field.decimal and so on, without .check(…)'
    ])
  })
})

describe("an expression behind a lookup", () => {
  it.effect("reads the record's fields and the answer's", () =>
    Effect.gen(function* () {
      yield* append(
        Payments,
        Array.from({ length: 20 }, (_, index) => paymentLine(index, `C${index}`))
      )
      const job = Job.make("expressions", [
        looked({}).pipe(Flow.filter(expr("share > 12.49 && cents < 5 && member_id != 'M-C3'")), Flow.to(Outs))
      ])
      const { layer } = scripted((claimId) => Effect.succeed(claimOf(claimId)))
      yield* hurried(runToEnd(job).pipe(Effect.provide(layer)))
      const found = (yield* readAll("outs")).map(({ value }) => (JSON.parse(value) as { readonly id: string }).id)
      assert.deepStrictEqual(found.toSorted(), ["p0", "p1", "p2", "p4"])
    }).pipe(Effect.provide(world))
  )

  it.effect("reads what code made of answers and caught failures, when a schema says what that is", () =>
    Effect.gen(function* () {
      yield* append(
        Payments,
        Array.from({ length: 4 }, (_, index) => paymentLine(index, `C${index}`))
      )
      const known = payments.pipe(
        Flow.lookup(Claims, { key: "claim_id", name: "claims" }),
        Flow.catchTag("ClaimNotFound", ({ record }) => ({ ...record, member_id: "nobody", share: null })),
        Flow.orDeadLetter(TestDeadLetters),
        Flow.map(({ claim_id, id, share }) => ({ id, claim_id, share }), { schema: Shared })
      )
      const job = Job.make("shared", [
        known.pipe(Flow.filter(expr("share == null || claim_id == 'C2'")), Flow.to(Outs))
      ])
      const { layer } = scripted((claimId) =>
        claimId === "C1" ? new ClaimNotFound({ message: "no claim" }) : Effect.succeed(claimOf(claimId))
      )
      yield* hurried(runToEnd(job).pipe(Effect.provide(layer)))
      const found = (yield* readAll("outs")).map(({ value }) => (JSON.parse(value) as { readonly id: string }).id)
      assert.deepStrictEqual(found.toSorted(), ["p1", "p2"])
    }).pipe(Effect.provide(world))
  )

  it("is checked against both", () => {
    assert.include(
      problemsOf(looked({}).pipe(Flow.filter(expr("sahre > 1")), Flow.to(Outs)))[0],
      'did you mean "share"?'
    )
  })
})
