/**
 * Removes records of internal topics that their one reader has committed, as Kafka Streams does with its repartition topics.
 *
 * The task calls it after commits. **Guarantees**: only what lies below a position in force goes, which a restart never reads
 * again, whoever owns the shard by then (protocol, rule 16's spirit). **Bounds**: at most once in `trimEveryMs`.
 */
import { faultPoint } from "@frazil/core"
import { Effect } from "effect"
import { Log, type LogShape } from "../log/Log.ts"
import type { LogError } from "../log/LogError.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import type { Shard } from "./Shard.ts"

const trimEveryMs = 5_000

/** What is left over goes the next time. */
const passing = ({ reason }: LogError): boolean =>
  reason === "Unavailable" || reason === "OutcomeUnknown" || reason === "Full"

const trimShard = Effect.fnUntraced(function* (log: LogShape, topic: string, shard: Shard) {
  yield* faultPoint("before-delete-records")
  yield* log.trim(topic, shard.id.shard, shard.committedOffset)
})

/** Remembers what was trimmed by the running task. `nowMs` is the clock's; `last`: whatever is left, at the end. */
export const makeTrimInternal = ({ source, writers }: StagePlan, startedAtMs: number) => {
  const trimmed = new Map<number, number>()
  let trimmedAtMs = startedAtMs
  return Effect.fnUntraced(function* (shards: ReadonlyArray<Shard>, nowMs: number, last: boolean) {
    if (writers === undefined || (!last && nowMs - trimmedAtMs < trimEveryMs)) return
    trimmedAtMs = nowMs
    const log = yield* Log
    for (const shard of shards) {
      if (shard.committedOffset <= (trimmed.get(shard.id.shard) ?? 0)) continue
      yield* trimShard(log, source.name, shard).pipe(Effect.catchIf(passing, () => Effect.void))
      trimmed.set(shard.id.shard, shard.committedOffset)
    }
  })
}
