/**
 * A shard while it runs: its position, state, watermark and the outputs of the open epoch.
 *
 * The task feeds it batches and takes from it what an epoch commits. All of it is memory: what counts is in the log.
 */
import { type ColumnBatch, Decoder, type RecordBatch, type Timestamp, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import { snapshotsKept } from "../checkpoint/Snapshot.ts"
import type { Append, ShardCommit, ShardId, SnapshotName, TopicInfo } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { encodeDelta } from "../state/StateCodec.ts"
import { makeOutputCollector, type OutputCollector } from "./Collector.ts"
import { type DeadLetterInput, describeFailure, describeThrown } from "./DeadLetters.ts"
import type { RestoredShard } from "./Restore.ts"
import type { ShardDetail } from "./ShardDetail.ts"
import type { StageContext, StageProgram } from "./StageProgram.ts"

export interface Shard {
  readonly id: ShardId
  readonly context: StageContext
  epoch: number
  /** The next offset to read. */
  offset: number
  snapshots: ReadonlyArray<SnapshotName>
  /** A snapshot that is written and that the next epoch names. */
  unnamed: SnapshotName | undefined
  /** Its state may differ from what the newest snapshot holds. */
  changed: boolean
  detail: ShardDetail
  /** Records taken in since the last epoch. */
  pending: number
  /** When a record came last, or the shard was restored. */
  lastRecordAtMs: number
  readonly deadLetters: OutputCollector
  readonly outputs: ReadonlyArray<OutputCollector>
  failedInEpoch: number
  readonly process: (batch: RecordBatch, nowMs: number) => void
}

export interface ShardParts {
  readonly plan: StagePlan
  readonly program: StageProgram
  readonly restored: RestoredShard
  readonly deadLetterTopic: TopicRef
  readonly makeDeadLetter: (input: DeadLetterInput) => object
  readonly startedAtMs: number
}

export const makeShard = ({
  plan,
  program,
  restored,
  deadLetterTopic,
  makeDeadLetter,
  startedAtMs
}: ShardParts): Shard => {
  const decoder = Decoder.make(plan.source as unknown as Topic<AnyRecord>) // a source's record type is known to its flow only
  const outputs = plan.outputs.map(makeOutputCollector)
  const deadLetters = makeOutputCollector(deadLetterTopic)
  let nowMs = 0
  const letter = (batch: ColumnBatch, row: number, failure: DeadLetterInput["failure"], into: OutputCollector) => {
    const { bytes, headers, offsets, valueEnds, valueStarts } = batch.source
    const made = makeDeadLetter({
      topic: plan.source.name,
      partition: restored.id.shard,
      offset: offsets[row]!,
      failure,
      value: bytes.subarray(valueStarts[row]!, valueEnds[row]!),
      headers: headers.get(row),
      failedAt: nowMs as Timestamp // the clock's
    })
    into.record(made as AnyRecord) // of the dead-letter topic's contract, which its maker knows
  }
  const context: StageContext = {
    partition: restored.id.shard,
    outputs,
    states: restored.states,
    validated: 0,
    time: { maxEventTime: restored.detail.maxEventTime ?? Number.NEGATIVE_INFINITY, idle: restored.detail.idle },
    record: (batch, row) => decoder.record(batch, row),
    threw: (batch, row, operator, error) => {
      shard.failedInEpoch++
      letter(batch, row, describeThrown(operator, error), deadLetters)
    },
    deadLetter: (batch, row, failed, output) => {
      shard.failedInEpoch++
      letter(batch, row, describeFailure(failed), outputs[output] ?? deadLetters)
    }
  }
  const shard: Shard = {
    id: restored.id,
    context,
    epoch: restored.epoch,
    offset: restored.offset,
    snapshots: restored.snapshots,
    unnamed: undefined,
    changed: restored.epoch > (restored.snapshots[0]?.epoch ?? 0),
    detail: restored.detail,
    pending: 0,
    lastRecordAtMs: startedAtMs,
    deadLetters,
    outputs,
    failedInEpoch: 0,
    process: (records, now) => {
      nowMs = now
      const batch = decoder.decode(records)
      for (const failure of batch.failures) letter(batch, failure.row, failure, deadLetters)
      program.run(batch, context, now)
      shard.offset = records.offsets[records.length - 1]! + 1
      shard.pending += records.length
      shard.changed = true
      shard.lastRecordAtMs = now
      context.time.idle = false
    }
  }
  return shard
}

/** Bytes that the open epoch would write. */
export const bytesPending = (shard: Shard): number =>
  shard.outputs.reduce((sum, output) => sum + output.bytesUsed(), shard.deadLetters.bytesUsed())

/**
 * What the shard commits now. Its collectors, deltas and counters are emptied by this, so a failed commit means starting
 * over.
 */
export const takeCommit = (
  shard: Shard,
  plan: StagePlan,
  topic: TopicInfo,
  finished: boolean
): { readonly commit: ShardCommit; readonly outputs: ReadonlyArray<Append> } => {
  const { context, detail: before } = shard
  const { counts } = before
  const stateful = plan.states.length > 0
  const out: Record<string, number> = { ...counts.out }
  for (const output of shard.outputs) out[output.topic.name] = (out[output.topic.name] ?? 0) + output.count()
  shard.detail = {
    maxEventTime: Number.isFinite(context.time.maxEventTime) ? context.time.maxEventTime : null,
    idle: context.time.idle,
    counts: {
      in: counts.in + shard.pending,
      out,
      validated: counts.validated + context.validated,
      deadLettered: counts.deadLettered + shard.deadLetters.count(),
      failed: counts.failed + shard.failedInEpoch
    },
    deltasFrom: stateful ? (before.deltasFrom ?? shard.epoch + 1) : null,
    finished
  }
  shard.pending = 0
  shard.failedInEpoch = 0
  context.validated = 0
  const named = shard.unnamed === undefined ? shard.snapshots : [shard.unnamed, ...shard.snapshots]
  const commit: ShardCommit = {
    id: shard.id,
    epochRead: shard.epoch,
    positions: [{ topic: topic.name, topicId: topic.id, partitions: topic.partitions, offset: shard.offset }],
    // a version without state writes no deltas, so the snapshots of one before it lead nowhere
    snapshots: stateful ? named.slice(0, snapshotsKept) : [],
    detail: shard.detail,
    delta: stateful ? encodeDelta(context.states) : null
  }
  return { commit, outputs: [...shard.outputs, shard.deadLetters].flatMap((output) => [...output.take()]) }
}
