/**
 * What is trimmed gives its space back: the file and its WAL stay as they are while records come and go.
 */
import { statSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { makeRecordBuilder } from "@frazil/core"
import { Effect } from "effect"
import { makeEmbeddedLog } from "../../src/embedded/EmbeddedLog.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

const topic = "steady"
const roundBytes = 524_288
/** Records stay for so many rounds. */
const roundsKept = 8
const mb = 1_048_576

/** Appends a round: rows of several sizes, as epochs make them. */
const builderOf = (round: number) => {
  const builder = makeRecordBuilder()
  const value = new Uint8Array(1_000 + (round % 7) * 100).fill(65 + (round % 26))
  for (let bytes = 0; bytes < roundBytes; bytes += value.length) builder.add(value, null)
  return builder
}

it.live("a log that is trimmed behind its readers does not grow", () =>
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, "log.db")
    const log = yield* makeEmbeddedLog({ file })
    yield* log.ensureTopic({ name: topic, partitions: 1 })
    const producer = yield* log.producer("test")
    const ends: Array<number> = []
    const sizes: Array<{ readonly file: number; readonly wal: number }> = []
    for (let round = 0; round < 60; round++) {
      const builder = builderOf(round)
      yield* producer.append(round, [{ topic, partition: 0, records: builder.take() }])
      ends.push((yield* log.bounds(topic))[0]!.end)
      const old = ends[round - roundsKept]
      if (old !== undefined) yield* log.trim(topic, 0, old)
      sizes.push({ file: statSync(file).size, wal: statSync(`${file}-wal`).size })
    }
    const largest = (from: number, to: number, of: "file" | "wal") =>
      Math.max(...sizes.slice(from, to).map((size) => size[of]))
    // 30 MB went through; what is kept, one checkpoint of the WAL, and what a round takes are all there is
    assert.isAtMost(largest(0, 60, "file"), (roundsKept + 4) * 1.2 * roundBytes + 16 * mb)
    assert.isAtMost(largest(40, 60, "file"), largest(20, 40, "file"))
    assert.isAtMost(largest(0, 60, "wal"), 64 * mb)
    assert.isAtMost(largest(40, 60, "wal"), largest(20, 40, "wal") * 1.1)
  }).pipe(Effect.scoped)
)
