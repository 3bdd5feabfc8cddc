/** Bounds of topics for one look at many readers of them: each topic is asked for once, as it is when it is asked for first. */
import { Effect } from "effect"
import { Log, type LogShape, type PartitionBounds } from "./Log.ts"

/** **Gotchas**: what it answers gets old with it: another look needs another one. */
export const boundsOnce: Effect.Effect<LogShape["bounds"], never, Log> = Effect.map(Log, (log) => {
  const known = new Map<string, ReadonlyArray<PartitionBounds>>()
  return (topic) =>
    Effect.suspend(() => {
      const bounds = known.get(topic)
      if (bounds !== undefined) return Effect.succeed(bounds)
      return Effect.tap(log.bounds(topic), (found) => Effect.sync(() => known.set(topic, found)))
    })
})
