/**
 * The log on Kafka while owners halt, brokers die, stop or change: what was committed is there once, what was not is nowhere.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { LogShape } from "@frazil/engine"
import { sharedKafka } from "@frazil/sim/kafka"
import { Deferred, Effect, Fiber } from "effect"
import { KafkaLog, type KafkaLogOptions } from "../../src/kafka/KafkaLog.ts"
import {
  appendValues,
  atFaultPoint,
  commitOf,
  connect,
  numbered,
  pack,
  readAll,
  reasonOf,
  shardOf,
  valuesOf
} from "../log/LogFixture.ts"

const kafka = sharedKafka(19_492, {
  more: [
    // the controller waits as long before it lets a broker back in that was killed
    "broker.session.timeout.ms=1500",
    "broker.heartbeat.interval.ms=300",
    // how often a coordinator looks for transactions that are too old
    "transaction.abort.timed.out.transaction.cleanup.interval.ms=300"
  ].join("\\n")
})
beforeAll(kafka.start, 120_000)
afterAll(kafka.stop, 60_000)

let logs = 0

/** Connections to one new log. */
const freshLog = (more: Partial<KafkaLogOptions> = {}) => {
  const prefix = `faults${logs++}.`
  return connect(KafkaLog.layer({ brokers: [kafka.broker], prefix, ...more })).pipe(
    Effect.map((log) => ({ log, prefix }))
  )
}
const again = (prefix: string, more: Partial<KafkaLogOptions> = {}) =>
  connect(KafkaLog.layer({ brokers: [kafka.broker], prefix, ...more }))

const commit = (log: LogShape, owner: string, epochRead: number, value = `${owner}-${epochRead}`) =>
  log.commit({
    owner,
    shards: [
      commitOf(shardOf(0), epochRead, {
        delta: Uint8Array.of(epochRead),
        detail: { epochRead },
        outputs: [0, 1].map((partition) => ({ topic: "a", partition, records: pack(value) }))
      })
    ]
  })

/** Both partitions, deltas and the record in force agree; the values. */
const whole = Effect.fnUntraced(function* (log: LogShape) {
  const [left, right] = [yield* readAll(log, "a", 0), yield* readAll(log, "a", 1)]
  assert.deepStrictEqual(left.values, right.values)
  const epochs = (yield* log.deltas(shardOf(0), 0)).map(({ epoch }) => epoch)
  assert.deepStrictEqual(
    epochs,
    [...left.values.keys()].map((index) => index + 1)
  )
  assert.strictEqual((yield* log.inForce(shardOf(0)))?.epoch ?? 0, left.values.length)
  return left.values
})

/** Commits as a task does: after any failure it takes the shard again, reads back, and goes on from there. */
const commitAll = Effect.fnUntraced(function* (
  log: LogShape,
  count: number,
  between: Effect.Effect<void> = Effect.void
) {
  const reasons: Array<string> = []
  for (let incarnation = 0; ; incarnation++) {
    const outcome = yield* Effect.result(
      Effect.gen(function* () {
        const owner = `owner-${incarnation}`
        const [inForce] = yield* log.fence(owner, [shardOf(0)])
        for (let epoch = inForce?.epoch ?? 0; epoch < count; epoch++) {
          yield* commit(log, owner, epoch, `value-${epoch}`)
          yield* between
        }
      })
    )
    if (outcome._tag === "Success") return reasons
    const { failure } = outcome
    assert.include(["Unavailable", "OutcomeUnknown"], failure.reason, failure.message)
    reasons.push(failure.reason)
    assert.isBelow(incarnation, 50)
    yield* Effect.sleep(100)
  }
})

/** How long the coordinator waits for a transaction's end, and what is longer by some of its looks. */
const patienceMs = 1_000
const tooLongMs = 2_500

