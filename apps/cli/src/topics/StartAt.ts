/** Where a reading of a topic begins: `--from OFFSET|TIME`. */
import type { PartitionBounds } from "@frazil/engine"
import { Log } from "@frazil/engine"
import { Effect } from "effect"
import { CommandError } from "../CommandError.ts"

export type StartAt =
  | { readonly _tag: "Start" }
  | { readonly _tag: "End" }
  | { readonly _tag: "Offset"; readonly offset: number }
  /** The first record appended at or after this moment. */
  | { readonly _tag: "Time"; readonly timeMs: number }

const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** Reads the option's text; undefined when it is neither. */
export const parseStart = (text: string): StartAt | undefined => {
  if (text === "start") return { _tag: "Start" }
  if (text === "end") return { _tag: "End" }
  if (/^\d{1,15}$/.test(text)) return { _tag: "Offset", offset: Number(text) }
  const timeMs = time.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : { _tag: "Time", timeMs }
}

/**
 * The first offset to read in a partition. `exact`: an offset that the partition does not have is an error; otherwise it
 * is moved to the nearest that it has, since partitions differ in length.
 */
export const firstOffset = Effect.fnUntraced(function* (
  topic: string,
  { end, partition, start }: PartitionBounds,
  from: StartAt,
  exact: boolean
) {
  const log = yield* Log
  switch (from._tag) {
    case "Start":
      return start
    case "End":
      return end
    case "Time":
      return yield* log.offsetAt(topic, partition, from.timeMs)
    case "Offset":
      if (exact && (from.offset < start || from.offset > end)) {
        return yield* new CommandError({
          message: `partition ${partition} of ${topic} has offsets from ${start} to before ${end}: --from ${from.offset} is none of them`
        })
      }
      return Math.min(Math.max(from.offset, start), end)
  }
})
