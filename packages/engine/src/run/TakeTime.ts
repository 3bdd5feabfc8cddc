/**
 * A partition that has fallen silent has no record that would close its windows or end its patterns: it takes over the time of those that have
 * not, the least of theirs.
 *
 * The task calls it after each round of reading. **Guarantee**: a partition takes time over only when nothing stands in it,
 * which is asked after the others' time was read: what was committed before their records is taken in before it could be
 * late by them, however long a partition was not read, and whatever was known of it. What it changes is
 * committed with the results: after a restart time stands where it stood, and a record that comes after all is late by it
 * (protocol, rule 11). When all partitions are silent nothing moves: there is no time to go by. In a bounded run none is
 * ever idle.
 */
import { Effect } from "effect"
import { Log } from "../log/Log.ts"
import { isTimed, type StagePlan } from "../plan/StagePlan.ts"
import { combinedWatermark } from "../state/Watermark.ts"
import type { Shard } from "./Shard.ts"

const oneRecord = { recordsMax: 1, bytesMax: 1, now: true }

/** Whether something came of it: then an epoch is open. */
export const takeTime = Effect.fnUntraced(function* (plan: StagePlan, shards: ReadonlyArray<Shard>, nowMs: number) {
  // behind a repartition all shards are told the same time
  if (plan.writers !== undefined || !isTimed(plan)) return false
  const least = combinedWatermark(
    Number.NEGATIVE_INFINITY,
    shards.map(({ context }) => context.time),
    0
  )
  const due = shards.filter(
    (shard) => shard.context.time.idle && least > shard.context.time.maxEventTime && shard.timeDue(least)
  )
  if (due.length === 0) return false
  const log = yield* Log
  let taken = false
  for (const shard of due) {
    const { length, open } = yield* log.read(plan.source.name, shard.id.shard, shard.offset, oneRecord)
    // it is silent no more: its own record says how far its time has come
    if (length > 0 || open === true) continue
    taken = shard.takeTime(least, nowMs) || taken
  }
  return taken
})
