/**
 * Conformance of a log's epochs: what one act commits, who may commit it, and the deltas that it leaves.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LogShape, SnapshotName, SourcePosition } from "@frazil/engine"
import { commitOf, connect, type FreshLog, openFresh, pack, readAll, reasonOf, shardOf } from "./LogFixture.ts"

export const epochConformance = (fresh: FreshLog): void => {
  acts(fresh)
  owners(fresh)
  deltas(fresh)
}

const snapshot = (epoch: number): SnapshotName => ({
  file: `job/stage/0/${epoch}-nonce`,
  epoch,
  sha256: "ab".repeat(32),
  bytes: 12_345
})

const acts = (fresh: FreshLog): void => {
  it.live(
    "rules 1, 3 and 9: the record in force comes back whole: positions with topic id and count, snapshots, detail",
    () =>
      Effect.gen(function* () {
        const layer = yield* fresh
        const log = yield* connect(layer)
        const topic = yield* log.ensureTopic({ name: "a", partitions: 4 })
        const positions: ReadonlyArray<SourcePosition> = [
          { topic: "a", topicId: topic.id, partitions: topic.partitions, offset: 2 ** 40 }
        ]
        const detail = { watermark: 1.5, idle: [true, false], text: "ü", nothing: null, nested: { finished: false } }
        const [none] = yield* log.fence("me", [shardOf(0)])
        assert.isUndefined(none)
        assert.isUndefined(yield* log.inForce(shardOf(0)))
        assert.deepStrictEqual(yield* log.shards, [])
        const snapshots = [snapshot(0), snapshot(-1)]
        yield* log.commit({
          owner: "me",
          shards: [commitOf(shardOf(0), 0, { positions, snapshots, detail })]
        })
        const expected = { epoch: 1, positions, snapshots, detail }
        const other = yield* connect(layer)
        assert.deepStrictEqual(yield* other.inForce(shardOf(0)), expected)
        assert.deepStrictEqual(yield* other.fence("other", [shardOf(0)]), [expected])
        assert.deepStrictEqual(yield* other.shards, [shardOf(0)])
      })
  )

  it.live("outputs, delta and record in force become visible together, outputs in order", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      for (let epoch = 0; epoch < 3; epoch++) {
        const appended = yield* log.commit({
          owner: "me",
          shards: [
            commitOf(shardOf(0), epoch, {
              delta: Uint8Array.of(epoch),
              outputs: [
                { topic: "a", partition: 1, records: pack(`${epoch}-x`, `${epoch}-y`) },
                { topic: "a", partition: 0, records: pack(`${epoch}-z`) },
                { topic: "a", partition: 1, records: pack(`${epoch}-w`) }
              ]
            })
          ]
        })
        const batch = yield* readAll(log, "a", 1)
        assert.strictEqual(appended[0]!.offset, batch.offsets[epoch * 3])
        assert.strictEqual(appended[2]!.offset, batch.offsets[epoch * 3 + 2])
        assert.deepStrictEqual(
          appended.map(({ topic, partition }) => `${topic}/${partition}`),
          ["a/1", "a/0", "a/1"]
        )
      }
      assert.deepStrictEqual((yield* readAll(log, "a", 0)).values, ["0-z", "1-z", "2-z"])
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values.slice(0, 4), ["0-x", "0-y", "0-w", "1-x"])
      assert.strictEqual((yield* log.inForce(shardOf(0)))!.epoch, 3)
    })
  )

  it.live("an epoch whose output is refused commits nothing of it", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* log.fence("me", [shardOf(0)])
      const outputs = [
        { topic: "a", partition: 0, records: pack("x") },
        { topic: "none", partition: 0, records: pack("y") }
      ]
      const commit = log.commit({
        owner: "me",
        shards: [commitOf(shardOf(0), 0, { delta: new Uint8Array(1), outputs })]
      })
      assert.strictEqual(yield* reasonOf(commit), "TopicMissing")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, [])
      assert.isUndefined(yield* log.inForce(shardOf(0)))
      assert.deepStrictEqual(yield* log.deltas(shardOf(0), 0), [])
    })
  )
}

const owners = (fresh: FreshLog): void => {
  it.live("rule 10: a commit computed from another epoch is fenced and leaves nothing", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* log.fence("me", [shardOf(0)])
      const commit = (epochRead: number, value: string) =>
        log.commit({
          owner: "me",
          shards: [
            commitOf(shardOf(0), epochRead, {
              delta: new Uint8Array(1),
              outputs: [{ topic: "a", partition: 0, records: pack(value) }]
            })
          ]
        })
      assert.strictEqual(yield* reasonOf(commit(1, "ahead")), "Fenced")
      yield* commit(0, "first")
      assert.strictEqual(yield* reasonOf(commit(0, "again")), "Fenced")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["first"])
      assert.strictEqual((yield* log.deltas(shardOf(0), 0)).length, 1)
    })
  )

  it.live("rule 10: a zombie is fenced at the right epoch too, and the new owner goes on", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const log = yield* connect(layer)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const other = yield* connect(layer)
      const commit = (through: LogShape, owner: string, epochRead: number, value: string) =>
        through.commit({
          owner,
          shards: [
            commitOf(shardOf(0), epochRead, {
              delta: new Uint8Array(1),
              outputs: [{ topic: "a", partition: 0, records: pack(value) }]
            })
          ]
        })
      assert.strictEqual(yield* reasonOf(commit(log, "nobody", 0, "never taken")), "Fenced")
      yield* log.fence("zombie", [shardOf(0)])
      yield* commit(log, "zombie", 0, "alive")
      // rule 4: taking the shard comes first, so that it sees the zombie's last commit
      const [inForce] = yield* other.fence("successor", [shardOf(0)])
      assert.strictEqual(inForce!.epoch, 1)
      assert.strictEqual(yield* reasonOf(commit(log, "zombie", 1, "undead")), "Fenced")
      assert.strictEqual(yield* reasonOf(log.dropDeltas("zombie", shardOf(0), 1)), "Fenced")
      yield* commit(other, "successor", 1, "next")
      assert.strictEqual(yield* reasonOf(commit(log, "zombie", 2, "undead")), "Fenced")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["alive", "next"])
      assert.strictEqual((yield* log.deltas(shardOf(0), 0)).length, 2)
    })
  )

  it.live("where one shard was taken by another owner, none of the act moves", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 3 })
      yield* log.fence("me", [shardOf(0), shardOf(1), shardOf(2)])
      const commit = (epochRead: number) =>
        log.commit({
          owner: "me",
          shards: [0, 1, 2].map((shard) =>
            commitOf(shardOf(shard), epochRead, {
              delta: Uint8Array.of(shard),
              outputs: [{ topic: "a", partition: shard, records: pack(`${epochRead}`) }]
            })
          )
        })
      yield* commit(0)
      yield* log.fence("other", [shardOf(2)])
      assert.strictEqual(yield* reasonOf(commit(1)), "Fenced")
      for (const shard of [0, 1, 2]) {
        assert.strictEqual((yield* log.inForce(shardOf(shard)))!.epoch, 1)
        assert.deepStrictEqual(yield* log.deltas(shardOf(shard), 0), [{ epoch: 1, bytes: Uint8Array.of(shard) }])
        assert.deepStrictEqual((yield* readAll(log, "a", shard)).values, ["0"])
      }
    })
  )

  it.live("rule 8: a shard is taken by itself: shards beside it, of any job, keep their owner", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      const mine = [shardOf(0), shardOf(1), shardOf(0, "other-job"), { uid: "job", stage: "other", shard: 0 }]
      yield* log.fence("me", mine)
      yield* log.fence("other", [shardOf(1)])
      for (const id of mine) {
        const reason = yield* reasonOf(log.commit({ owner: "me", shards: [commitOf(id, 0)] }))
        assert.strictEqual(reason, id.shard === 1 ? "Fenced" : "no failure")
      }
      yield* log.commit({ owner: "other", shards: [commitOf(shardOf(1), 0)] })
      assert.strictEqual((yield* log.shards).length, 4)
    })
  )
}

const deltas = (fresh: FreshLog): void => {
  it.live("rule 1: deltas come back ascending and without gaps, after any epoch, until they are dropped", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.fence("me", [shardOf(0), shardOf(1)])
      const bytesOf = (epoch: number) => new Uint8Array(epoch === 3 ? 0 : 100_000).fill(epoch)
      for (let epoch = 1; epoch <= 6; epoch++) {
        const delta = bytesOf(epoch)
        const shards = [commitOf(shardOf(0), epoch - 1, { delta }), commitOf(shardOf(1), epoch - 1, { delta })]
        yield* log.commit({ owner: "me", shards })
      }
      const found = yield* log.deltas(shardOf(0), 0)
      assert.deepStrictEqual(
        found.map(({ epoch }) => epoch),
        [1, 2, 3, 4, 5, 6]
      )
      for (const { epoch, bytes } of found) assert.deepStrictEqual(bytes, bytesOf(epoch))
      assert.deepStrictEqual(
        (yield* log.deltas(shardOf(0), 4)).map(({ epoch }) => epoch),
        [5, 6]
      )
      yield* log.dropDeltas("me", shardOf(0), 4)
      assert.deepStrictEqual(
        (yield* log.deltas(shardOf(0), 0)).map(({ epoch }) => epoch),
        [5, 6]
      )
      // the other shard's stay, and so does the record in force
      assert.strictEqual((yield* log.deltas(shardOf(1), 0)).length, 6)
      assert.strictEqual((yield* log.inForce(shardOf(0)))!.epoch, 6)
    })
  )

  it.live("an epoch without changes leaves no delta", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.fence("me", [shardOf(0)])
      yield* log.commit({ owner: "me", shards: [commitOf(shardOf(0), 0)] })
      assert.deepStrictEqual(yield* log.deltas(shardOf(0), 0), [])
      assert.deepStrictEqual(yield* log.deltas(shardOf(9), 0), [])
    })
  )

  it.live("hundreds of deltas are dropped by one call", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.fence("me", [shardOf(0)])
      for (let epoch = 0; epoch < 150; epoch++) {
        const shards = [commitOf(shardOf(0), epoch, { delta: Uint8Array.of(1) })]
        yield* log.commit({ owner: "me", shards })
      }
      yield* log.dropDeltas("me", shardOf(0), 149)
      assert.deepStrictEqual(
        (yield* log.deltas(shardOf(0), 0)).map(({ epoch }) => epoch),
        [150]
      )
    })
  )
}
