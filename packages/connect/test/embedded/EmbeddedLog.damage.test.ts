/**
 * Damaged, foreign and full files: one clear error, never other records than were written.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { LogError, LogShape } from "@frazil/engine"
import { makeEmbeddedLog } from "../../src/index.ts"
import { commitOf, numbered, packRecords, readAll, shardOf } from "../log/LogFixture.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const opened = <A>(file: string, use: (log: LogShape) => Effect.Effect<A, LogError>) =>
  Effect.scoped(Effect.flatMap(makeEmbeddedLog({ file }), use))

const failure = <A>(effect: Effect.Effect<A, LogError>): Effect.Effect<LogError> =>
  Effect.flip(effect).pipe(Effect.orDie)

const recordsOf = (count: number, length: number) =>
  packRecords(numbered("-", count).map((name) => ({ value: `needle${name}`.padEnd(length, "."), key: `k${name}` })))

/** A log with two partitions, an epoch with deltas, and a producer; rows longer than a page, which are not moved about in it. */
const filled = (file: string) =>
  opened(
    file,
    Effect.fnUntraced(function* (log) {
      yield* log.ensureTopic({ name: "orders", partitions: 2 })
      yield* log.fence("me", [shardOf(0)])
      const outputs = [0, 1].map((partition) => ({ topic: "orders", partition, records: recordsOf(40, 450) }))
      for (let epoch = 0; epoch < 3; epoch++) {
        const delta = new Uint8Array(500).fill(epoch)
        yield* log.commit({ owner: "me", shards: [commitOf(shardOf(0), epoch, { delta, detail: { epoch }, outputs })] })
      }
      const producer = yield* log.producer("feeder")
      yield* producer.append(0, outputs)
    }, Effect.scoped)
  )

/** Everything that a log says. */
const contents = Effect.fnUntraced(function* (log: LogShape) {
  const topics = yield* log.topics
  const producer = yield* log.producer("feeder")
  return JSON.stringify({
    topics,
    bounds: yield* log.bounds("orders"),
    partitions: [yield* readAll(log, "orders", 0), yield* readAll(log, "orders", 1)],
    deltas: (yield* log.deltas(shardOf(0), 0)).map(({ epoch, bytes }) => [epoch, [...bytes]]),
    inForce: yield* log.fence("other", [shardOf(0)]),
    sequence: producer.nextSequence
  })
}, Effect.scoped)

const trials = 120

const flip = (file: string, at: number, bit: number): void => {
  const bytes = readFileSync(file)
  bytes[at] = bytes[at]! ^ (1 << bit)
  writeFileSync(file, bytes)
}

