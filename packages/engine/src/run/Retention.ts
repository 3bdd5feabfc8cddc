/**
 * Retention: removes old records from the log, never one that somebody still has to read (protocol, rule 16).
 *
 * `apps/pipeline` runs it beside jobs and landings when it is given an age; without one nothing is ever removed.
 * **Guarantees**: of a partition only records below every position in force are removed; a declared reader that never
 * committed, committed in a former life of the topic, or joins with the topic as a table, holds all of it. Positions never go back, so that a bound which
 * was read a moment ago is still one. **Gotchas**: a topic that nobody reads is removed by age alone.
 */
import { faultPoint } from "@frazil/core"
import { Clock, Effect } from "effect"
import { isJob } from "../log/JobShard.ts"
import { Log, type PartitionBounds, type RecordInForce, type ShardId, type TopicInfo } from "../log/Log.ts"
import type { LogError } from "../log/LogError.ts"
import { isInternalTopic } from "../plan/InternalTopics.ts"

/** A stage that reads a topic, and commits how far: a job's (one shard a partition), or a landing's (one for all). */
export interface LogReader {
  readonly topic: string
  readonly uid: string
  readonly stage: string
}

export interface RetentionOptions {
  /** Whoever may read, running or not. Others that ever committed a position are found in the log. */
  readonly readers: ReadonlyArray<LogReader>
  /** Records that were appended longer ago may go. */
  readonly ageMs: number
}

/** What went: the partition begins at `start` now. */
export interface Trimmed {
  readonly topic: string
  readonly partition: number
  readonly start: number
}

const everyMsMin = 1_000
const everyMsMax = 60_000
/** A record is removed at most a tenth of its age too late. */
const roundsPerAge = 10

/** Positions in force of one topic: by reader, then by partition. */
type Positions = ReadonlyMap<string, ReadonlyMap<number, number>>

const nameOf = ({ stage, uid }: Pick<ShardId, "uid" | "stage">): string => `${uid}/${stage}`

interface Committed {
  readonly shard: ShardId
  readonly record: RecordInForce
}

/** Where all of the topic's readers stand, declared or found. */
const positionsIn = (
  topic: TopicInfo,
  readers: ReadonlyArray<LogReader>,
  committed: ReadonlyArray<Committed>
): Positions => {
  const positions = new Map<string, Map<number, number>>()
  for (const reader of readers) if (reader.topic === topic.name) positions.set(nameOf(reader), new Map())
  for (const { record, shard } of committed) {
    for (const [index, { offset, topic: name, topicId }] of record.positions.entries()) {
      if (name !== topic.name) continue
      const own = positions.get(nameOf(shard)) ?? new Map<number, number>()
      positions.set(nameOf(shard), own)
      // a landing checks at its start that the record before its mark is the one that landed (rule 13): that one stays
      const landed = Math.max(0, offset - 1)
      // a table's latest record of a key may be as old as the table: it is kept whole for whoever joins with it
      const needed = !isJob(shard) ? landed : name === shard.stage ? offset : 0
      own.set(isJob(shard) ? shard.shard : index, topicId === topic.id ? needed : 0)
    }
  }
  return positions
}

/** **The rule**: below the slowest of all readers, and none at all while one of them never committed here. */
const boundOf = (partition: number, positions: Positions): number => {
  let bound = Number.POSITIVE_INFINITY
  for (const own of positions.values()) bound = Math.min(bound, own.get(partition) ?? 0)
  return bound
}

const trimPartition = Effect.fnUntraced(function* (
  topic: string,
  { end, partition, start }: PartitionBounds,
  positions: Positions,
  beforeMs: number
) {
  const log = yield* Log
  const old = yield* log.offsetAt(topic, partition, beforeMs)
  const offset = Math.min(old, end, boundOf(partition, positions))
  if (offset <= start) return undefined
  yield* faultPoint("before-delete-records")
  yield* log.trim(topic, partition, offset)
  return { topic, partition, start: offset } satisfies Trimmed
})

/** Removes once what may go. */
export const trimLog = Effect.fnUntraced(function* ({
  ageMs,
  readers
}: RetentionOptions): Effect.fn.Return<ReadonlyArray<Trimmed>, LogError, Log> {
  const log = yield* Log
  const beforeMs = (yield* Clock.currentTimeMillis) - ageMs
  const committed: Array<Committed> = []
  for (const shard of yield* log.shards) {
    const record = yield* log.inForce(shard)
    if (record !== undefined) committed.push({ shard, record })
  }
  const trimmed: Array<Trimmed> = []
  for (const topic of yield* log.topics) {
    // its job removes what it has read; before it first commits nobody else knows that it reads
    if (isInternalTopic(topic.name)) continue
    const positions = positionsIn(topic, readers, committed)
    for (const bounds of yield* log.bounds(topic.name)) {
      const done = yield* trimPartition(topic.name, bounds, positions, beforeMs)
      if (done !== undefined) trimmed.push(done)
    }
  }
  return trimmed
})

/** May pass by itself; a topic that was deleted meanwhile is not in the next round's list. */
const passing = ({ reason }: LogError): boolean =>
  reason === "Unavailable" || reason === "OutcomeUnknown" || reason === "Full" || reason === "TopicMissing"

/** Removes what may go, again and again, until it is interrupted. A round that fails for a while is made up by the next. */
export const runRetention = (options: RetentionOptions): Effect.Effect<never, LogError, Log> =>
  Effect.gen(function* () {
    const everyMs = Math.min(everyMsMax, Math.max(everyMsMin, options.ageMs / roundsPerAge))
    while (true) {
      yield* Effect.sleep(everyMs)
      yield* trimLog(options).pipe(Effect.catchIf(passing, () => Effect.void))
    }
  })
