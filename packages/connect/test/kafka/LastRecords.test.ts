import { assert, describe, it } from "@effect/vitest"
import { makeRecordBuilder } from "@frazil/core"
import type { ReadRecords } from "@frazil/engine"
import { Effect } from "effect"
import { packCommit } from "../../src/kafka/Changelog.ts"
import { makeLastRecords } from "../../src/kafka/LastRecords.ts"
import type { PartitionReader } from "../../src/kafka/PartitionReader.ts"

/** A changelog in memory, one commit an epoch; counts what is asked. */
const makeChangelogs = () => {
  const state = { topicId: "one", epochs: 0, reads: 0, ends: 0 }
  const recordsFrom = (offset: number): ReadRecords => {
    const { length, ...packed } =
      offset >= state.epochs
        ? makeRecordBuilder().take()
        : packCommit(
            { owner: "o", epoch: offset + 1, positions: [], snapshots: [], detail: null, deltasFrom: null },
            null
          )
    const next = Math.min(state.epochs, offset + 1)
    return { ...packed, length, offsets: Float64Array.of(offset), timestamps: Float64Array.of(0), next }
  }
  const reader = {
    read: (_topic: string, _partition: number, offset: number) =>
      Effect.sync(() => {
        state.reads++
        return recordsFrom(offset)
      }),
    boundsOf: (_topic: string, partition: number) => Effect.sync(() => ({ partition, start: 0, end: state.epochs })),
    endOf: () =>
      Effect.sync(() => {
        state.ends++
        return state.epochs
      })
  }
  const cluster = {
    topic: (name: string) => Effect.sync(() => ({ name, id: state.topicId, leaders: [0] }))
  }
  // the cast: nothing else of a reader is asked
  return { state, last: makeLastRecords(cluster, reader as unknown as PartitionReader) }
}

describe("last records of changelogs", () => {
  it.effect("are read again only when the changelog has grown, and are those that reading gives", () =>
    Effect.gen(function* () {
      const { last, state } = makeChangelogs()
      assert.isUndefined(yield* last("c", 0, "now"))
      state.epochs = 3
      assert.strictEqual((yield* last("c", 0, "now"))?.epoch, 3)
      const { reads } = state
      for (let look = 0; look < 10; look++) assert.strictEqual((yield* last("c", 0, "now"))?.epoch, 3)
      assert.strictEqual(state.reads, reads)
      assert.strictEqual(state.ends, 12)
      state.epochs = 4
      assert.strictEqual((yield* last("c", 0, "now"))?.epoch, 4)
      assert.isAbove(state.reads, reads)
    })
  )

  it.effect("of a changelog that was made anew are not those of the one before", () =>
    Effect.gen(function* () {
      const { last, state } = makeChangelogs()
      state.epochs = 2
      yield* last("c", 0, "now")
      const { reads } = state
      state.topicId = "two"
      yield* last("c", 0, "now")
      assert.isAbove(state.reads, reads)
    })
  )
})
