/**
 * What a running job has done, for people: counts, positions and watermark of each stage, live.
 *
 * Given to `Job.run` as its observer; the pipeline's progress lines, its summary and later the metrics read `status`.
 */
import type { StagePlan } from "../plan/StagePlan.ts"
import type { TaskObserver } from "./RunOptions.ts"
import type { Shard } from "./Shard.ts"

export interface StageStatus {
  readonly job: string
  /** The topic that the stage reads. */
  readonly topic: string
  /** Records taken in since the job's first start; committed ones and those of the open epoch. */
  readonly in: number
  readonly out: Readonly<Record<string, number>>
  /** Records that ended in `Flow.validate`. */
  readonly validated: number
  readonly deadLettered: number
  readonly failed: number
  /** The least of its partitions', epoch milliseconds; undefined before the first record and without event time. */
  readonly watermarkMs: number | undefined
  /** The next offset of each partition. */
  readonly positions: ReadonlyMap<number, number>
  readonly epochs: number
  readonly keys: number
  readonly finished: boolean
}

export interface JobMonitor extends TaskObserver {
  readonly status: () => ReadonlyArray<StageStatus>
}

const statusOf = (plan: StagePlan, shards: ReadonlyArray<Shard>): StageStatus => {
  const out: Record<string, number> = {}
  let taken = 0
  let validated = 0
  let deadLettered = 0
  let failed = 0
  let watermarkMs = Number.POSITIVE_INFINITY
  for (const shard of shards) {
    const { counts } = shard.detail
    taken += counts.in + shard.pending
    validated += counts.validated + shard.context.validated
    deadLettered += counts.deadLettered + shard.deadLetters.count()
    failed += counts.failed + shard.failedInEpoch
    for (const [topic, count] of Object.entries(counts.out)) out[topic] = (out[topic] ?? 0) + count
    for (const output of shard.outputs) out[output.topic.name] = (out[output.topic.name] ?? 0) + output.count()
    // a partition without records, or an idle one, holds nothing back
    if (Number.isFinite(shard.context.time.maxEventTime) && !shard.context.time.idle) {
      watermarkMs = Math.min(watermarkMs, shard.context.time.maxEventTime - plan.outOfOrdernessMs)
    }
  }
  return {
    job: plan.uid,
    topic: plan.name,
    in: taken,
    out,
    validated,
    deadLettered,
    failed,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
    positions: new Map(shards.map((shard) => [shard.id.shard, shard.offset])),
    epochs: shards.reduce((sum, shard) => sum + shard.epoch, 0),
    keys: shards.reduce((sum, shard) => sum + shard.context.states.reduce((keys, state) => keys + state.size(), 0), 0),
    finished: shards.every((shard) => shard.detail.finished)
  }
}

export const makeJobMonitor = (): JobMonitor => {
  const stages = new Map<string, { readonly plan: StagePlan; readonly shards: ReadonlyArray<Shard> }>()
  return {
    // a task that started over comes with new shards
    started: (plan, shards) => stages.set(`${plan.uid}/${plan.name}`, { plan, shards }),
    status: () => [...stages.values()].map(({ plan, shards }) => statusOf(plan, shards))
  }
}
