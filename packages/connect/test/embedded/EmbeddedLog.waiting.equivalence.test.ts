/**
 * Who waits at the end of a partition is woken by what concerns it, and an end that is known without a transaction is the
 * same as one that is looked up: whatever this connection and others commit, lose, trim, delete and make anew.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { LogShape } from "@frazil/engine"
import { Effect, Fiber } from "effect"
import type { Database } from "../../src/embedded/Database.ts"
import { makeEmbeddedLog } from "../../src/embedded/EmbeddedLog.ts"
import { makePartitionEnds } from "../../src/embedded/PartitionEnds.ts"
import { atFaultPoint, commitOf, pack, shardOf } from "../log/LogFixture.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const wide = { recordsMax: 1_000, bytesMax: 1_000_000 }
const topics = ["a", "b"]
const partitions = 2

const openTwo = Effect.gen(function* () {
  const file = join(yield* temporaryFolder, "log.db")
  const own = yield* makeEmbeddedLog({ file, pollMs: 5 })
  const other = yield* makeEmbeddedLog({ file, pollMs: 5 })
  for (const name of topics) yield* own.ensureTopic({ name, partitions })
  return { own, other }
})

/** An integer below `bound`, the same sequence for the same seed. */
const seeded = (seed: number) => {
  let state = seed >>> 0
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * bound)
  }
}

interface Model {
  /** Records that each partition has had. */
  readonly ends: Map<string, Array<number>>
  epoch: number
}

const append = Effect.fnUntraced(function* (log: LogShape, topic: string, partition: number, name: string) {
  const producer = yield* log.producer(name)
  yield* producer.append(producer.nextSequence, [{ topic, partition, records: pack("x") }])
}, Effect.scoped)

/** An epoch with one output; `fate` says whether it is kept, and whether its caller learns so. */
const epoch = Effect.fnUntraced(function* (
  log: LogShape,
  model: Model,
  to: { readonly topic: string; readonly partition: number },
  fate: "told" | "lost" | "undone"
) {
  const owner = `owner-${model.epoch}`
  yield* log.fence(owner, [shardOf(0)])
  const commit = log.commit({
    owner,
    shards: [commitOf(shardOf(0), model.epoch, { outputs: [{ ...to, records: pack("x") }] })]
  })
  if (fate === "told") yield* commit
  else if (fate === "undone") yield* Effect.exit(commit.pipe(atFaultPoint("during-epoch-commit", Effect.die("crash"))))
  else {
    // crossed twice: the second time the epoch is kept
    const failed = yield* Effect.flip(commit.pipe(atFaultPoint("epoch-unknown", Effect.die("lost"), 2)))
    assert.strictEqual(failed.reason, "OutcomeUnknown")
  }
  if (fate === "undone") return
  model.epoch++
  model.ends.get(to.topic)![to.partition]!++
})

/** Something that happens to the log, by either connection. */
const step = Effect.fnUntraced(function* (log: LogShape, model: Model, below: (bound: number) => number, n: number) {
  const topic = topics[below(topics.length)]!
  const partition = below(partitions)
  const ends = model.ends.get(topic)!
  const kind = below(12)
  if (kind < 4) {
    yield* append(log, topic, partition, `producer-${n}`)
    ends[partition]!++
  } else if (kind < 9) yield* epoch(log, model, { topic, partition }, (["told", "lost", "undone"] as const)[kind % 3]!)
  else if (kind === 9) yield* log.trim(topic, partition, below(ends[partition]! + 1))
  else if (kind === 10) yield* log.dropDeltas(`owner-${model.epoch}`, shardOf(0), 0).pipe(Effect.ignore)
  else {
    yield* log.deleteTopic(topic)
    yield* log.ensureTopic({ name: topic, partitions })
    ends.fill(0)
  }
})

