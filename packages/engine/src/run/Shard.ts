/**
 * A shard while it runs: its position, state, watermark and the outputs of the open epoch.
 *
 * The task feeds it batches and takes from it what an epoch commits. All of it is memory: what counts is in the log.
 */
import { type ColumnBatch, Decoder, type RecordBatch, type Timestamp, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import { snapshotsKept } from "../checkpoint/Snapshot.ts"
import type { ShardCommit, ShardId, SnapshotName, TopicInfo } from "../log/Log.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { encodeDelta } from "../state/StateCodec.ts"
import { watermarkOf } from "../state/Watermark.ts"
import { makeTableReader, type TableReader } from "./TableReader.ts"
import { makeOutputCollector, type OutputCollector } from "./Collector.ts"
import { type DeadLetterInput, describeFailure, describeThrown } from "./DeadLetters.ts"
import type { Ledger, LedgerReason } from "./Ledger.ts"
import type { RestoredShard } from "./Restore.ts"
import { bytesOf } from "../pattern/HeldRecord.ts"
import { makeReadBack } from "./ReadBack.ts"
import { addTables, type ShardCounts, type ShardDetail } from "./ShardDetail.ts"
import type { LedgerNote, StageContext, StageProgram } from "./StageProgram.ts"

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
  /** Records that a lookup passed on since the last epoch. */
  answered: number
  /** When a record came last, or the shard was restored. */
  lastRecordAtMs: number
  readonly deadLetters: OutputCollector
  readonly outputs: ReadonlyArray<OutputCollector>
  /** By the plan's table index. */
  readonly tables: ReadonlyArray<TableReader>
  /** Its tables were read to their ends when they were looked at last. */
  tablesRead: boolean
  failedInEpoch: number
  /** Undefined: nobody keeps one; entries are only counted. */
  readonly ledger: OutputCollector | undefined
  /** Entries of the open epoch by reason, written or not. */
  readonly entered: Map<LedgerReason, number>
  /** Its windows were closed at the end of time. */
  closed: boolean
  readonly process: (batch: RecordBatch, nowMs: number) => void
  /** Records of the table with that index. */
  readonly processTable: (table: number, batch: RecordBatch, nowMs: number) => void
  /** Nothing comes, but the stage's time is here: `TakeTime.ts`. True when that closed or forgot something. */
  readonly takeTime: (maxEventTime: number, nowMs: number) => boolean
  /** Passes on at most `max` records of a lookup that have their outcome, in their order; how many. */
  readonly answer: (lookup: number, max: number, nowMs: number) => number
  /** The input ended: every window gives its result, every pattern its matches. */
  readonly close: (nowMs: number) => void
}

export interface ShardParts {
  readonly plan: StagePlan
  readonly program: StageProgram
  readonly restored: RestoredShard
  readonly deadLetterTopic: TopicRef
  readonly makeDeadLetter: (input: DeadLetterInput) => object
  readonly ledger: Ledger["Service"] | undefined
  readonly startedAtMs: number
}

