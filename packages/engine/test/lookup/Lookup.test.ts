/** What a lookup promises, each part of its policy by itself: under the test's clock, with services that follow a script. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { Flow, Job, type Lookup } from "../../src/index.ts"
import { jobProgress } from "../../src/run/JobProgress.ts"
import {
  ClaimNotFound,
  claimOf,
  Claims,
  claimsJob,
  type ClaimsShape,
  DbError,
  DbTimeout,
  enriched,
  EnrichedPayments,
  failed,
  paymentLine,
  Payments,
  type Script,
  scripted
} from "../support/Claims.ts"
import { eventually, hurried } from "../support/Faults.ts"
import { append, readAll, runToEnd, TestDeadLetters, world } from "../support/Harness.ts"

const lines = (count: number, claims = count) =>
  Array.from({ length: count }, (_, index) => paymentLine(index, `C${index % claims}`))
const ids = (records: ReadonlyArray<{ readonly id: string }>) => records.map(({ id }) => id)
const all = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`)
const found: Script = (claimId) => Effect.succeed(claimOf(claimId))

/** Runs the job over `records` to the end, with the clock running ahead; what it wrote, and what was asked. */
const answersTo = Effect.fnUntraced(function* (
  records: ReturnType<typeof lines>,
  policy: Lookup.LookupPolicy,
  script: Script
) {
  yield* append(Payments, records)
  const service = scripted(script)
  const monitor = Job.monitor()
  yield* hurried(runToEnd(claimsJob(policy), { observer: monitor }).pipe(Effect.provide(service.layer)))
  const status = monitor.status()[0]!.lookups[0]!
  const letters = (yield* readAll("dead-letter")).map(({ value }) => JSON.parse(value) as Record<string, unknown>)
  return { enriched: yield* enriched, failed: yield* failed, letters, asked: service.asked, status }
})

/** A live job, started. */
const started = Effect.fnUntraced(function* (policy: Lookup.LookupPolicy, shape: ClaimsShape) {
  const monitor = Job.monitor()
  const running = Job.run(claimsJob(policy), { observer: monitor }).pipe(Effect.provideService(Claims, shape))
  const fiber = yield* Effect.forkChild(running)
  yield* eventually(
    "the start",
    Effect.sync(() => monitor.status().length > 0)
  )
  return { fiber, stage: () => monitor.status()[0]!, lookup: () => monitor.status()[0]!.lookups[0]! }
})