/** Every partition is read at its end, where nothing follows, and just before it, where something does. */
const sameEnds = Effect.fnUntraced(function* (log: LogShape, model: Model, n: number) {
  for (const [topic, ends] of model.ends) {
    for (const [partition, end] of ends.entries()) {
      const at = yield* Effect.result(log.read(topic, partition, end, wide))
      assert.strictEqual(at._tag, "Success", `step ${n}: reading ${topic}/${partition} at ${end}`)
      if (at._tag === "Success") assert.deepInclude(at.success, { length: 0, next: end })
      const beyond = yield* Effect.result(log.read(topic, partition, end + 1, wide))
      assert.strictEqual(beyond._tag, "Failure", `step ${n}: ${topic}/${partition} ends before ${end + 1}`)
    }
  }
})

describe("an end that is known without a transaction", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it.live(`is the end that is looked up (seed ${seed})`, () =>
      Effect.gen(function* () {
        const { other, own } = yield* openTwo
        const below = seeded(seed)
        const model: Model = { ends: new Map(topics.map((topic) => [topic, [0, 0]])), epoch: 0 }
        yield* sameEnds(own, model, 0)
        for (let n = 1; n <= 60; n++) {
          const before = new Map([...model.ends].map(([topic, ends]) => [topic, [...ends]]))
          yield* step(below(2) === 0 ? own : other, model, below, n)
          for (const [topic, ends] of before) {
            for (const [partition, end] of ends.entries()) {
              if (model.ends.get(topic)![partition]! <= end) continue
              // who stood at the end before sees what came
              const batch = yield* own.read(topic, partition, end, wide)
              assert.strictEqual(batch.next, model.ends.get(topic)![partition], `step ${n}: ${topic}/${partition}`)
            }
          }
          yield* sameEnds(own, model, n)
        }
      }).pipe(Effect.scoped)
    )
  }
})

it("an end is not known while the file's version cannot be read, and after it changed", () => {
  let version: () => number = () => 1
  const ends = makePartitionEnds({ first: () => ({ data_version: version() }) } as unknown as Database) // asked for its version only
  ends.note("a", 0, 7, ends.version())
  assert.isTrue(ends.is("a", 0, 7))
  assert.isFalse(ends.is("a", 0, 6))
  assert.isFalse(ends.is("a", 1, 7))
  version = () => {
    throw new Error("disk I/O error")
  }
  assert.isFalse(ends.is("a", 0, 7))
  version = () => 2
  ends.note("a", 0, 8, 2)
  version = () => 3
  assert.isFalse(ends.is("a", 0, 8))
  // what was known of the old version is not taken for the new one
  ends.note("b", 0, 1, 3)
  assert.isFalse(ends.is("a", 0, 8))
})

describe("who waits for a topic", () => {
  it.live("is woken by an append to it, of either connection, and not by this connection's to another", () =>
    Effect.gen(function* () {
      const { other, own } = yield* openTwo
      const woken: Array<string> = []
      const waiter = yield* Effect.forkChild(
        Effect.tap(own.awaitAppend(60_000, ["a"]), () => Effect.sync(() => woken.push("a"))),
        { startImmediately: true }
      )
      const anything = yield* Effect.forkChild(own.awaitAppend(60_000), { startImmediately: true })
      yield* append(own, "b", 0, "p1")
      yield* Fiber.join(anything)
      yield* Effect.sleep(30)
      assert.deepStrictEqual(woken, [])
      yield* append(own, "a", 1, "p2")
      yield* Fiber.join(waiter)
      const again = yield* Effect.forkChild(own.awaitAppend(60_000, ["a"]), { startImmediately: true })
      yield* append(other, "a", 0, "p3")
      yield* Fiber.join(again)
    }).pipe(Effect.scoped)
  )

  it.live("is woken by a commit whose outcome its writer did not learn", () =>
    Effect.gen(function* () {
      const { own } = yield* openTwo
      const model: Model = { ends: new Map([["a", [0, 0]]]), epoch: 0 }
      assert.strictEqual((yield* own.read("a", 0, 0, wide)).length, 0)
      const waiter = yield* Effect.forkChild(own.awaitAppend(60_000, ["a"]), { startImmediately: true })
      yield* epoch(own, model, { topic: "a", partition: 0 }, "lost")
      yield* Fiber.join(waiter)
      assert.strictEqual((yield* own.read("a", 0, 0, wide)).length, 1)
    }).pipe(Effect.scoped)
  )
})