export const makeShard = ({
  plan,
  program,
  restored,
  deadLetterTopic,
  makeDeadLetter,
  ledger,
  startedAtMs
}: ShardParts): Shard => {
  const decoder = Decoder.make(plan.source as unknown as Topic<AnyRecord>) // a source's record type is known to its flow only
  const outputs = plan.outputs.map(makeOutputCollector)
  const deadLetters = makeOutputCollector(deadLetterTopic)
  let nowMs = 0
  const entries = ledger === undefined ? undefined : makeOutputCollector(ledger.topic)
  const letter = (
    batch: ColumnBatch | undefined,
    row: number,
    failure: DeadLetterInput["failure"],
    into: OutputCollector,
    topic = plan.source.name
  ) => {
    const made = makeDeadLetter({
      topic,
      partition: restored.id.shard,
      failure,
      // a window's result has no record; the one that made it fire tells where
      ...(batch === undefined || row < 0
        ? {
            offset: context.firedAt,
            value: context.answering?.bytes ?? (context.judging === undefined ? noBytes : bytesOf(context.judging)),
            headers: undefined
          }
        : {
            offset: batch.source.offsets[row]!,
            value: valueAt(batch, row),
            headers: batch.source.headers.get(row)
          }),
      failedAt: nowMs as Timestamp // the clock's
    })
    into.record(made as AnyRecord) // of the dead-letter topic's contract, which its maker knows
  }
  const enterAt = (note: LedgerNote, offset: number, value: Uint8Array) => {
    shard.entered.set(note.reason, (shard.entered.get(note.reason) ?? 0) + 1)
    const entry = ledger?.make({
      ...note,
      latenessMs: Number.isFinite(note.latenessMs) ? note.latenessMs : undefined,
      job: plan.uid,
      topic: plan.source.name,
      partition: restored.id.shard,
      offset,
      value
    })
    if (entry !== undefined) entries?.record(entry as AnyRecord) // of the ledger's contract, which its maker knows
  }
  const context: StageContext = {
    partition: restored.id.shard,
    outputs,
    states: restored.states,
    windows: restored.windows,
    patterns: restored.patterns,
    judging: undefined,
    readBack: makeReadBack(plan),
    lookups: restored.lookups,
    tables: restored.tables,
    answering: undefined,
    firedAt: restored.offset - 1,
    lead: { ...(restored.detail.lead ?? noLead) },
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
    },
    ask: (lookup, batch, row, read, record, key, eventTime, watermark) => {
      const origin =
        batch === undefined || row < 0
          ? context.answering! // what comes from no row comes from another lookup
          : {
              offset: batch.source.offsets[row]!,
              // the batch's buffer is used again
              bytes: batch.source.bytes.slice(batch.source.valueStarts[row], batch.source.valueEnds[row]),
              read,
              wide: batch.wide[row] !== 0,
              eventTime,
              watermark
            }
      restored.lookups[lookup]!.enter(origin, record, key)
    },
    enter: (batch, row, note) => enterAt(note, batch.source.offsets[row]!, valueAt(batch, row)),
    enterHeld: (record, note) =>
      enterAt({ ...note, key: record.key, eventTime: record.time }, record.offset, bytesOf(record))
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
    answered: 0,
    lastRecordAtMs: startedAtMs,
    deadLetters,
    outputs,
    tables: plan.tables.map((table, index) =>
      makeTableReader(table, restored.tables[index]!, restored.tableOffsets[index]!, (batch, failure) =>
        letter(batch, failure.row, failure, deadLetters, table.topic.name)
      )
    ),
    tablesRead: plan.tables.length === 0,
    failedInEpoch: 0,
    ledger: entries,
    entered: new Map(),
    closed: restored.detail.closed ?? false,
    takeTime: (maxEventTime, now) => {
      const watermark = maxEventTime - plan.outOfOrdernessMs
      // between two ends of windows, or of what patterns wait for, nothing would come of it but commits
      const due =
        context.windows.some(({ nextAt }) => nextAt <= watermark) ||
        context.patterns.some((pattern) => pattern.nextAt() < watermark)
      if (!due) return false
      nowMs = now
      context.firedAt = shard.offset - 1
      context.time.maxEventTime = maxEventTime
      program.advance(context, now, watermark)
      shard.changed = true
      return true
    },
    close: (now) => {
      nowMs = now
      if (plan.windows.length + plan.patterns.length === 0 || shard.closed) return
      context.firedAt = shard.offset - 1
      program.close(context, now)
      shard.closed = true
      shard.changed = true
    },
    answer: (lookup, max, now) => {
      nowMs = now
      const state = restored.lookups[lookup]!
      let passed = 0
      for (; passed < max; passed++) {
        const entry = state.takeSettled()
        if (entry === undefined) break
        context.answering = entry
        context.firedAt = entry.offset
        program.answer(lookup, entry, context, now)
      }
      context.answering = undefined
      shard.answered += passed
      if (passed > 0) shard.changed = true
      return passed
    },
    processTable: (table, records, now) => {
      nowMs = now
      shard.tables[table]!.process(records)
      shard.changed = true
    },
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

const noBytes = new Uint8Array(0)
const noLead = { inRow: 0, least: 0 }

const valueAt = ({ source: { bytes, valueEnds, valueStarts } }: ColumnBatch, row: number): Uint8Array =>
  bytes.subarray(valueStarts[row]!, valueEnds[row]!)

/** All that an epoch writes changes of. */
export const statesOf = ({ context }: Shard): ReadonlyArray<OperatorState> => [
  ...context.states,
  ...context.windows,
  ...context.patterns,
  ...context.lookups,
  ...context.tables
]

/** The watermark that nothing in flight holds back (protocol, rule 11). */
export const watermarkHeld = (shard: Shard, plan: StagePlan): number =>
  shard.context.lookups.reduce(
    (least, lookup) => Math.min(least, lookup.leastWatermark()),
    watermarkOf(shard.context.time, plan.outOfOrdernessMs)
  )

const collectorsOf = ({ deadLetters, ledger, outputs }: Shard): ReadonlyArray<OutputCollector> =>
  ledger === undefined ? [...outputs, deadLetters] : [...outputs, deadLetters, ledger]

/** Bytes that the open epoch would write. */
export const bytesPending = (shard: Shard): number =>
  collectorsOf(shard).reduce((sum, output) => sum + output.bytesUsed(), 0)

/** Entries of the ledger by reason since the job's first start; undefined when there was none. */
export const ledgerCounts = ({ detail, entered }: Shard): ShardCounts["ledger"] => {
  if (entered.size === 0) return detail.counts.ledger
  const counts = { ...detail.counts.ledger }
  for (const [reason, count] of entered) counts[reason] = (counts[reason] ?? 0) + count
  return counts
}

/** Records of tables since the last epoch. */
export const tablesPending = ({ tables }: Shard): number => tables.reduce((sum, { taken }) => sum + taken, 0)

/** Letters of the source's own records since the last epoch. */
export const lettersPending = ({ deadLetters, tables }: Shard): number =>
  tables.reduce((sum, { deadLettered }) => sum - deadLettered, deadLetters.count())

/** Records of tables since the job's first start; undefined when there was none. */
export const tableCounts = ({ detail, tables }: Shard): ShardCounts["tables"] => {
  const read = tables.filter(({ taken }) => taken > 0)
  if (read.length === 0) return detail.counts.tables
  const counts = read.map(({ deadLettered, taken, topic }) => [topic, { in: taken, deadLettered }] as const)
  return addTables(detail.counts.tables ?? {}, Object.fromEntries(counts))
}

/** For the detail: what records in flight hold the watermark at. */
const heldPart = ({ context: { lookups } }: Shard): Pick<ShardDetail, "heldWatermark"> => {
  const least = Math.min(...lookups.map((lookup) => lookup.leastWatermark()))
  if (least === Number.POSITIVE_INFINITY) return {}
  return { heldWatermark: Number.isFinite(least) ? least : null }
}

const recordedTime = ({ context: { time } }: Shard): number | null =>
  Number.isFinite(time.maxEventTime) ? time.maxEventTime : null

/** Its time is not what the record in force says: it fell idle, or took time over without a record (rule 11). */
export const timeMoved = (shard: Shard): boolean =>
  shard.context.time.idle !== shard.detail.idle || recordedTime(shard) !== shard.detail.maxEventTime

/**
 * What the shard commits now, with its positions in `topics`: the source, then the plan's tables. Its collectors, deltas and counters are emptied by this, so a failed commit means starting
 * over.
 */
export const takeCommit = (
  shard: Shard,
  plan: StagePlan,
  topics: ReadonlyArray<TopicInfo>,
  finished: boolean
): ShardCommit => {
  const { context, detail: before } = shard
  const { counts } = before
  const stateful = isStateful(plan)
  const ledger = ledgerCounts(shard)
  const tables = tableCounts(shard)
  const out: Record<string, number> = { ...counts.out }
  for (const output of shard.outputs) out[output.topic.name] = (out[output.topic.name] ?? 0) + output.count()
  shard.detail = {
    maxEventTime: recordedTime(shard),
    idle: context.time.idle,
    counts: {
      in: counts.in + shard.pending,
      out,
      validated: counts.validated + context.validated,
      deadLettered: counts.deadLettered + lettersPending(shard),
      failed: counts.failed + shard.failedInEpoch,
      ...(tables === undefined ? {} : { tables }),
      ...(ledger === undefined ? {} : { ledger })
    },
    deltasFrom: stateful ? (before.deltasFrom ?? shard.epoch + 1) : null,
    finished,
    ...(context.lead.inRow === 0 ? {} : { lead: { ...context.lead } }),
    ...(shard.closed ? { closed: true } : {}),
    ...heldPart(shard)
  }
  shard.entered.clear()
  for (const table of shard.tables) {
    table.taken = 0
    table.deadLettered = 0
  }
  shard.pending = 0
  shard.answered = 0
  shard.failedInEpoch = 0
  context.validated = 0
  const named = shard.unnamed === undefined ? shard.snapshots : [shard.unnamed, ...shard.snapshots]
  return {
    id: shard.id,
    epochRead: shard.epoch,
    positions: topics.map(({ id, name, partitions }, index) => {
      const offset = index === 0 ? shard.offset : shard.tables[index - 1]!.offset
      return { topic: name, topicId: id, partitions, offset }
    }),
    // a version without state writes no deltas, so the snapshots of one before it lead nowhere
    snapshots: stateful ? named.slice(0, snapshotsKept) : [],
    detail: shard.detail,
    delta: stateful ? encodeDelta(statesOf(shard)) : null,
    outputs: collectorsOf(shard).flatMap((output) => [...output.take()])
  }
}
