/**
 * The state of one key of a job, running or not: read from the record in force, the snapshot that it names and the deltas
 * after it, without taking the shard.
 *
 * `frazil jobs state` calls it. A job that runs may drop what is being read; then its next record in force is read instead.
 * **Bounds**: all state of the key's partition is read, where its own producer put it elsewhere that of all partitions, one after
 * the other; held is what is of the key, all of lookups, and records that wait for patterns.
 */
import { partitionOf } from "@frazil/core"
import { Effect } from "effect"
import type { Job } from "../job/Job.ts"
import { Log, type RecordInForce, type ShardId } from "../log/Log.ts"
import { planJob } from "../plan/PlanJob.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { isoOf } from "../state/PlainJson.ts"
import { maskOf } from "./MaskState.ts"
import { loadState, type StageState } from "./Restore.ts"
import type { ShardDetail } from "./ShardDetail.ts"

/** What one operator holds of the key. */
export interface OperatorEntry {
  /** The topic that its stage reads. */
  readonly stage: string
  readonly partition: number
  /** The epoch that it was as of. */
  readonly epoch: number
  readonly watermark: string | null
  readonly operator: string
  readonly kind: string
  /** JSON; `kind` says of what form. */
  readonly state: object
}

export interface ReadStateOptions {
  /** Shows what a contract marks as personal, and whatever may have come of it. */
  readonly unmask: boolean
}

/** A running job commits faster than its state is read at most so often in a row. */
const attemptsMax = 5

/** Every operator's state, and of what kind it is. */
const kindsOf = (plan: StagePlan, state: StageState): ReadonlyArray<readonly [string, OperatorState]> => {
  const windowKind = (at: number) => (plan.windows[at]!.spec._tag === "Session" ? "sessions" : "windows")
  const keyedKind = { first: "deduplicate", ranking: "ranking", function: "process" } as const
  return [
    ...state.states.map((each) => ["value", each] as const),
    ...state.windows.map((each, at) => [windowKind(at), each] as const),
    ...state.patterns.map((each) => ["pattern", each] as const),
    ...state.joins.map((each) => ["join", each] as const),
    ...state.keyed.map((each, at) => [keyedKind[plan.keyed[at]!.kind], each] as const),
    ...state.tables.map((each) => ["table", each] as const)
  ]
}

const entriesOf = (
  plan: StagePlan,
  id: ShardId,
  record: RecordInForce,
  state: StageState,
  key: string,
  options: ReadStateOptions
): ReadonlyArray<OperatorEntry> => {
  const { maxEventTime } = record.detail as ShardDetail // written by this engine in every commit
  const watermark = (maxEventTime ?? Number.NEGATIVE_INFINITY) - plan.outOfOrdernessMs
  const mask = options.unmask ? undefined : maskOf(plan)
  const place = { stage: plan.name, partition: id.shard, epoch: record.epoch, watermark: isoOf(watermark) }
  return kindsOf(plan, state).flatMap(([kind, of]): ReadonlyArray<OperatorEntry> => {
    const found = of.read?.(key, watermark)
    if (found === undefined) return []
    return [{ ...place, operator: of.name, kind, state: mask === undefined ? found : mask(found) }]
  })
}

/** What a shard holds of the key; nothing when it never committed. */
const readShard = Effect.fnUntraced(function* (plan: StagePlan, id: ShardId, key: string, options: ReadStateOptions) {
  const log = yield* Log
  let before: RecordInForce | undefined
  for (let attempt = 1; ; attempt++) {
    const record = yield* log.inForce(id)
    if (record === undefined) return []
    const loaded = yield* Effect.result(loadState(plan, id, record, key))
    if (loaded._tag === "Success") return entriesOf(plan, id, record, loaded.success, key, options)
    const { failure } = loaded
    // what was named may be gone when the job has committed again meanwhile
    const moved = before === undefined || before.epoch !== record.epoch
    if (failure._tag !== "JobError" || failure.reason !== "Corrupt" || !moved || attempt === attemptsMax)
      return yield* failure
    before = record
  }
})

/**
 * What every operator of the job holds of the key, by stages; empty when that is nothing. `key` is the key's text: that of its
 * field, or of several a JSON array.
 */
export const readState = Effect.fn("Job.readState")(function* (
  job: Pick<Job, "name" | "graph">,
  key: string,
  options: ReadStateOptions
) {
  const log = yield* Log
  const found: Array<OperatorEntry> = []
  for (const plan of planJob(job)) {
    if (!isStateful(plan)) continue
    const { partitions } = yield* log.topic(plan.source.name)
    const own = partitionOf(key, partitions)
    const others = Array.from({ length: partitions }, (_, shard) => shard).filter((shard) => shard !== own)
    // a foreign producer may have put it elsewhere
    for (const shard of [own, ...others]) {
      const entries = yield* readShard(plan, { uid: plan.uid, stage: plan.name, shard }, key, options)
      found.push(...entries)
      if (entries.length > 0) break
    }
  }
  return found
})