describe("a lookup", () => {
  it.effect("adds each record's answer to it, and sends each failure its way, with how often was asked", () =>
    Effect.gen(function* () {
      const result = yield* answersTo(lines(60), { whileUnavailable: "fail", breaker: "none" }, (claimId, n) => {
        const index = Number(claimId.slice(1))
        if (index % 5 === 0) return new ClaimNotFound({ message: "no claim" })
        if (index % 5 === 1 && n < 3) return new DbError({ message: "down" })
        if (index % 10 === 2) return new DbError({ message: "down" })
        return Effect.succeed(claimOf(claimId))
      })
      const failing = result.failed.map(({ attempts, id, status }) => `${id} ${status} ${attempts}`)
      const expected = Array.from({ length: 60 }, (_, index) =>
        index % 5 === 0 ? `p${index} ClaimNotFound 1` : index % 10 === 2 ? `p${index} DbError 3` : ""
      )
      assert.deepStrictEqual(failing.toSorted(), expected.filter((text) => text !== "").toSorted())
      assert.deepStrictEqual(
        result.enriched.map(({ id, member_id }) => `${id} ${member_id}`).toSorted(),
        expected.flatMap((text, index) => (text === "" ? [`p${index} M-C${index}`] : [])).toSorted()
      )
      assert.deepStrictEqual(result.status.failed, { ClaimNotFound: 12, DbError: 6 })
      assert.strictEqual(result.status.answered, 42)
      assert.strictEqual(result.status.asked, result.asked.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps an answer apart under a name of its own, and catches failures into records", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(2))
      const job = Job.make("apart", [
        Flow.from(Payments).pipe(
          Flow.lookupAs("claim", Claims, { key: (payment) => payment.claim_id }),
          Flow.catchTag(["ClaimNotFound", "DbError", "DbTimeout", "TooMany"], ({ record }) => ({
            ...record,
            claim: { member_id: "nobody" }
          })),
          Flow.map((record) => ({ ...record, member_id: record.claim.member_id })),
          Flow.to(EnrichedPayments)
        )
      ])
      const service = scripted((claimId) =>
        claimId === "C0" ? new ClaimNotFound({ message: "no claim" }) : Effect.succeed(claimOf(claimId))
      )
      yield* hurried(runToEnd(job).pipe(Effect.provide(service.layer)))
      assert.deepStrictEqual((yield* enriched).map(({ id, member_id }) => `${id} ${member_id}`).toSorted(), [
        "p0 nobody",
        "p1 M-C1"
      ])
    }).pipe(Effect.provide(world))
  )

  it.effect("dead-letters a record whose service throws, dies or gives up, once, with the operator's name", () =>
    Effect.gen(function* () {
      const result = yield* answersTo(lines(4), {}, (claimId) => {
        if (claimId === "C0") throw new RangeError("secret")
        if (claimId === "C1") return Effect.die(new Error("secret"))
        if (claimId === "C2") return Effect.interrupt
        return Effect.succeed(claimOf(claimId))
      })
      assert.deepStrictEqual(ids(result.enriched), ["p3"])
      assert.strictEqual(result.letters.length, 3)
      const originals = result.letters.map(({ original }) =>
        JSON.parse(Buffer.from(String(original), "base64").toString())
      )
      assert.deepStrictEqual(ids(originals).toSorted(), ["p0", "p1", "p2"])
      for (const { message, reason } of result.letters) {
        assert.strictEqual(reason, "operator_failed")
        assert.match(String(message), /^the code of claims threw /)
        assert.notInclude(String(message), "secret")
      }
      assert.strictEqual(result.status.threw, 3)
    }).pipe(Effect.provide(world))
  )

  it.effect("dead-letters a record whose key cannot be made", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(3))
      const key = (payment: { readonly claim_id: string }) => {
        if (payment.claim_id === "C1") throw new Error("no key")
        return payment.claim_id
      }
      const job = Job.make("keys", [
        Flow.from(Payments).pipe(
          Flow.lookup(Claims, { key }),
          Flow.orDeadLetter(TestDeadLetters),
          Flow.to(EnrichedPayments)
        )
      ])
      yield* hurried(runToEnd(job).pipe(Effect.provide(scripted(found).layer)))
      assert.deepStrictEqual(ids(yield* enriched).toSorted(), ["p0", "p2"])
      assert.strictEqual((yield* readAll("dead-letter")).length, 1)
    }).pipe(Effect.provide(world))
  )
})

