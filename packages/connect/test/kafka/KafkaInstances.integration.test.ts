/** Instances on a real broker: who has what when they come, stop, die and come again. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { sharedKafka } from "@frazil/sim/kafka"
import { Consumer } from "@platformatic/kafka"
import { Effect, Exit, Scope } from "effect"
import { type KafkaInstancesOptions, makeKafkaInstances } from "../../src/kafka/instances/KafkaInstances.ts"

const kafka = sharedKafka(19_398)
beforeAll(kafka.start)
afterAll(kafka.stop)

const works = ["job/topic/0", "job/topic/1", "job/topic/2", "job/topic/3", "land.topic/landing/0"]

/** An instance that ends when its scope is closed, or dies with the test's: then it says no goodbye. */
const join = Effect.fnUntraced(function* (group: string, name: string, options: Partial<KafkaInstancesOptions> = {}) {
  const scope = yield* Scope.make()
  const { instances, lost, members } = yield* Scope.provide(
    makeKafkaInstances({ brokers: [kafka.broker], group, name, ...options }),
    scope
  )
  yield* instances.offer(works)
  return {
    has: () => works.filter((work) => instances.share().has(work)),
    generation: () => instances.share().generation,
    confirmed: instances.confirmed,
    lost,
    members,
    leave: Scope.close(scope, Exit.void)
  }
})

/** Longer than a test waits: what moves in such a group moves without a session that ends. */
const long = { sessionTimeoutMs: 90_000 }
const waitMsMax = 60_000

/** Waits until it holds; how long that took, in milliseconds. */
const until = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    const startedAt = performance.now()
    while (!holds()) {
      if (performance.now() - startedAt > waitMsMax) return yield* Effect.die(new Error(`it never was: ${what}`))
      yield* Effect.sleep(20)
    }
    return performance.now() - startedAt
  })

const all = (...shares: ReadonlyArray<ReadonlyArray<string>>) => shares.flat().toSorted()

describe("instances on Kafka", () => {
  it.live("share works evenly when one comes, each with one of them, and all are one's when the other stops", () =>
    Effect.gen(function* () {
      const first = yield* join("share", "first", long)
      yield* until("the first has all", () => first.has().length === 5)
      const second = yield* join("share", "second", long)
      yield* until("both have some", () => second.has().length >= 2 && first.has().length <= 3)
      assert.deepStrictEqual(all(first.has(), second.has()), works.toSorted())
      assert.deepStrictEqual((yield* first.members).toSorted(), ["first", "second"])
      yield* second.leave
      yield* until("the first has all again", () => first.has().length === 5)
      assert.deepStrictEqual(yield* first.members, ["first"])
      yield* first.leave
    })
  )

  it.live("that died and come again under their name have what they had, and others notice nothing", () =>
    Effect.gen(function* () {
      const first = yield* join("static", "first", long)
      // it keeps its place at its end, as one that is killed does
      const second = yield* join("static", "second", { staysAtEnd: true, ...long })
      yield* until("both have some", () => second.has().length >= 2 && first.has().length <= 3)
      const [had, generation] = [second.has(), first.generation()]
      yield* second.leave
      const again = yield* join("static", "second", long)
      yield* until("it has what it had", () => again.has().length === had.length)
      assert.deepStrictEqual(again.has(), had)
      assert.strictEqual(first.generation(), generation)
      yield* again.leave
      yield* first.leave
    })
  )

  it.live("that died and do not come again lose their work and their places after the session's time", () =>
    Effect.gen(function* () {
      const first = yield* join("dead", "first", { staysAtEnd: true })
      const second = yield* join("dead", "second", { staysAtEnd: true })
      yield* until("both have some", () => second.has().length >= 2 && first.has().length <= 3)
      yield* second.leave
      const took = yield* until("the first has all", () => first.has().length === 5)
      assert.isAbove(took, 3_000)
      const onlooker = yield* makeKafkaInstances({ brokers: [kafka.broker], group: "dead", name: "onlooker" })
      yield* first.leave
      assert.deepStrictEqual(yield* onlooker.members, ["first"])
      const lookedAt = performance.now()
      assert.deepStrictEqual(yield* onlooker.working, [])
      assert.isAbove(performance.now() - lookedAt, 3_000)
    }).pipe(Effect.scoped)
  )

  it.live("of one name: the one that came last goes on, the other is told", () =>
    Effect.gen(function* () {
      const first = yield* join("name", "same")
      yield* until("it has all", () => first.has().length === 5)
      const second = yield* join("name", "same")
      const error = yield* Effect.flip(first.lost)
      assert.strictEqual(error.reason, "Fenced")
      assert.match(error.message, /another instance named same has come: each needs a name of its own \(--instance\)/)
      yield* until("the second has all", () => second.has().length === 5)
      yield* second.leave
    })
  )

  it.live("ask who has what after a fence, and are told the share in force", () =>
    Effect.gen(function* () {
      const first = yield* join("asked", "first")
      yield* until("it has all", () => first.has().length === 5)
      const { has } = yield* first.confirmed
      assert.isTrue(works.every(has))
      yield* first.leave
    })
  )

  it.live("do not join a group that another program uses", () =>
    Effect.gen(function* () {
      const other = new Consumer({ groupId: "taken", clientId: "other", bootstrapBrokers: [kafka.broker] })
      yield* Effect.promise(() => other.joinGroup({}))
      const instance = yield* join("taken", "first")
      const error = yield* Effect.flip(instance.lost)
      assert.strictEqual(error.reason, "Refused")
      assert.match(error.message, /group taken in Kafka at .* is used by another program/)
      yield* Effect.promise(() => other.close(true))
    })
  )
})