describe("damage", () => {
  it.live("a flipped byte of a record is Corrupt, named with topic, partition and offset", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      yield* filled(file)
      flip(file, readFileSync(file).indexOf("needle-7"), 0)
      const error = yield* failure(opened(file, (log) => readAll(log, "orders", 0)))
      assert.strictEqual(error.reason, "Corrupt")
      assert.include(error.message, file)
      assert.match(error.message, /topic orders, partition 0, from offset 0/)
      assert.notInclude(error.message, "\n")
      // the other partition is read as before
      assert.strictEqual((yield* opened(file, (log) => readAll(log, "orders", 1))).values.length, 160)
    })
  )

  it.live("a bit flipped anywhere in the file never changes what the log says", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* filled(`${folder}/whole.db`)
      const file = `${folder}/flipped.db`
      const size = statSync(`${folder}/whole.db`).size
      copyFileSync(`${folder}/whole.db`, file)
      const whole = yield* opened(file, contents)
      let noticed = 0
      for (let trial = 0; trial < trials; trial++) {
        copyFileSync(`${folder}/whole.db`, file)
        const at = yield* Random.nextIntBetween(0, size)
        const bit = yield* Random.nextIntBetween(0, 8)
        flip(file, at, bit)
        const outcome = yield* Effect.result(opened(file, contents))
        if (outcome._tag === "Success")
          assert.strictEqual(outcome.success, whole, `trial ${trial}: byte ${at}, bit ${bit}`)
        else noticed++
      }
      assert.isAbove(noticed, trials / 5)
    }).pipe(Random.withSeed("flipped bits"))
  )

  it.live("a value changed behind the log's back is Corrupt, in whichever table it stands", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* filled(`${folder}/whole.db`)
      const file = `${folder}/changed.db`
      for (const change of [
        "update log set id = 'another'",
        "update topic set partitions = 1",
        "update partition set end_offset = end_offset - 10",
        "update partition set start_offset = 3 where partition = 1",
        "update batch set appended_at = appended_at + 1",
        "update batch set count = 39",
        "delete from batch where base_offset = 40",
        "update shard set epoch = 2",
        "update shard set record = replace(record, '2', '1')",
        "update delta set bytes = zeroblob(500)",
        "update delta set epoch = 9 where epoch = 1",
        "update producer set next_sequence = 7",
        "drop table removed_topic"
      ]) {
        copyFileSync(`${folder}/whole.db`, file)
        const raw = new DatabaseSync(file)
        raw.exec(change)
        raw.close()
        const error = yield* failure(opened(file, contents))
        assert.strictEqual(error.reason, "Corrupt", change)
        assert.include(error.message, file)
      }
    })
  )

  it.live("a file that was cut off is Corrupt", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      yield* filled(file)
      truncateSync(file, Math.floor(statSync(file).size / 2))
      assert.strictEqual((yield* failure(opened(file, contents))).reason, "Corrupt")
    })
  )

  it.live("a file that is no database, another program's, or a newer log's is refused in clear words", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(`${folder}/text.db`, "not a database at all, but long enough for a header ".repeat(100))
      const text = yield* failure(opened(`${folder}/text.db`, (log) => log.topics))
      assert.strictEqual(text.reason, "Corrupt")
      assert.include(text.message, "is not a log of frazil")

      const other = new DatabaseSync(`${folder}/other.db`)
      other.exec("create table users (id integer)")
      other.close()
      const foreign = yield* failure(opened(`${folder}/other.db`, (log) => log.topics))
      assert.strictEqual(foreign.reason, "Corrupt")
      assert.include(foreign.message, "another program")

      yield* filled(`${folder}/newer.db`)
      const newer = new DatabaseSync(`${folder}/newer.db`)
      newer.exec("pragma user_version = 99")
      newer.close()
      const unread = yield* failure(opened(`${folder}/newer.db`, (log) => log.topics))
      assert.strictEqual(unread.reason, "Corrupt")
      assert.include(unread.message, "schema version 99")
    })
  )

  it.live("a folder that cannot be made is Unavailable, with its name", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(`${folder}/file`, "")
      const error = yield* failure(opened(`${folder}/file/log.db`, (log) => log.topics))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, `${folder}/file`)
    })
  )
})

describe("a full disk", () => {
  it.live("fails the append with Full, keeps what was committed, and goes on once there is space", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      const small = { file, fileBytesMax: 600_000 }
      const commit = (log: LogShape, epochRead: number) =>
        log.commit({
          owner: "me",
          shards: [
            commitOf(shardOf(0), epochRead, {
              delta: new Uint8Array(10),
              outputs: [{ topic: "a", partition: 0, records: recordsOf(100, 1_000) }]
            })
          ]
        })
      const before = yield* Effect.gen(function* () {
        const log = yield* makeEmbeddedLog(small)
        yield* log.ensureTopic({ name: "a", partitions: 1 })
        yield* log.fence("me", [shardOf(0)])
        let epoch = 0
        const error = yield* Effect.flip(Effect.forever(Effect.suspend(() => commit(log, epoch++))))
        assert.strictEqual(error.reason, "Full")
        assert.include(error.message, file)
        // the same connection still reads, and says Full again
        assert.strictEqual((yield* Effect.flip(commit(log, epoch - 1))).reason, "Full")
        return { epoch: epoch - 1, all: yield* readAll(log, "a") }
      }).pipe(Effect.scoped)
      assert.strictEqual(before.all.values.length, before.epoch * 100)
      assert.isAbove(before.epoch, 2)
      yield* opened(
        file,
        Effect.fnUntraced(function* (log) {
          const [inForce] = yield* log.fence("me", [shardOf(0)])
          assert.strictEqual(inForce!.epoch, before.epoch)
          assert.deepStrictEqual(yield* readAll(log, "a"), before.all)
          yield* commit(log, before.epoch)
        })
      )
    })
  )
})
