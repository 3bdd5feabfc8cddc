/**
 * What a running job has done, for people: counts, positions and watermark of each stage, live.
 *
 * Given to `Job.run` as its observer; the pipeline's progress lines, its summary and later the metrics read `status`.
 */
import type { StagePlan } from "../plan/StagePlan.ts"
import type { LookupStatus } from "../lookup/LookupStatus.ts"
import type { TaskObserver } from "./RunOptions.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { combinedWatermark } from "../state/Watermark.ts"
import { addTotals, type ControlTotals, totalCounts } from "./ControlTotals.ts"
import type { EntryReason } from "./Ledger.ts"
import { addTables, type TableCounts } from "./ShardDetail.ts"
import type { Shard } from "./Shard.ts"
import { decodedCounts, ledgerCounts, lettersPending, tableCounts } from "./TakeCommit.ts"

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
  /** Records that decoded by the slow path. */
  readonly slow: number
  /** Records that came when no window took them any more. */
  readonly late: number
  /** Entries of the ledger by reason, late ones included. */
  readonly ledger: Readonly<Partial<Record<EntryReason, number>>>
  /** Of the tables that it joins with, by topic. */
  readonly tables: Readonly<Record<string, TableCounts>>
  /** What came to each `Flow.total`, by its name. */
  readonly totals: ControlTotals
  /** The least of its partitions', idle ones left out, held back by records in flight, never going back; epoch milliseconds; undefined before the first record and without event time. */
  readonly watermarkMs: number | undefined
  /** No partition has records now, nor holds any: whoever waits for the watermark need not wait for these. */
  readonly silent: boolean
  /** The next offset of each partition. */
  readonly positions: ReadonlyMap<number, number>
  readonly epochs: number
  readonly keys: number
  /** Of the running task, since it started. */
  readonly lookups: ReadonlyArray<LookupStatus>
  readonly finished: boolean
  /** Why its task starts over again and again, or no snapshot of its state can be written, while that is so. */
  readonly problem: string | undefined
}

export interface JobMonitor extends TaskObserver {
  readonly status: () => ReadonlyArray<StageStatus>
}

interface Watched {
  readonly plan: StagePlan
  shards: ReadonlyArray<Shard>
  watermarkMs: number
  problem: string | undefined
}

const addTo = (sums: Partial<Record<EntryReason, number>>, reason: EntryReason, count: number | undefined) => {
  if (count !== undefined) sums[reason] = (sums[reason] ?? 0) + count
}

const entriesOf = (shard: Shard) => Object.entries(ledgerCounts(shard) ?? {}) as ReadonlyArray<[EntryReason, number]> // its own reasons

const keyedOf = ({ states, tables, windows }: Shard["context"]): ReadonlyArray<OperatorState> => [
  ...states,
  ...windows,
  ...tables
]

const keysOf = (states: ReadonlyArray<OperatorState>): number => states.reduce((keys, state) => keys + state.size(), 0)

const isSilent = ({ shards }: Watched): boolean =>
  shards.every(({ context: { lookups, time } }) => {
    const waits = time.idle || !Number.isFinite(time.maxEventTime)
    return waits && lookups.every((lookup) => lookup.size() === 0)
  })

/** No watermark passes a record in flight. */
const heldWatermark = ({ plan, shards, watermarkMs }: Watched): number => {
  const times = shards.map((shard) => shard.context.time)
  const reached = combinedWatermark(watermarkMs, times, plan.outOfOrdernessMs)
  const inFlight = shards.flatMap((shard) => shard.context.lookups.map((lookup) => lookup.leastWatermark()))
  return Math.max(watermarkMs, Math.min(reached, ...inFlight))
}

const statusOf = (stage: Watched): StageStatus => {
  const { plan, shards } = stage
  const out: Record<string, number> = {}
  let taken = 0
  let validated = 0
  let deadLettered = 0
  let failed = 0
  let slow = 0
  const ledger: Partial<Record<EntryReason, number>> = {}
  let totals: ControlTotals | undefined
  let tables: Readonly<Record<string, TableCounts>> = {}
  for (const shard of shards) {
    const { counts } = shard.detail
    taken += counts.in + shard.pending
    validated += counts.validated + shard.context.validated
    deadLettered += counts.deadLettered + lettersPending(shard)
    failed += counts.failed + shard.failedInEpoch
    slow += decodedCounts(shard).slow ?? 0
    for (const [reason, count] of entriesOf(shard)) addTo(ledger, reason, count)
    tables = addTables(tables, tableCounts(shard))
    totals = addTotals(totals, totalCounts(shard, plan))
    for (const [topic, count] of Object.entries(counts.out)) out[topic] = (out[topic] ?? 0) + count
    for (const output of shard.outputs) out[output.topic.name] = (out[output.topic.name] ?? 0) + output.count()
  }
  stage.watermarkMs = heldWatermark(stage)
  return {
    job: plan.uid,
    topic: plan.name,
    in: taken,
    out,
    validated,
    deadLettered,
    failed,
    slow,
    late: ledger.late ?? 0,
    ledger,
    tables,
    totals: totals ?? {},
    watermarkMs: Number.isFinite(stage.watermarkMs) ? stage.watermarkMs : undefined,
    silent: isSilent(stage),
    positions: new Map(shards.map((shard) => [shard.id.shard, shard.offset])),
    epochs: shards.reduce((sum, shard) => sum + shard.epoch, 0),
    keys: shards.reduce((sum, { context }) => sum + keysOf(keyedOf(context)), 0),
    lookups: plan.lookups.flatMap((_, lookup) => shards[0]?.context.lookups[lookup]?.asker()?.status() ?? []),
    finished: shards.every((shard) => shard.detail.finished),
    problem: stage.problem
  }
}

export const makeJobMonitor = (): JobMonitor => {
  const stages = new Map<string, Watched>()
  const stageOf = (plan: StagePlan): Watched => {
    const key = `${plan.uid}/${plan.name}`
    const known = stages.get(key) ?? { plan, shards: [], watermarkMs: Number.NEGATIVE_INFINITY, problem: undefined }
    stages.set(key, known)
    return known
  }
  return {
    // a task that started over comes with new shards
    started: (plan, shards) => void Object.assign(stageOf(plan), { shards, problem: undefined }),
    troubled: (plan, message) => void (stageOf(plan).problem = message),
    checkpointed: (plan) => void (stageOf(plan).problem = undefined),
    status: () => [...stages.values()].map(statusOf)
  }
}