describe("a transaction that is late", () => {
  it.live("of a zombie, past the next owner's start and commit: nothing of it is seen, nothing is torn", () =>
    Effect.gen(function* () {
      const { log, prefix } = yield* freshLog()
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("zombie", [shardOf(0)])
      yield* commit(log, "zombie", 0)
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const halt = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      const late = yield* Effect.forkChild(
        Effect.result(commit(log, "zombie", 1).pipe(atFaultPoint("during-epoch-commit", halt)))
      )
      yield* Deferred.await(reached)
      const successor = yield* again(prefix)
      const [inForce] = yield* successor.fence("successor", [shardOf(0)])
      assert.strictEqual(inForce!.epoch, 1)
      yield* commit(successor, "successor", 1)
      yield* Deferred.succeed(goOn, undefined)
      const outcome = yield* Fiber.join(late)
      assert.strictEqual(outcome._tag === "Failure" ? outcome.failure.reason : "committed", "Fenced")
      yield* commit(successor, "successor", 2)
      for (const reader of [log, successor]) {
        assert.deepStrictEqual(yield* whole(reader), ["zombie-0", "successor-1", "successor-2"])
      }
      // the zombie does not come back by itself
      assert.strictEqual(yield* reasonOf(commit(log, "zombie", 3)), "Fenced")
    })
  )

  it.live("leaves its partitions open: nothing is found there, and not that nothing is there", () =>
    Effect.gen(function* () {
      const { log, prefix } = yield* freshLog()
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      const reader = yield* again(prefix)
      const at = (yield* reader.bounds("a"))[0]!.end
      const look = reader.read("a", 0, at, { recordsMax: 10, bytesMax: 1_000_000, now: true })
      assert.isUndefined((yield* look).open)
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const halt = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      const slow = yield* Effect.forkChild(commit(log, "me", 0).pipe(atFaultPoint("during-epoch-commit", halt)))
      yield* Deferred.await(reached)
      // another's record behind what is under way is committed, and nobody sees it yet
      const other = yield* again(prefix)
      yield* appendValues(other, "a", 0, pack("behind"))
      const found = yield* look
      assert.deepStrictEqual([found.length, found.open], [0, true])
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(slow)
      const all = yield* look
      assert.deepStrictEqual(valuesOf(all), ["me-0", "behind"])
      const rest = yield* reader.read("a", 0, all.next, { recordsMax: 10, bytesMax: 1_000_000, now: true })
      assert.deepStrictEqual([rest.length, rest.open], [0, undefined])
    })
  )

  it.live("past the coordinator's patience: no fence; its owner takes the shard again, and commits once", () =>
    Effect.gen(function* () {
      const { log } = yield* freshLog({ transactionTimeoutMs: patienceMs })
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      yield* commit(log, "me", 0)
      const slow = commit(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", Effect.sleep(tooLongMs)))
      assert.strictEqual(yield* reasonOf(slow), "OutcomeUnknown")
      const [inForce] = yield* log.fence("me-again", [shardOf(0)])
      assert.strictEqual(inForce!.epoch, 1)
      yield* commit(log, "me-again", 1)
      assert.deepStrictEqual(yield* whole(log), ["me-0", "me-again-1"])
    })
  )

  it.live("past the patience of a broker that stood still itself: no fence either", () =>
    Effect.gen(function* () {
      const { log } = yield* freshLog({ transactionTimeoutMs: patienceMs })
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      yield* commit(log, "me", 0)
      const pid = yield* kafka.server().pidNow
      const still = Effect.gen(function* () {
        process.kill(pid, "SIGSTOP")
        yield* Effect.sleep(tooLongMs)
        process.kill(pid, "SIGCONT")
        // until it has looked at its transactions
        yield* Effect.sleep(1_500)
      })
      assert.strictEqual(
        yield* reasonOf(commit(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", still))),
        "OutcomeUnknown"
      )
      yield* log.fence("me-again", [shardOf(0)])
      yield* commit(log, "me-again", 1)
      assert.deepStrictEqual(yield* whole(log), ["me-0", "me-again-1"])
    })
  )

  it.live("past the coordinator's patience, when another owner took the shard meanwhile: a fence", () =>
    Effect.gen(function* () {
      const { log, prefix } = yield* freshLog({ transactionTimeoutMs: patienceMs })
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      yield* commit(log, "me", 0)
      const successor = yield* again(prefix)
      const taken = Effect.andThen(Effect.sleep(tooLongMs), Effect.orDie(successor.fence("successor", [shardOf(0)])))
      const slow = commit(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", Effect.asVoid(taken)))
      assert.strictEqual(yield* reasonOf(slow), "Fenced")
      yield* commit(successor, "successor", 1)
      assert.deepStrictEqual(yield* whole(log), ["me-0", "successor-1"])
    })
  )

  it.live("past the coordinator's patience with two owners, the later one too: a fence for the earlier one alone", () =>
    Effect.gen(function* () {
      const { log, prefix } = yield* freshLog({ transactionTimeoutMs: patienceMs })
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      yield* commit(log, "me", 0)
      const successor = yield* again(prefix, { transactionTimeoutMs: patienceMs })
      // the coordinator says the same of both then: only the changelog tells them apart
      const both = Effect.gen(function* () {
        yield* successor.fence("successor", [shardOf(0)])
        const slow = commit(successor, "successor", 1).pipe(
          atFaultPoint("during-epoch-commit", Effect.sleep(tooLongMs))
        )
        assert.strictEqual(yield* reasonOf(slow), "OutcomeUnknown")
      }).pipe(Effect.orDie)
      const slow = commit(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", both))
      assert.strictEqual(yield* reasonOf(slow), "Fenced")
      assert.deepStrictEqual(yield* whole(log), ["me-0"])
    })
  )

  it.live("of a producer past the coordinator's patience: its batch is sent again, and is there once", () =>
    Effect.gen(function* () {
      const { log } = yield* freshLog({ transactionTimeoutMs: patienceMs })
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      const producer = yield* log.producer("p")
      const send = (sequence: number) =>
        producer.append(sequence, [{ topic: "a", partition: 0, records: pack(`value-${sequence}`) }])
      yield* send(0)
      const slow = send(1).pipe(atFaultPoint("during-epoch-commit", Effect.sleep(tooLongMs)))
      assert.strictEqual(yield* reasonOf(slow), "OutcomeUnknown")
      yield* send(1)
      yield* send(2)
      assert.deepStrictEqual((yield* readAll(log, "a")).values, numbered("value-", 3))
    })
  )
})

const count = 150

describe("a broker that goes away", () => {
  it.live(
    "kill -9 under commits: each is there once, in order; readers in another process see the same",
    () =>
      Effect.gen(function* () {
        const retryMs = 2_000
        const { log, prefix } = yield* freshLog({ requestTimeoutMs: 3_000, retryMs })
        yield* log.ensureTopic({ name: "a", partitions: 2 })
        const killing = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let kill = 0; kill < 3; kill++) {
              yield* Effect.sleep(700)
              yield* kafka.server().kill
              // once for longer than a commit tries, however quickly a broker starts
              if (kill === 1) yield* Effect.sleep(retryMs + 1_000)
              yield* kafka.server().start
            }
          })
        )
        const reasons = yield* commitAll(log, count, Effect.sleep(10))
        yield* Fiber.join(killing)
        assert.isAbove(reasons.length, 0)
        const expected = numbered("value-", count)
        assert.deepStrictEqual(yield* whole(log), expected)
        assert.deepStrictEqual(yield* whole(yield* again(prefix)), expected)
      }),
    400_000
  )

  it.live(
    "stopped for seconds and going on: as after a network that came back",
    () =>
      Effect.gen(function* () {
        const { log } = yield* freshLog({ requestTimeoutMs: 1_500, retryMs: 1_000 })
        yield* log.ensureTopic({ name: "a", partitions: 2 })
        const pid = kafka.server().pidNow
        const stopping = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let stop = 0; stop < 2; stop++) {
              yield* Effect.sleep(500)
              process.kill(yield* pid, "SIGSTOP")
              yield* Effect.sleep(4_000)
              process.kill(yield* pid, "SIGCONT")
            }
          })
        )
        const reasons = yield* commitAll(log, count, Effect.sleep(10))
        yield* Fiber.join(stopping)
        assert.isAbove(reasons.length, 0)
        assert.deepStrictEqual(yield* whole(log), numbered("value-", count))
      }),
    400_000
  )

  it.live(
    "a producer's batch whose fate was unknown is sent again, and is there once",
    () =>
      Effect.gen(function* () {
        const { log } = yield* freshLog({ requestTimeoutMs: 3_000, retryMs: 2_000 })
        yield* log.ensureTopic({ name: "a", partitions: 2 })
        const producer = yield* log.producer("p")
        const killing = yield* Effect.forkChild(
          Effect.gen(function* () {
            yield* Effect.sleep(300)
            yield* kafka.server().kill
            yield* kafka.server().start
          })
        )
        for (let sequence = 0; sequence < count;) {
          const append = { topic: "a", partition: 0, records: pack(`value-${sequence}`) }
          const outcome = yield* Effect.result(producer.append(sequence, [append]))
          if (outcome._tag === "Success") sequence++
          else assert.include(["Unavailable", "OutcomeUnknown"], outcome.failure.reason, outcome.failure.message)
        }
        yield* Fiber.join(killing)
        assert.deepStrictEqual((yield* readAll(log, "a")).values, numbered("value-", count))
      }),
    400_000
  )
})
