import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeEmbeddedLog } from "@frazil/connect"
import type { LogShape, Producer } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { makeDelivery } from "../../src/generate/Delivery.ts"
import { makeTokenBucket } from "../../src/generate/TokenBucket.ts"
import { type GeneratorProgress, runGenerator } from "../../src/generate/RunGenerator.ts"
import { makeTransactions } from "../../src/generate/Transactions.ts"

const startMs = 1_768_434_300_000
const partitions = 4

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-delivery-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/**
 * The log stores append times as whole milliseconds, as a real clock has them; sleeps with jitter leave a test's clock
 * in between.
 */
const wholeMs = (clock: Clock.Clock): Clock.Clock => ({
  currentTimeMillisUnsafe: () => Math.floor(clock.currentTimeMillisUnsafe()),
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (ms) => Math.floor(ms)),
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

/** Runs a generator on the log for as long as `during` takes. */
const generate = Effect.fnUntraced(function* <E, R>(log: LogShape, during: Effect.Effect<void, E, R>) {
  const opened = yield* log.producer("generator")
  const producer: Producer = {
    append: (sequence, batches) => Effect.updateService(opened.append(sequence, batches), Clock.Clock, wholeMs),
    nextSequence: opened.nextSequence
  }
  const outlet = yield* makeDelivery({ producer, topic: RawTransactions.name, partitions })
  const bucket = yield* makeTokenBucket(10)
  let last: GeneratorProgress | undefined
  const running = yield* Effect.forkScoped(
    runGenerator({
      source: makeTransactions({ seed: 1 }),
      outlet,
      bucket,
      onProgress: (progress) => Effect.sync(() => (last = progress))
    })
  )
  yield* during
  yield* Fiber.interrupt(running)

  return last
}, Effect.scoped)

/** Transaction ids by partition. */
const transactionIds = Effect.fnUntraced(function* (log: LogShape) {
  const decoder = new TextDecoder()
  const ids: Array<ReadonlyArray<string>> = []
  for (let partition = 0; partition < partitions; partition++) {
    const batch = yield* log.read(RawTransactions.name, partition, 0, { recordsMax: 100_000, bytesMax: 1 << 28 })
    ids.push(
      Array.from({ length: batch.length }, (_, row) => {
        const text = decoder.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
        return text.slice(19, 55)
      })
    )
  }
  return ids
})

describe("Delivery to the embedded log", () => {
  it.effect("pauses while another process holds the file, recovers by itself, and goes on after a restart", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(startMs)
      const file = join(yield* folder, "log.db")
      const log = yield* makeEmbeddedLog({ file, busyTimeoutMs: 0 })
      yield* log.ensureTopic({ name: RawTransactions.name, partitions })
      const other = new DatabaseSync(file)
      const outage = Effect.gen(function* () {
        yield* TestClock.adjust(5_000)
        other.exec("begin immediate")
        yield* TestClock.adjust(30_000)
        other.exec("rollback")
        yield* TestClock.adjust(20_000)
      })
      const first = yield* generate(log, outage)
      const second = yield* generate(log, TestClock.adjust(5_000))
      other.close()
      const ids = yield* transactionIds(log)
      assert.deepStrictEqual([first?.buffered, second?.buffered], [0, 0])
      assert.deepStrictEqual([first!.generated, second!.generated], [550, 50])
      assert.isTrue(first!.failures >= 13)
      assert.strictEqual(ids.flat().length, first!.generated + second!.generated)
      assert.strictEqual(new Set(ids.flat()).size, ids.flat().length)
      for (const each of ids) assert.deepStrictEqual(each, each.toSorted())
    })
  )
})
