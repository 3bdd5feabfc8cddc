/**
 * How far jobs have come, by what they committed: read beside a running system, or after one.
 *
 * Commands and health checks call it; what a task has in memory is `JobMonitor`'s. Takes nothing, changes nothing.
 */
import { Effect } from "effect"
import type { Job } from "../job/Job.ts"
import { recordsBehind } from "../log/Behind.ts"
import { boundsOnce } from "../log/BoundsOnce.ts"
import { isJob } from "../log/JobShard.ts"
import {
  Log,
  type LogShape,
  type PartitionBounds,
  type RecordInForce,
  type ShardId,
  type TopicInfo
} from "../log/Log.ts"
import type { LogError } from "../log/LogError.ts"
import { planJob } from "../plan/PlanJob.ts"
import type { EntryReason } from "./Ledger.ts"
import { addTotals } from "./ControlTotals.ts"
import { addDecoded, addTables, emptyDetail, type ShardCounts, type ShardDetail } from "./ShardDetail.ts"

export interface ShardProgress {
  /** Of the shard, and of the partition that it reads. */
  readonly partition: number
  /** Epochs committed. */
  readonly epoch: number
  /** The next offset to read. */
  readonly position: number
  /** The end of the partition. */
  readonly end: number
  /** Snapshots in force: their epochs, newest first. */
  readonly snapshots: ReadonlyArray<number>
  readonly detail: ShardDetail
}

/** A stage of a job: what hangs on one topic that it reads. */
export interface StageProgress {
  readonly job: string
  readonly topic: string
  /** Of partitions that committed, in order. */
  readonly shards: ReadonlyArray<ShardProgress>
  /** Records of the topic that no committed epoch has read. */
  readonly lag: number
  /** Records of the tables that it joins with which no committed epoch has taken, by topic. */
  readonly tableLags: Readonly<Record<string, number>>
  readonly counts: ShardCounts
  /** Epoch milliseconds; undefined without event time, before the first record, and for a job that is not declared. */
  readonly watermarkMs: number | undefined
  /** A bounded run came to the end of its input in every partition. */
  readonly finished: boolean
  /** Why the job could not go on from here, for people. */
  readonly problem: string | undefined
}

interface Stage {
  readonly job: string
  readonly topic: string
  /** Undefined: no event time, or not known. */
  readonly outOfOrdernessMs: number | undefined
  /** Topics of the tables that it joins with; of a job that is not declared, none is known but those it committed. */
  readonly tables: ReadonlyArray<string>
}

const stagesOf = (jobs: ReadonlyArray<Job<string, unknown>>, shards: ReadonlyArray<ShardId>) => {
  const stages = new Map<string, Stage>()
  for (const job of jobs) {
    for (const { eventTimeField, name, outOfOrdernessMs, tables } of planJob(job)) {
      const known = eventTimeField === undefined ? undefined : outOfOrdernessMs
      stages.set(`${job.name}/${name}`, {
        job: job.name,
        topic: name,
        outOfOrdernessMs: known,
        tables: tables.map(({ topic }) => topic.name)
      })
    }
  }
  for (const { stage, uid } of shards.filter(isJob)) {
    const key = `${uid}/${stage}`
    if (!stages.has(key)) stages.set(key, { job: uid, topic: stage, outOfOrdernessMs: undefined, tables: [] })
  }
  return [...stages.values()]
}

const shardOf = (topic: string, { end, partition }: PartitionBounds, record: RecordInForce): ShardProgress => ({
  partition,
  epoch: record.epoch,
  position: record.positions.find((position) => position.topic === topic)?.offset ?? 0,
  end,
  snapshots: record.snapshots.map((snapshot) => snapshot.epoch),
  // written by this engine as ShardDetail in every commit
  detail: record.detail as ShardDetail
})

const addLedger = (sum: ShardCounts["ledger"], more: ShardCounts["ledger"]) => {
  const total = { ...sum }
  // its own reasons
  for (const [reason, count] of Object.entries(more ?? {}) as ReadonlyArray<[EntryReason, number]>) {
    total[reason] = (total[reason] ?? 0) + count
  }
  return total
}

const addCounts = (sum: ShardCounts, more: ShardCounts): ShardCounts => {
  const out = { ...sum.out }
  for (const [topic, count] of Object.entries(more.out)) out[topic] = (out[topic] ?? 0) + count
  const totals = addTotals(sum.totals, more.totals)
  return {
    in: sum.in + more.in,
    out,
    validated: sum.validated + more.validated,
    deadLettered: sum.deadLettered + more.deadLettered,
    failed: sum.failed + more.failed,
    ...addDecoded(sum, more),
    ...(sum.tables === undefined && more.tables === undefined
      ? {}
      : { tables: addTables(sum.tables ?? {}, more.tables) }),
    ...(sum.ledger === undefined && more.ledger === undefined ? {} : { ledger: addLedger(sum.ledger, more.ledger) }),
    ...(totals === undefined ? {} : { totals })
  }
}

