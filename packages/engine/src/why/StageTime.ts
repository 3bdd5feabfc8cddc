/** How far time has come in each shard of a stage, and in a sentence what holds it. */
import { Effect } from "effect"
import { Log } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import type { ShardDetail } from "../run/ShardDetail.ts"
import { spanText, timeText } from "./Cause.ts"

export interface ShardTime {
  readonly partition: number
  /** The next offset that a restart reads; undefined before the first commit. */
  readonly position: number | undefined
  readonly detail: ShardDetail | undefined
  /** Epoch milliseconds; undefined before the first record. */
  readonly watermark: number | undefined
}

export const stageTime = Effect.fnUntraced(function* (plan: StagePlan) {
  const log = yield* Log
  const bounds = yield* log.bounds(plan.source.name)
  return yield* Effect.forEach(bounds, ({ partition }) =>
    Effect.map(log.inForce({ uid: plan.uid, stage: plan.name, shard: partition }), (record): ShardTime => {
      const detail = record?.detail as ShardDetail | undefined // written by this engine in every commit
      const highest = detail?.maxEventTime ?? undefined
      const position = record?.positions.find(({ topic }) => topic === plan.source.name)?.offset
      const watermark = highest === undefined ? undefined : highest - plan.outOfOrdernessMs
      return { partition, position, detail, watermark }
    })
  )
})

const furthest = (others: ReadonlyArray<ShardTime>): ShardTime | undefined =>
  others
    .filter(({ watermark }) => watermark !== undefined)
    .toSorted((left, right) => right.watermark! - left.watermark!)[0]

/** Behind a repartition every writer holds time: the one that has come least far, of those that are not idle. */
const heldByLane = (plan: StagePlan, { detail }: ShardTime, writersShards: ReadonlyArray<number>): string => {
  const lanes = (detail?.lanes ?? []).map(([, clock, idle, ended], at) => ({ at, clock, silent: idle + ended > 0 }))
  const [slowest] = lanes
    .filter(({ silent }) => !silent)
    .toSorted((left, right) => (left.clock ?? -Infinity) - (right.clock ?? -Infinity))
  if (slowest === undefined) return "every writer of it is silent"
  let at = slowest.at
  let input = 0
  while (input < writersShards.length - 1 && at >= writersShards[input]!) at -= writersShards[input++]!
  const topic = plan.writers![input] ?? "its source"
  const come = slowest.clock === null ? "has had no record yet" : `has come to ${timeText(slowest.clock)}`
  return `partition ${at} of ${topic} ${come} and holds it`
}

/** Why the watermark of a shard stands where it stands. */
export const whyHeld = (
  plan: StagePlan,
  shard: ShardTime,
  shards: ReadonlyArray<ShardTime>,
  writersShards: ReadonlyArray<number>
): string => {
  const { detail, partition } = shard
  if (detail === undefined) return `the job has committed nothing of partition ${partition} yet`
  if (plan.writers !== undefined) return heldByLane(plan, shard, writersShards)
  const { heldWatermark } = detail
  if (heldWatermark !== undefined) return "records in flight to a lookup hold it"
  const ahead = furthest(shards.filter((other) => other !== shard))
  const newest =
    detail.maxEventTime === null
      ? `partition ${partition} has had no record`
      : `partition ${partition} has no record after ${timeText(detail.maxEventTime)}`
  if (ahead === undefined || ahead.watermark! <= (shard.watermark ?? -Infinity)) return newest
  const others = `partition ${ahead.partition} has come to ${timeText(ahead.watermark!)}`
  if (detail.idle) return `${newest} and is idle, and takes over the time of the others as they go on; ${others}`
  return `${newest}; ${others}, whose time it takes over when it was silent for ${spanText(plan.idleAfterMs)}`
}
