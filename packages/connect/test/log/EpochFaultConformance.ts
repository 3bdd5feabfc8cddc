/**
 * Conformance of a log's epochs when they fail half way: nothing torn, nothing seen early, unknown outcomes readable.
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import type { LogShape } from "@frazil/engine"
import { atFaultPoint, commitOf, connect, type FreshLog, pack, readAll, reasonOf, shardOf } from "./LogFixture.ts"

const commitBoth = (log: LogShape, owner: string, epochRead: number) =>
  log.commit({
    owner,
    shards: [0, 1].map((shard) =>
      commitOf(shardOf(shard), epochRead, {
        delta: Uint8Array.of(epochRead),
        detail: { epochRead },
        outputs: [{ topic: "a", partition: shard, records: pack(`${owner}-${epochRead}`) }]
      })
    )
  })

/** How many epochs can be seen, in every place that shows them; they must agree. */
const epochsSeen = Effect.fnUntraced(function* (log: LogShape) {
  const seen: Array<number> = []
  for (const shard of [0, 1]) {
    seen.push((yield* readAll(log, "a", shard)).values.length)
    seen.push((yield* log.deltas(shardOf(shard), 0)).length)
    seen.push((yield* log.inForce(shardOf(shard)))?.epoch ?? 0)
  }
  assert.strictEqual(new Set(seen).size, 1, `outputs, deltas and records in force differ: ${seen.join(", ")}`)
  return seen[0]!
})

const prepared = Effect.fnUntraced(function* (fresh: FreshLog) {
  const layer = yield* fresh
  const log = yield* connect(layer)
  yield* log.ensureTopic({ name: "a", partitions: 2 })
  yield* log.fence("me", [shardOf(0), shardOf(1)])
  yield* commitBoth(log, "me", 0)
  return { layer, log, other: yield* connect(layer) }
})

export const epochFaultConformance = (fresh: FreshLog): void => {
  it.live("a crash inside an epoch's transaction leaves nothing of it; the next owner commits the same epoch", () =>
    Effect.gen(function* () {
      const { log, other } = yield* prepared(fresh)
      const crashed = yield* Effect.exit(
        commitBoth(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", Effect.die("crash")))
      )
      assert.isTrue(Exit.hasDies(crashed))
      assert.strictEqual(yield* epochsSeen(other), 1)
      assert.strictEqual(yield* epochsSeen(log), 1)
      const [first, second] = yield* other.fence("next", [shardOf(0), shardOf(1)])
      assert.strictEqual(first!.epoch, 1)
      assert.strictEqual(second!.epoch, 1)
      yield* commitBoth(other, "next", 1)
      assert.strictEqual(yield* epochsSeen(log), 2)
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values, ["me-0", "next-1"])
    })
  )

  it.live("an interruption inside an epoch's transaction leaves nothing of it", () =>
    Effect.gen(function* () {
      const { log, other } = yield* prepared(fresh)
      const reached = yield* Deferred.make<void>()
      const halt = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      const fiber = yield* Effect.forkChild(
        commitBoth(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", Effect.asVoid(halt)))
      )
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* epochsSeen(other), 1)
      yield* commitBoth(log, "me", 1)
      assert.strictEqual(yield* epochsSeen(other), 2)
    })
  )

  it.live("nobody sees an epoch before it is committed: not another connection, not its own", () =>
    Effect.gen(function* () {
      const { log, other } = yield* prepared(fresh)
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const halt = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      const fiber = yield* Effect.forkChild(commitBoth(log, "me", 1).pipe(atFaultPoint("during-epoch-commit", halt)))
      yield* Deferred.await(reached)
      assert.strictEqual(yield* epochsSeen(other), 1)
      const own = yield* Effect.forkChild(epochsSeen(log), { startImmediately: true })
      const early = yield* Effect.timeoutOption(Fiber.join(own), 20)
      assert.include([undefined, 1], early._tag === "Some" ? early.value : undefined)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* epochsSeen(other), 2)
    })
  )

  it.live("rule 5: an answer lost before the commit is an unknown outcome, and reading back says: not committed", () =>
    Effect.gen(function* () {
      const { log, other } = yield* prepared(fresh)
      const lost = commitBoth(log, "me", 1).pipe(atFaultPoint("epoch-unknown", Effect.die("lost"), 1))
      assert.strictEqual(yield* reasonOf(lost), "OutcomeUnknown")
      const [inForce] = yield* log.fence("me-again", [shardOf(0), shardOf(1)])
      assert.strictEqual(inForce!.epoch, 1)
      assert.strictEqual(yield* epochsSeen(other), 1)
      yield* commitBoth(log, "me-again", 1)
      assert.strictEqual(yield* epochsSeen(other), 2)
    })
  )

  it.live("rule 5: an answer lost after the commit is an unknown outcome, and reading back says: committed", () =>
    Effect.gen(function* () {
      const { log, other } = yield* prepared(fresh)
      const lost = commitBoth(log, "me", 1).pipe(atFaultPoint("epoch-unknown", Effect.die("lost"), 2))
      assert.strictEqual(yield* reasonOf(lost), "OutcomeUnknown")
      const [inForce] = yield* log.fence("me-again", [shardOf(0), shardOf(1)])
      assert.strictEqual(inForce!.epoch, 2)
      assert.deepStrictEqual(inForce!.detail, { epochRead: 1 })
      assert.strictEqual(yield* epochsSeen(other), 2)
      // what was committed is not committed again
      assert.strictEqual(yield* reasonOf(commitBoth(log, "me-again", 1)), "Fenced")
      yield* commitBoth(log, "me-again", 2)
      assert.strictEqual(yield* epochsSeen(other), 3)
    })
  )
}
