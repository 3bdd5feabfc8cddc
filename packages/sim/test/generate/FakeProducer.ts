/**
 * A producer that keeps what it is given and misbehaves as told: the log of the delivery's tests.
 */
import { Effect } from "effect"
import type { PackedRecords } from "@frazil/core"
import { LogError, type Producer } from "@frazil/engine"

/**
 * How appends go: `up`; `down` (refused); `lost` (appended, then an error that leaves the outcome open); `silent` (appended,
 * never answered); `fenced`.
 */
export type Mode = "up" | "down" | "lost" | "silent" | "fenced"

export interface FakeProducer {
  readonly producer: Producer
  readonly setMode: (mode: Mode) => void
  /** Values by partition, in order. */
  readonly values: ReadonlyArray<ReadonlyArray<string>>
  readonly keys: ReadonlyArray<ReadonlyArray<string | null>>
  readonly attempts: () => number
}

const decoder = new TextDecoder()

const texts = (records: PackedRecords, starts: Int32Array, ends: Int32Array): ReadonlyArray<string | null> =>
  Array.from({ length: records.length }, (_, row) =>
    starts[row]! < 0 ? null : decoder.decode(records.bytes.subarray(starts[row], ends[row]))
  )

const failure = (reason: LogError["reason"]) => Effect.fail(new LogError({ reason, message: `the log is ${reason}` }))

export const makeFakeProducer = (partitions: number, nextSequence = 0): FakeProducer => {
  const values: Array<Array<string>> = Array.from({ length: partitions }, () => [])
  const keys: Array<Array<string | null>> = Array.from({ length: partitions }, () => [])
  let mode: Mode = "up"
  let attempts = 0
  let expected = nextSequence

  const append: Producer["append"] = (sequence, batches) =>
    Effect.suspend(() => {
      attempts++
      if (mode === "down") return failure("Unavailable")
      if (mode === "fenced") return failure("Fenced")
      if (sequence > expected) return failure("SequenceGap")
      if (sequence === expected) {
        expected++
        for (const { partition, records } of batches) {
          for (const text of texts(records, records.valueStarts, records.valueEnds)) values[partition]!.push(text ?? "")
          keys[partition]!.push(...texts(records, records.keyStarts, records.keyEnds))
        }
      }
      if (mode === "lost") return failure("OutcomeUnknown")
      return mode === "silent" ? Effect.never : Effect.succeed([])
    })
  return {
    producer: { append, nextSequence },
    setMode: (next) => {
      mode = next
    },
    values,
    keys,
    attempts: () => attempts
  }
}
