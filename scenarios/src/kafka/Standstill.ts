/** How long each partition of a job stood still while records waited: its position in force, looked at again and again. */
import { Log, type ShardId } from "@frazil/engine"
import { Clock, Effect } from "effect"

const lookEveryMs = 100

export interface Standstills {
  /** Since it was called last: the longest time that a partition with records waiting did not move, in milliseconds. */
  readonly longestMs: () => number
}

interface Seen {
  offset: number
  movedAtMs: number
}

/** Watches until the scope ends. What cannot be asked for now, since the broker is away, stands still. */
export const watchStandstills = Effect.fnUntraced(function* (uid: string, topic: string) {
  const log = yield* Log
  const seen = new Map<number, Seen>()
  let longest = 0
  const look = Effect.gen(function* () {
    for (const { end, partition } of yield* log.bounds(topic)) {
      const id: ShardId = { uid, stage: topic, shard: partition }
      const offset = (yield* log.inForce(id))?.positions[0]?.offset ?? 0
      const now = yield* Clock.currentTimeMillis
      const before = seen.get(partition)
      if (before === undefined || before.offset !== offset || offset >= end) {
        seen.set(partition, { offset, movedAtMs: now })
      } else longest = Math.max(longest, now - before.movedAtMs)
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.ignore(look), Effect.sleep(lookEveryMs))))
  return {
    longestMs: () => {
      const since = longest
      longest = 0
      return since
    }
  } satisfies Standstills
})