describe("a call that takes too long", () => {
  it.effect("is interrupted and tried again; a retry that takes too long fails its record in the end", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const hangs = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      const policy = { timeout: "1 second", retry: { attemptsMax: 3 }, whileUnavailable: "fail" } as const
      const result = yield* answersTo(lines(2), policy, (claimId, n) =>
        claimId === "C1" ? Effect.succeed(claimOf(claimId)) : n === 1 ? new DbError({ message: "down" }) : hangs
      )
      assert.deepStrictEqual(
        result.failed.map(({ attempts, id, status }) => [id, status, attempts]),
        [["p0", "DbTimeout", 3]]
      )
      assert.deepStrictEqual(ids(result.enriched), ["p1"])
      assert.strictEqual(interrupted, 2)
      assert.strictEqual(result.status.timedOut, 2)
    }).pipe(Effect.provide(world))
  )

  it.effect("is over even if it cannot be interrupted, and its late answer counts for nothing", () =>
    Effect.gen(function* () {
      const policy = { timeout: "1 second", retry: { attemptsMax: 1 }, whileUnavailable: "fail" } as const
      const result = yield* answersTo(lines(1), policy, (claimId) =>
        Effect.uninterruptible(Effect.delay(Effect.succeed(claimOf(claimId)), "20 seconds"))
      )
      assert.deepStrictEqual(result.enriched, [])
      assert.strictEqual(result.failed.length, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("belongs to a record that has a deadline: it fails then, whatever the policy's patience", () =>
    Effect.gen(function* () {
      const policy = { timeout: "1 hour", deadline: "10 seconds" } as const
      const result = yield* answersTo(lines(3), policy, (claimId) =>
        claimId === "C1" ? Effect.succeed(claimOf(claimId)) : Effect.never
      )
      assert.deepStrictEqual(result.failed.map(({ id, status }) => `${id} ${status}`).toSorted(), [
        "p0 DbTimeout",
        "p2 DbTimeout"
      ])
      assert.deepStrictEqual(ids(result.enriched), ["p1"])
    }).pipe(Effect.provide(world))
  )
})

describe("while the other side is unavailable", () => {
  it.effect("records wait and the source pauses; when it is back they are answered, none failed", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(200))
      let up = false
      const { fiber, lookup, stage } = yield* started(
        { capacity: 32, concurrency: 8 },
        { lookup: (claimId) => (up ? Effect.succeed(claimOf(claimId)) : new DbError({ message: "down" })) }
      )
      yield* TestClock.adjust(60_000)
      assert.isAtMost(stage().in, 32)
      assert.strictEqual(lookup().breaker, "open")
      // ten failures and those that were under way with them, then one probe at a time
      assert.isBelow(lookup().calls, 10 + 8 + 60)
      assert.deepStrictEqual(yield* failedSoFar, [])
      up = true
      yield* TestClock.adjust(5000)
      assert.strictEqual((yield* enriched).length, 200)
      assert.deepStrictEqual(yield* failedSoFar, [])
      assert.strictEqual(lookup().breaker, "closed")
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("records fail at once where the policy says so, and few are asked about", () =>
    Effect.gen(function* () {
      const policy = {
        whileUnavailable: "fail",
        concurrency: 1,
        breaker: { failures: 5 },
        retry: { attemptsMax: 1 }
      } as const
      const result = yield* answersTo(lines(100), policy, () => new DbTimeout({ message: "slow" }))
      assert.strictEqual(result.failed.length, 100)
      const statuses = result.failed.map(({ status }) => status)
      assert.isAtLeast(statuses.filter((status) => status === "DbError").length, 90)
      assert.isBelow(result.asked.length, 10)
      assert.strictEqual(result.status.opened > 0, true)
    }).pipe(Effect.provide(world))
  )

  it.effect("the breaker lets few probes through, and opens again when they fail", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(50))
      const service = scripted(() => new DbError({ message: "down" }))
      const { fiber, lookup } = yield* started(
        { concurrency: 1, breaker: { failures: 10, openFor: "10 seconds", probesMax: 2 } },
        service
      )
      yield* TestClock.adjust(5000)
      assert.strictEqual(service.asked.length, 10)
      yield* TestClock.adjust(10_000)
      assert.strictEqual(service.asked.length, 11)
      assert.strictEqual(lookup().opened, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("an other side that asks for patience gets it", () =>
    Effect.gen(function* () {
      const result = yield* answersTo(lines(1), {}, (claimId, n) =>
        n < 3 ? new DbError({ message: "soon", retryAfterMs: 30_000 }) : Effect.succeed(claimOf(claimId))
      )
      assert.deepStrictEqual(ids(result.enriched), ["p0"])
      const [first, second, third] = result.asked
      assert.isAtLeast(second!.atMs - first!.atMs, 30_000)
      assert.isAtLeast(third!.atMs - second!.atMs, 30_000)
    }).pipe(Effect.provide(world))
  )
})

const failedSoFar = Effect.map(
  Effect.orElseSucceed(readAll("failed"), () => []),
  (records) => records.map(({ value }) => value)
)

describe("a lookup's cache", () => {
  const ask = (policy: Lookup.LookupPolicy, script: Script, claims: number) =>
    answersTo(lines(100, claims), { concurrency: 4, ...policy }, script)

  it.effect("asks about a key once, also when several records want it at once", () =>
    Effect.gen(function* () {
      const result = yield* ask({ cache: { entriesMax: 10, ttl: "1 hour" } }, found, 5)
      assert.strictEqual(result.asked.length, 5)
      assert.deepStrictEqual(ids(result.enriched).toSorted(), all(100).toSorted())
    }).pipe(Effect.provide(world))
  )

  it.effect("asks again when an answer is too old", () =>
    Effect.gen(function* () {
      const slow: Script = (claimId) => Effect.delay(found(claimId, 1), "3 seconds")
      const policy = { capacity: 4, cache: { entriesMax: 10, ttl: "10 seconds" } } as const
      const result = yield* answersTo(lines(100, 50), { ...policy, concurrency: 1 }, slow)
      assert.isAbove(result.asked.length, 90)
    }).pipe(Effect.provide(world))
  )

  it.effect("holds no more than it may, and forgets what was used longest ago", () =>
    Effect.gen(function* () {
      const result = yield* ask({ capacity: 1, cache: { entriesMax: 3, ttl: "1 hour" } }, found, 10)
      assert.strictEqual(result.status.cacheSize, 3)
      assert.strictEqual(result.status.cacheMisses + result.status.cacheHits, 100)
    }).pipe(Effect.provide(world))
  )

  it.effect("remembers that there is nothing as long as it is told to", () =>
    Effect.gen(function* () {
      const nothing: Script = () => new ClaimNotFound({ message: "no claim" })
      const with_ = yield* ask({ capacity: 1, cache: { entriesMax: 9, ttl: "1h", negativeTtl: "1h" } }, nothing, 2)
      assert.strictEqual(with_.asked.length, 2)
      assert.strictEqual(with_.status.cacheNegativeHits, 98)
      assert.strictEqual(with_.failed.length, 100)
    }).pipe(Effect.provide(world))
  )

  it.effect("remembers no failure that is not an answer", () =>
    Effect.gen(function* () {
      const once: Script = (claimId, n) => (n === 1 ? new DbError({ message: "down" }) : found(claimId, n))
      const result = yield* ask({ cache: { entriesMax: 9, ttl: "1h", negativeTtl: "1h" } }, once, 2)
      assert.strictEqual(result.enriched.length, 100)
      assert.strictEqual(result.asked.length, 4)
    }).pipe(Effect.provide(world))
  )
})

describe("a lookup in batches", () => {
  const batched = Effect.fnUntraced(function* (
    records: ReturnType<typeof lines>,
    lookupMany: NonNullable<ClaimsShape["lookupMany"]>,
    policy: Lookup.LookupPolicy
  ) {
    yield* append(Payments, records)
    const sizes: Array<number> = []
    const shape: ClaimsShape = {
      lookup: () => Effect.die("asked one by one"),
      lookupMany: (keys) => {
        sizes.push(keys.length)
        return lookupMany(keys)
      }
    }
    yield* hurried(runToEnd(claimsJob(policy)).pipe(Effect.provide(Layer.succeed(Claims, shape))))
    return { sizes, enriched: yield* enriched, failed: yield* failed }
  })

  it.effect("asks about many keys in one call, each with its own result", () =>
    Effect.gen(function* () {
      const many = (keys: ReadonlyArray<string>) =>
        Effect.succeed(
          keys.map((key) =>
            key === "C7" ? Result.fail(new ClaimNotFound({ message: "none" })) : Result.succeed(claimOf(key))
          )
        )
      const result = yield* batched(lines(100), many, { batch: { keysMax: 30 } })
      assert.isAtMost(Math.max(...result.sizes), 30)
      assert.strictEqual(
        result.sizes.reduce((sum, size) => sum + size, 0),
        100
      )
      assert.isAtMost(result.sizes.length, 12)
      assert.strictEqual(result.enriched.length, 99)
      for (const { id, member_id } of result.enriched) assert.strictEqual(member_id, `M-C${id.slice(1)}`)
      assert.deepStrictEqual(ids(result.failed), ["p7"])
    }).pipe(Effect.provide(world))
  )

  it.effect("takes a failed call for every key's failure, and asks again", () =>
    Effect.gen(function* () {
      let calls = 0
      const many = (keys: ReadonlyArray<string>) =>
        ++calls % 2 === 1
          ? new DbError({ message: "down" })
          : Effect.succeed(keys.map((key) => Result.succeed(claimOf(key))))
      const result = yield* batched(lines(20), many, { batch: { keysMax: 100 }, concurrency: 1 })
      assert.strictEqual(result.enriched.length, 20)
    }).pipe(Effect.provide(world))
  )

  it.effect("dead-letters what a call with too few results leaves in doubt", () =>
    Effect.gen(function* () {
      const result = yield* batched(lines(5), () => Effect.succeed([]), { batch: { keysMax: 10 } })
      assert.strictEqual(result.enriched.length + result.failed.length, 0)
      assert.strictEqual((yield* readAll("dead-letter")).length, 5)
    }).pipe(Effect.provide(world))
  )
})

describe("the bounds of a lookup", () => {
  it.effect("keep the calls at once below the number that is given", () =>
    Effect.gen(function* () {
      let now = 0
      let most = 0
      const counted: Script = (claimId) =>
        Effect.acquireUseRelease(
          Effect.sync(() => (most = Math.max(most, ++now))),
          () => Effect.delay(found(claimId, 1), "100 millis"),
          () => Effect.sync(() => now--)
        )
      yield* answersTo(lines(100), { concurrency: 7 }, counted)
      assert.strictEqual(most, 7)
    }).pipe(Effect.provide(world))
  )

  it.effect("keep calls a second below the rate that is given", () =>
    Effect.gen(function* () {
      const policy = { rate: { callsPerSecond: 10, burst: 5 } }
      yield* append(Payments, lines(100))
      const service = scripted(found)
      const { fiber } = yield* started(policy, service)
      yield* TestClock.adjust(2000)
      assert.isAtMost(service.asked.length, 5 + 21)
      for (let second = 0; second < 10; second++) yield* TestClock.adjust(1000)
      assert.strictEqual((yield* enriched).length, 100)
      for (const [index, { atMs }] of service.asked.entries()) {
        const later = service.asked.filter((other, at) => at >= index && other.atMs < atMs + 1000)
        assert.isAtMost(later.length, 16)
      }
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})

describe("the order of a lookup", () => {
  // later records are answered sooner
  const backwards: Script = (claimId) =>
    Effect.delay(found(claimId, 1), Math.max(1, 1000 - 10 * Number(claimId.slice(1))))
  const orderOf = (records: ReadonlyArray<{ readonly id: string }>, partition: ReadonlySet<string>) =>
    ids(records).filter((id) => partition.has(id))

  for (const order of ["ordered", "unordered"] as const) {
    const what =
      order === "ordered" ? "that of its records" : "that of the answers, where the policy gives up the other"
    it.effect(`is ${what}, in each partition`, () =>
      Effect.gen(function* () {
        const result = yield* answersTo(lines(50), { concurrency: 50, order }, backwards)
        const inputs = yield* readAll("payments")
        for (const partition of [0, 1]) {
          const own = ids(
            inputs
              .filter((line) => line.partition === partition)
              .map(({ value }) => JSON.parse(value) as { id: string })
          )
          assert.isAbove(own.length, 10)
          assert.deepStrictEqual(orderOf(result.enriched, new Set(own)), order === "ordered" ? own : own.toReversed())
        }
      }).pipe(Effect.provide(world))
    )
  }
})

describe("a record in flight", () => {
  it.effect("holds the watermark where it was, as the monitor tells it and as it is committed", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(20))
      let hanging = true
      const { fiber, stage } = yield* started(
        { concurrency: 100, order: "unordered" },
        {
          lookup: (claimId) =>
            Effect.suspend(() => (hanging && claimId === "HANGS" ? Effect.never : Effect.succeed(claimOf(claimId))))
        }
      )
      const committed = Effect.map(jobProgress([claimsJob({})]), ([progress]) => progress?.watermarkMs)
      yield* TestClock.adjust(1_000)
      yield* append(Payments, [paymentLine(100, "HANGS")])
      yield* TestClock.adjust(1_000)
      yield* append(Payments, [paymentLine(1_000, "C1"), paymentLine(1_001, "C2"), paymentLine(1_002, "C4")])
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* enriched).length, 23)
      const held = yield* committed
      assert.strictEqual(held, stage().watermarkMs)
      assert.isBelow(held ?? Number.POSITIVE_INFINITY, Date.UTC(2026, 0, 14) + 100_000)
      hanging = false
      // it is asked again after its timeout
      yield* TestClock.adjust(30_000)
      assert.strictEqual((yield* enriched).length, 24)
      const free = yield* committed
      assert.strictEqual(free, stage().watermarkMs)
      assert.isAbove(free ?? 0, Date.UTC(2026, 0, 14) + 900_000)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})

describe("a job that is interrupted", () => {
  it.effect("interrupts its calls and commits nothing for them; the next one asks again", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines(10))
      let interrupted = 0
      const { fiber, lookup, stage } = yield* started(
        { concurrency: 10 },
        {
          lookup: () =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sleep(500),
                Effect.sync(() => void interrupted++)
              )
            )
        }
      )
      yield* eventually(
        "calls",
        Effect.sync(() => lookup().inFlight === 10)
      )
      yield* TestClock.adjust(1000)
      assert.strictEqual(stage().in, 10)
      // no watermark passes a record in flight
      assert.isUndefined(stage().watermarkMs)
      const ending = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust(499)
      // a job has ended when its calls have: what they use may then be closed
      assert.isUndefined(ending.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(ending)
      assert.strictEqual(interrupted, 10)
      assert.strictEqual((yield* readAll("enriched")).length, 0)
      const service = scripted(found)
      yield* hurried(runToEnd(claimsJob({})).pipe(Effect.provide(service.layer)))
      assert.deepStrictEqual(ids(yield* enriched).toSorted(), all(10).toSorted())
      assert.strictEqual(service.asked.length, 10)
    }).pipe(Effect.provide(world))
  )
})
