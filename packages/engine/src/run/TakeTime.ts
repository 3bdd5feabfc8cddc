/**
 * A partition that has fallen silent has no record that would close its windows or end its patterns: it takes over the time of those that have
 * not, the least of theirs.
 *
 * The task calls it after each round of reading, in which nothing was found for an idle partition. What it changes is
 * committed with the results: after a restart time stands where it stood, and a record that comes after all is late by it
 * (protocol, rule 11). When all partitions are silent nothing moves: there is no time to go by. In a bounded run none is
 * ever idle.
 */
import { isTimed, type StagePlan } from "../plan/StagePlan.ts"
import { combinedWatermark } from "../state/Watermark.ts"
import type { Shard } from "./Shard.ts"

/** Whether something came of it: then an epoch is open. */
export const takeTime = (plan: StagePlan, shards: ReadonlyArray<Shard>, nowMs: number): boolean => {
  // behind a repartition all shards are told the same time
  if (plan.writers !== undefined) return false
  const idle = shards.filter(({ context }) => context.time.idle)
  if (idle.length === 0 || !isTimed(plan)) return false
  const least = combinedWatermark(
    Number.NEGATIVE_INFINITY,
    shards.map(({ context }) => context.time),
    0
  )
  let taken = false
  for (const shard of idle) {
    if (least > shard.context.time.maxEventTime) taken = shard.takeTime(least, nowMs) || taken
  }
  return taken
}