/** The least over partitions that hold it back: idle ones, and ones without records, do not; records in flight do. */
const watermarkOf = (stage: Stage, shards: ReadonlyArray<ShardProgress>): number | undefined => {
  const { outOfOrdernessMs } = stage
  if (outOfOrdernessMs === undefined) return undefined
  const marks = shards.flatMap(({ detail: { idle, maxEventTime } }) =>
    idle || maxEventTime === null ? [] : [maxEventTime - outOfOrdernessMs]
  )
  const held = shards.flatMap(({ detail: { heldWatermark } }) => (heldWatermark === undefined ? [] : [heldWatermark]))
  // a record came while there was no watermark yet, and is still in flight
  if (held.includes(null)) return undefined
  const least = Math.min(...marks, ...held.map(Number))
  return Number.isFinite(least) ? least : undefined
}

/** Of every table that the stage declares or has committed: what its partitions hold beyond the shards' positions. */
const tableLagsOf = Effect.fnUntraced(function* (
  stage: Stage,
  { boundsOf, topics }: Look,
  records: ReadonlyMap<number, RecordInForce>
) {
  const log = yield* Log
  const named = [...records.values()].flatMap(({ positions }) => positions.map(({ topic }) => topic))
  const lags: Record<string, number> = {}
  for (const table of new Set([...stage.tables, ...named.filter((topic) => topic !== stage.topic)])) {
    if (!topics.some(({ name }) => name === table)) continue
    lags[table] = 0
    for (const bound of yield* boundsOf(table)) {
      const position = records.get(bound.partition)?.positions.find(({ topic }) => topic === table)
      lags[table] += yield* recordsBehind(log, table, bound, position?.offset ?? 0)
    }
  }
  return lags
})

/** Of the source and of tables. */
const problemOf = (topics: ReadonlyArray<TopicInfo>, records: ReadonlyArray<RecordInForce>): string | undefined => {
  for (const { partitions, topic, topicId } of records.flatMap((record) => record.positions)) {
    const now = topics.find(({ name }) => name === topic)
    if (now === undefined) return `topic ${topic} does not exist`
    if (topicId !== now.id) return `topic ${topic} was deleted and made anew since the job read it`
    if (partitions !== now.partitions)
      return `topic ${topic} has another number of partitions than when the job started`
  }
  return undefined
}

const summarise = (stage: Stage, shards: ReadonlyArray<ShardProgress>) => ({
  job: stage.job,
  topic: stage.topic,
  shards,
  counts: shards.reduce((sum, shard) => addCounts(sum, shard.detail.counts), emptyDetail.counts),
  watermarkMs: watermarkOf(stage, shards)
})

/** What one look at all stages asks the log for once. */
interface Look {
  readonly topics: ReadonlyArray<TopicInfo>
  readonly boundsOf: LogShape["bounds"]
}

const progressOf = Effect.fnUntraced(function* (
  stage: Stage,
  look: Look
): Effect.fn.Return<StageProgress, LogError, Log> {
  const log = yield* Log
  const { boundsOf, topics } = look
  if (!topics.some(({ name }) => name === stage.topic)) {
    return {
      ...summarise(stage, []),
      lag: 0,
      tableLags: {},
      finished: false,
      problem: `topic ${stage.topic} does not exist`
    }
  }
  const bounds = yield* boundsOf(stage.topic)
  const shards: Array<ShardProgress> = []
  const records = new Map<number, RecordInForce>()
  let lag = 0
  for (const bound of bounds) {
    const record = yield* log.inForce({ uid: stage.job, stage: stage.topic, shard: bound.partition })
    const shard = record === undefined ? undefined : shardOf(stage.topic, bound, record)
    if (record !== undefined) records.set(bound.partition, record)
    if (shard !== undefined) shards.push(shard)
    lag += yield* recordsBehind(log, stage.topic, bound, shard?.position ?? 0)
  }
  const finished = shards.length === bounds.length && shards.every((shard) => shard.detail.finished)
  const tableLags = yield* tableLagsOf(stage, look, records)
  return { ...summarise(stage, shards), lag, tableLags, finished, problem: problemOf(topics, [...records.values()]) }
})

/** Every stage of the declared jobs, run or not, and of others that ever committed. */
export const jobProgress = (
  declared: ReadonlyArray<Job<string, unknown>>
): Effect.Effect<ReadonlyArray<StageProgress>, LogError, Log> =>
  Effect.gen(function* () {
    const log = yield* Log
    const stages = stagesOf(declared, yield* log.shards)
    const look = { topics: yield* log.topics, boundsOf: yield* boundsOnce }
    return yield* Effect.forEach(stages, (stage) => progressOf(stage, look))
  })
