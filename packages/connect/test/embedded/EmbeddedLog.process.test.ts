/**
 * Several processes on one log file: reading while another writes, writing together, and dying in the middle of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import type { LogShape } from "@frazil/engine"
import { makeEmbeddedLog } from "../../src/index.ts"
import { readAll } from "../log/LogFixture.ts"
import { runChild } from "./ChildProcess.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const recordsPerEpoch = 10

/** Asserts that outputs, deltas and record in force tell of the same epochs, whole and in order; how many. */
const epochsOf = Effect.fnUntraced(function* (log: LogShape, uid: string, partition: number) {
  const id = { uid, stage: "stage", shard: partition }
  const inForce = yield* log.inForce(id)
  const epochs = inForce?.epoch ?? 0
  assert.deepStrictEqual(inForce?.detail, epochs === 0 ? undefined : { epoch: epochs })
  const deltas = yield* log.deltas(id, 0)
  // read after the record in force: a running writer may have gone on, but not less far
  assert.deepStrictEqual(
    deltas.slice(0, epochs).map(({ epoch }) => epoch),
    Array.from({ length: epochs }, (_, index) => index + 1)
  )
  const { values, offsets } = yield* readAll(log, "a", partition, { recordsMax: 333, bytesMax: 1_000_000 })
  assert.isAtLeast(values.length, epochs * recordsPerEpoch)
  assert.strictEqual(values.length % recordsPerEpoch, 0)
  for (const [index, value] of values.entries()) {
    assert.strictEqual(offsets[index], index)
    assert.isTrue(value.startsWith(`${uid}:${Math.floor(index / recordsPerEpoch)}:x`), value.slice(0, 20))
    assert.isTrue(value.endsWith(`:${index % recordsPerEpoch}`))
  }
  return epochs
})

describe("processes", () => {
  it.live("one reads whole epochs while another writes, and is woken by its commits", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      const log = yield* makeEmbeddedLog({ file, pollMs: 2 })
      yield* log.ensureTopic({ name: "a", partitions: 4 })
      const child = yield* runChild("./WriterProcess.ts", file, "writer", "1", "60")
      let seen = 0
      while (seen < 60) {
        const epochs = yield* epochsOf(log, "writer", 1)
        assert.isAtLeast(epochs, seen)
        if (epochs === seen) yield* log.awaitAppend(10_000)
        seen = epochs
      }
      assert.strictEqual(yield* child.exit, 0)
    })
  )

  it.live("two write at once: nothing is lost, nothing mixed", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      const children = yield* Effect.all([
        runChild("./WriterProcess.ts", file, "one", "0", "80"),
        runChild("./WriterProcess.ts", file, "two", "1", "80")
      ])
      for (const child of children) assert.strictEqual(yield* child.exit, 0)
      const log = yield* makeEmbeddedLog({ file })
      assert.strictEqual(yield* epochsOf(log, "one", 0), 80)
      assert.strictEqual(yield* epochsOf(log, "two", 1), 80)
    })
  )

  it.live(
    "kill -9 in the middle of writing: every acknowledged epoch is there, none is torn, and the next goes on",
    () =>
      Effect.gen(function* () {
        const file = `${yield* temporaryFolder}/log.db`
        for (const [round, epochsBeforeKill] of [3, 17, 9].entries()) {
          const before =
            round === 0
              ? 0
              : yield* Effect.scoped(Effect.flatMap(makeEmbeddedLog({ file }), (log) => epochsOf(log, "writer", 2)))
          yield* Effect.scoped(
            Effect.gen(function* () {
              const child = yield* runChild("./WriterProcess.ts", file, "writer", "2", "1000000")
              yield* child.line((line) => Number(line) >= before + epochsBeforeKill)
              child.kill("SIGKILL")
              yield* child.exit
              const acknowledged = Number(child.lines.at(-1))
              const log = yield* makeEmbeddedLog({ file })
              const epochs = yield* epochsOf(log, "writer", 2)
              assert.isAtLeast(epochs, acknowledged)
              // what was under way when it died is one epoch at most
              assert.isAtMost(epochs, acknowledged + 1)
            })
          )
        }
        const raw = new DatabaseSync(file)
        assert.deepStrictEqual({ ...raw.prepare("pragma integrity_check").get() }, { integrity_check: "ok" })
        raw.close()
      })
  )

  it.live("a lock that is held too long is Unavailable, in clear words; afterwards the same works", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/log.db`
      const log = yield* makeEmbeddedLog({ file, busyTimeoutMs: 60 })
      const holder = new DatabaseSync(file)
      holder.exec("begin immediate")
      const error = yield* Effect.flip(log.ensureTopic({ name: "a", partitions: 1 }))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "locked by another process")
      holder.exec("rollback")
      holder.close()
      yield* log.ensureTopic({ name: "a", partitions: 1 })
    })
  )
})
