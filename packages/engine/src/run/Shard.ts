/**
 * A shard while it runs: its position, state, watermark and the outputs of the open epoch.
 *
 * The task feeds it batches and takes from it what an epoch commits. All of it is memory: what counts is in the log.
 */
import { type ColumnBatch, Decoder, type RecordBatch, type Timestamp, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import type { SnapshotChain, WrittenSnapshot } from "../checkpoint/CaptureShard.ts"
import type { ShardId, SnapshotName, TopicInfo } from "../log/Log.ts"
import { isTimed, type StagePlan } from "../plan/StagePlan.ts"
import { watermarkOf } from "../state/Watermark.ts"
import { type GivenRecords, type Lanes, type LaneShape, makeLanes } from "../repartition/Lanes.ts"
import { type Origin, originOf, placeBase } from "../repartition/Place.ts"
import { makeRepartitionWriter } from "../repartition/RepartitionWriter.ts"
import { makeTableReader, type TableReader } from "./TableReader.ts"
import { askedOf } from "./AskedOf.ts"
import { makeOutputCollector, type OutputCollector } from "./Collector.ts"
import { type DeadLetterInput, describeFailure, describeThrown } from "./DeadLetters.ts"
import { failedInto, type LetterNote, makeEnterLetter, undecoded, type WriteEntry } from "./EnterLetter.ts"
import { makeRunningTotal } from "./ControlTotals.ts"
import { type EpochBytes, makeEpochBytes } from "./EpochBytes.ts"
import { makeFilteredCounts } from "./FilteredCounts.ts"
import type { EntryReason, Ledger } from "./Ledger.ts"
import type { RestoredShard } from "./Restore.ts"
import { bytesOf } from "../state/KeptRecord.ts"
import { makeReadBack } from "./ReadBack.ts"
import type { ShardDetail } from "./ShardDetail.ts"
import { nothingYet } from "./TakeCommit.ts"
import type { LedgerNote, StageContext, StageProgram } from "./StageProgram.ts"

export interface Shard {
  readonly id: ShardId
  readonly context: StageContext
  epoch: number
  /** The next offset to read. */
  offset: number
  /** What the record in force has for it. */
  committedOffset: number
  snapshots: ReadonlyArray<SnapshotName>
  /** Files of the snapshots that are named; of one whose list cannot be read, nobody knows. */
  readonly files: Map<string, ReadonlyArray<string>>
  /** A snapshot that is written and that the next epoch names. */
  unnamed: WrittenSnapshot | undefined
  /** What the next increment goes on from; undefined: a base comes next. */
  chain: SnapshotChain | undefined
  /** Its state may differ from what the newest snapshot holds. */
  changed: boolean
  detail: ShardDetail
  /** Records taken in since the last epoch. */
  pending: number
  /** Records that a lookup passed on since the last epoch. */
  answered: number
  /** The clock brought something since the last epoch. */
  fired: boolean
  /** When a record came last, or the shard was restored. */
  lastRecordAtMs: number
  readonly deadLetters: OutputCollector
  readonly outputs: ReadonlyArray<OutputCollector>
  /** What its collectors write into. */
  readonly epochBytes: EpochBytes
  /** By the plan's table index. */
  readonly tables: ReadonlyArray<TableReader>
  /** Its tables were read to their ends when they were looked at last. */
  tablesRead: boolean
  failedInEpoch: number
  /** Records that decoded by the slow path since the last epoch. */
  slowInEpoch: number
  /** Records that did not decode since the last epoch. */
  undecodedInEpoch: number
  /** Undefined: nobody keeps one; entries are only counted. */
  readonly ledger: OutputCollector | undefined
  /** Entries of the open epoch by reason, written or not. */
  readonly entered: Map<EntryReason, number>
  /** Its windows were closed at the end of time. */
  closed: boolean
  /** Ids of the internal topics that it writes, by name. */
  readonly internal: Readonly<Record<string, string>>
  /** Behind a repartition: what puts the records of its writers into one order. */
  readonly lanes: Lanes | undefined
  /** A batch was taken, up to `next`: where to read on. */
  readonly readOn: (next: number) => void
  readonly process: (batch: RecordBatch, nowMs: number) => void
  /** Records of the table with that index. */
  readonly processTable: (table: number, batch: RecordBatch, nowMs: number) => void
  /** Whether that time would close or forget something: between two such moments nothing would come of it but commits. */
  readonly timeDue: (maxEventTime: number) => boolean
  /** Nothing comes, but the stage's time is here: `TakeTime.ts`. True when that closed or forgot something. */
  readonly takeTime: (maxEventTime: number, nowMs: number) => boolean
  /** The clock has come so far: what is due by it. True when that closed or fired something. */
  readonly takeClock: (nowMs: number) => boolean
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
  /** Behind a repartition: shards of the stages that write it, by input. */
  readonly laneShape?: LaneShape
  /** Internal topics that the stage writes. */
  readonly internal?: ReadonlyArray<TopicInfo>
  /** The input ends: nothing is idle, whatever a live run before has recorded. */
  readonly bounded?: boolean
}

export const makeShard = (parts: ShardParts): Shard => {
  const { deadLetterTopic, internal, laneShape, ledger, makeDeadLetter, plan, program, restored, startedAtMs } = parts
  const { bounded = false } = parts
  const decoders = decodersOf(plan, program)
  const { collect, epochBytes } = makeCollecting()
  const [outputs, deadLetters] = [plan.outputs.map(collect), collect(deadLetterTopic)]
  const lanes = makeLanesOf(plan, restored, laneShape, bounded)
  let nowMs = 0
  const entries = ledger === undefined ? undefined : collect(ledger.topic)
  const originAt = makeOriginAt(plan, restored.id)
  const letter = (
    batch: ColumnBatch | undefined,
    row: number,
    failure: DeadLetterInput["failure"],
    into: OutputCollector,
    topic = plan.source.name,
    note: LetterNote = undecoded
  ) => {
    const made = makeDeadLetter({
      failure,
      // a window's result has no record; the one that made it fire tells where
      ...(batch === undefined || row < 0
        ? {
            ...originAt(context.firedAt, topic),
            value: context.answering?.bytes ?? (context.judging === undefined ? noBytes : bytesOf(context.judging)),
            headers: undefined
          }
        : {
            ...originAt(batch.source.offsets[row]!, topic),
            value: valueAt(batch, row),
            headers: batch.source.headers.get(row)
          }),
      failedAt: nowMs as Timestamp // the clock's
    })
    into.record(made as AnyRecord) // of the dead-letter topic's contract, which its maker knows
    enterLetter(batch, row, topic, note)
  }
  const write: WriteEntry = (reason, entry) => {
    shard.entered.set(reason, (shard.entered.get(reason) ?? 0) + 1)
    if (entry !== undefined) entries?.record(entry as AnyRecord) // of the ledger's contract, which its maker knows
  }
  const enterAt = (note: LedgerNote, offset: number, value: Uint8Array) => {
    const latenessMs = Number.isFinite(note.latenessMs) ? note.latenessMs : undefined
    const place = originAt(offset, plan.source.name)
    write(note.reason, ledger?.make({ ...note, ...place, latenessMs, job: plan.uid, value }))
  }
  const context: StageContext = {
    partition: restored.id.shard,
    outputs,
    ...makeWriters(plan, restored),
    ...keptPart(restored),
    judging: undefined,
    readBack: makeReadBack(plan),
    lookups: restored.lookups,
    tables: restored.tables,
    answering: undefined,
    firedAt: restored.detail.place ?? restored.offset - 1,
    lead: { ...(restored.detail.lead ?? noLead) },
    validated: 0,
    totals: plan.totals.map(makeRunningTotal),
    filtered: countFiltered(plan, restored, ledger, write),
    time: timeOf(restored, bounded),
    record: (batch, row) => decoders[context.port]!.record(batch, row),
    threw: (batch, row, operator, error) => {
      shard.failedInEpoch++
      letter(batch, row, describeThrown(operator, error), deadLetters, undefined, { reason: "failed", operator })
    },
    deadLetter: (batch, row, failed, output) => {
      shard.failedInEpoch++
      letter(batch, row, describeFailure(failed), outputs[output] ?? deadLetters, undefined, failedInto(output))
    },
    failed: (batch, row, output) => enterLetter(batch, row, plan.source.name, failedInto(output)),
    ask: (lookup, batch, row, read, record, key, eventTime, watermark) =>
      restored.lookups[lookup]!.enter(askedOf(context, batch, row, read, eventTime, watermark), record, key),
    enter: (batch, row, note) => enterAt(note, batch.source.offsets[row]!, valueAt(batch, row)),
    enterHeld: (record, note) =>
      enterAt({ ...note, key: record.key, eventTime: record.time }, record.offset, bytesOf(record))
  }
  const enterLetter = makeEnterLetter(plan, context, ledger, write, originAt)
  const shard: Shard = {
    context,
    ...standing(restored, internal),
    lastRecordAtMs: startedAtMs,
    deadLetters,
    outputs,
    epochBytes,
    tables: plan.tables.map((table, index) =>
      makeTableReader(table, restored.tables[index]!, restored.tableOffsets[index]!, (batch, failure) =>
        letter(batch, failure.row, failure, deadLetters, table.topic.name)
      )
    ),
    tablesRead: plan.tables.length === 0,
    ledger: entries,
    entered: new Map(),
    timeDue: (maxEventTime) => isDue(plan, context, maxEventTime - plan.outOfOrdernessMs),
    takeTime: (maxEventTime, now) => {
      if (!shard.timeDue(maxEventTime)) return false
      const before = watermarkOf(context.time, plan.outOfOrdernessMs)
      nowMs = now
      if (lanes === undefined) context.firedAt = shard.offset - 1
      context.time.maxEventTime = maxEventTime
      program.advance(context, now, maxEventTime - plan.outOfOrdernessMs, before)
      shard.changed = true
      return true
    },
    takeClock: (now) => {
      if (!plan.clocked) return false
      context.clock.at = Math.max(context.clock.at, now)
      if (!isClockDue(plan, context)) return false
      nowMs = now
      if (lanes === undefined) context.firedAt = shard.offset - 1
      program.advanceClock(context, now)
      shard.fired = true
      shard.changed = true
      return true
    },
    close: (now) => {
      nowMs = now
      if (!isTimed(plan) || shard.closed) return
      if (lanes === undefined) context.firedAt = shard.offset - 1
      program.close(context, now, watermarkOf(context.time, plan.outOfOrdernessMs))
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
    lanes,
    readOn: (next) => void (shard.offset = lanes?.readOn(next) ?? next),
    process: (records, now) => {
      // what the clock has ended takes none of them
      shard.takeClock(now)
      nowMs = now
      shard.offset = records.offsets[records.length - 1]! + 1
      shard.changed = true
      shard.lastRecordAtMs = now
      if (lanes !== undefined) return takeLanes(shard, lanes, records, now, runGiven)
      runGiven(wholeOf(records), now)
      context.time.idle = false
    }
  }
  const runGiven = ({ batches, length, runs }: Given, now: number) => {
    const decoded = batches.map((records, port) => {
      if (records === undefined) return undefined
      const batch = decoders[port]!.decode(records)
      shard.slowInEpoch += batch.length - batch.fastRows - batch.failures.length
      shard.undecodedInEpoch += batch.failures.length
      for (const failure of batch.failures) letter(batch, failure.row, failure, deadLetters)
      return batch
    })
    for (const { from, port, to } of runs) {
      context.port = port
      program.run(decoded[port]!, context, now, from, to) // a run is of what came
    }
    for (const pattern of context.patterns) pattern.keepBytes()
    shard.pending += length
  }
  return shard
}

/** Whether the watermark ends a window, or what patterns, joins and keyed operators wait for. */
const isDue = (plan: StagePlan, { joins, keyed, patterns, windows }: StageContext, watermark: number): boolean =>
  windows.some(({ nextAt }, index) => nextAt <= watermark && !plan.windows[index]!.clocked) ||
  [...patterns, ...joins].some((operator) => operator.nextAt() < watermark) ||
  keyed.some((each) => each.due(watermark))

/** Whether the clock ends a window, or has come to a timer. */
const isClockDue = (plan: StagePlan, { clock, keyed, windows }: StageContext): boolean =>
  windows.some(({ nextAt }, index) => nextAt <= clock.at && plan.windows[index]!.clocked) ||
  keyed.some((each) => each.clockAt() <= clock.at)

/** As the record in force has it; in a bounded run none is idle. */
const timeOf = ({ detail: { idle, maxEventTime } }: RestoredShard, bounded: boolean): StageContext["time"] => ({
  maxEventTime: maxEventTime ?? Number.NEGATIVE_INFINITY,
  idle: idle && !bounded
})

/** By port. */
const decodersOf = ({ ports }: StagePlan, { reads }: StageProgram): ReadonlyArray<Decoder<AnyRecord>> =>
  // a source's record type is known to its flow only
  ports.map(({ source }, port) => Decoder.make(source as unknown as Topic<AnyRecord>, reads[port]))

/** What an epoch's bytes are, and what makes collectors that share them. */
const makeCollecting = () => {
  const epochBytes = makeEpochBytes()
  return { epochBytes, collect: (topic: TopicRef) => makeOutputCollector(topic, epochBytes) }
}

/** Records by port, and the order in which to run them. */
type Given = Pick<GivenRecords, "length" | "runs"> & { readonly batches: ReadonlyArray<RecordBatch | undefined> }

/** A source's: it has one port. */
const wholeOf = (records: RecordBatch): Given => ({
  batches: [records],
  runs: [{ port: 0, from: 0, to: records.length }],
  length: records.length
})

/** Where it stands in the log. */
const standing = (
  { detail, epoch, files, id, offset, snapshots }: RestoredShard,
  internal: ReadonlyArray<TopicInfo> = []
) => ({
  internal: Object.fromEntries(internal.map((topic) => [topic.name, topic.id])),
  id,
  epoch,
  offset,
  committedOffset: offset,
  snapshots,
  files: new Map(files),
  unnamed: undefined,
  chain: undefined,
  changed: epoch > (snapshots[0]?.epoch ?? 0),
  closed: detail.closed ?? false,
  detail,
  ...nothingYet
})

/** Where a record came from: behind a repartition, where it came into the job. */
const makeOriginAt =
  ({ origins, source, writers }: StagePlan, { shard }: ShardId) =>
  (offset: number, topic: string): Origin =>
    writers !== undefined && topic === source.name ? originOf(origins, offset) : { topic, partition: shard, offset }

/** Records that are put in order run in batches of so many. */
const givenMax = 5000

/** Runs what may go, then lets time come as far as all writers have. */
const takeLanes = (
  shard: Shard,
  lanes: Lanes,
  records: RecordBatch,
  now: number,
  run: (given: Given, now: number) => void
): void => {
  const { context } = shard
  lanes.take(records)
  for (let given = lanes.give(givenMax); given !== undefined; given = lanes.give(givenMax)) {
    run(given, now)
    context.firedAt = given.place
  }
  const watermark = lanes.watermark()
  if (watermark !== undefined && watermark > context.time.maxEventTime && !shard.takeTime(watermark, now))
    context.time.maxEventTime = watermark
  context.time.idle = lanes.silent() && !lanes.ended()
}

const makeWriters = (
  plan: StagePlan,
  { id, lookups }: RestoredShard
): Pick<StageContext, "placeBase" | "port" | "repartitions"> => ({
  port: 0,
  placeBase: plan.writers === undefined ? placeBase(plan.origins, plan.source.name, id.shard) : 0,
  repartitions: plan.repartitions.map(({ heldMs, input, name, topic }) =>
    makeRepartitionWriter({
      topic,
      operator: name,
      input,
      shard: id.shard,
      heldMs,
      inFlight: () => lookups.reduce((least, each) => Math.min(least, each.leastWatermark()), Number.POSITIVE_INFINITY)
    })
  )
})

const makeLanesOf = (
  { eventTimeField, portOfInput, writers }: StagePlan,
  { detail, offset }: RestoredShard,
  shape: LaneShape | undefined,
  bounded: boolean
): Lanes | undefined => {
  if (writers === undefined) return undefined
  if (shape === undefined) throw new Error("a stage behind a repartition is told how many shards write it")
  return makeLanes({
    shape,
    timed: eventTimeField !== undefined,
    restored: detail.lanes,
    bounded,
    start: offset,
    portOf: portOfInput
  })
}

/** Counts what conditions leave out, and enters it when a block of offsets is over. */
const countFiltered = (
  plan: StagePlan,
  restored: RestoredShard,
  ledger: Ledger["Service"] | undefined,
  write: WriteEntry
) => {
  const originAt = makeOriginAt(plan, restored.id)
  return makeFilteredCounts(restored.offset, restored.detail.filtered, ({ count, from, operator, to }) => {
    const { offset: offsetFrom, ...place } = originAt(from, plan.source.name)
    const { offset: offsetTo } = originAt(to, plan.source.name)
    const entry = ledger?.makeFiltered?.({ job: plan.uid, operator, ...place, offsetFrom, offsetTo, count })
    if (entry !== undefined) write("filtered", entry)
  })
}

const noBytes = new Uint8Array(0)
/** What operators keep, and what goes by the clock. */
const keptPart = ({
  detail,
  joins,
  keyed,
  patterns,
  states,
  windows
}: RestoredShard): Pick<StageContext, "clock" | "joins" | "keyed" | "patterns" | "states" | "windows"> => ({
  states,
  windows,
  patterns,
  joins,
  keyed,
  clock: { at: detail.clockAt ?? Number.NEGATIVE_INFINITY }
})

/** Of an epoch that has just begun. */
const noLead = { inRow: 0, least: 0 }

const valueAt = ({ source: { bytes, valueEnds, valueStarts } }: ColumnBatch, row: number): Uint8Array =>
  bytes.subarray(valueStarts[row]!, valueEnds[row]!)
