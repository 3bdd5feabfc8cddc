/**
 * A connection that remembers for a moment where nothing was, as one to Kafka does (`connect/kafka/KnownEnds.ts`): a read there
 * finds nothing, though others have committed since, unless it asks for what is there now.
 *
 * What the process itself commits through the connection is seen at once, and so is what comes before an end that it was told.
 */
import type { LogShape } from "@frazil/engine"
import { Effect } from "effect"
import { packKept } from "./KeptRecord.ts"

const remembersMs = 100

/** `nowMs`: the world's clock. */
export const remembering = (log: LogShape, nowMs: () => number): LogShape => {
  const empty = new Map<string, { readonly offset: number; readonly askedMs: number }>()
  const forget = Effect.sync(() => empty.clear())
  return {
    ...log,
    bounds: (topic) => Effect.tap(log.bounds(topic), forget),
    commit: (epoch) => Effect.ensuring(log.commit(epoch), forget),
    read: (topic, partition, offset, limits) =>
      Effect.suspend(() => {
        const place = `${topic}/${partition}`
        const askedMs = nowMs()
        const found = empty.get(place)
        if (limits.now !== true && found?.offset === offset && askedMs - found.askedMs <= remembersMs)
          return Effect.succeed({ ...packKept([]), next: offset })
        return Effect.tap(log.read(topic, partition, offset, limits), ({ length }) =>
          Effect.sync(() => {
            if (length === 0) empty.set(place, { offset, askedMs })
          })
        )
      })
  }
}
