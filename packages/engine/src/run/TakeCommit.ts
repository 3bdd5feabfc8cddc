/**
 * What a shard commits: its outputs, delta, positions and the detail of its record in force; and what of it is not committed yet.
 *
 * `CommitEpoch.ts` takes it, the monitor and the task ask what is pending. Nothing is written here.
 */
import { snapshotsKept } from "../checkpoint/Snapshot.ts"
import type { ShardCommit, TopicInfo } from "../log/Log.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { encodeDelta } from "../state/StateCodec.ts"
import { watermarkOf } from "../state/Watermark.ts"
import type { OutputCollector } from "./Collector.ts"
import { clearCounts, totalsPart } from "./ControlTotals.ts"
import { sourcesOf } from "./SameSources.ts"
import type { Shard } from "./Shard.ts"
import { addDecoded, addTables, type ShardCounts, type ShardDetail } from "./ShardDetail.ts"

/** Of the open epoch. */
export const nothingYet = {
  pending: 0,
  answered: 0,
  fired: false,
  failedInEpoch: 0,
  slowInEpoch: 0,
  undecodedInEpoch: 0
}

/** All that an epoch writes changes of. */
export const statesOf = ({ context }: Shard): ReadonlyArray<OperatorState> => [
  ...context.states,
  ...context.windows,
  ...context.patterns,
  ...context.keyed,
  ...context.joins,
  ...context.lookups,
  ...context.tables
]

/** The watermark that nothing in flight holds back (protocol, rule 11). */
export const watermarkHeld = (shard: Shard, plan: StagePlan): number =>
  shard.context.lookups.reduce(
    (least, lookup) => Math.min(least, lookup.leastWatermark()),
    watermarkOf(shard.context.time, plan.outOfOrdernessMs)
  )

const collectorsOf = ({
  context,
  deadLetters,
  ledger,
  outputs
}: Shard): ReadonlyArray<Pick<OutputCollector, "take">> => [
  ...outputs,
  ...context.repartitions,
  deadLetters,
  ...(ledger === undefined ? [] : [ledger])
]

/** The next offset that a restart would have to read. */
const positionOf = ({ lanes, offset }: Shard): number => lanes?.position() ?? offset

/** Bytes that the open epoch would write. */
export const bytesPending = (shard: Shard): number =>
  shard.context.repartitions.reduce((sum, writer) => sum + writer.bytesUsed(), shard.epochBytes.used())

/** Entries of the ledger by reason since the job's first start; undefined when there was none. */
export const ledgerCounts = ({ detail, entered }: Shard): ShardCounts["ledger"] => {
  if (entered.size === 0) return detail.counts.ledger
  const counts = { ...detail.counts.ledger }
  for (const [reason, count] of entered) counts[reason] = (counts[reason] ?? 0) + count
  return counts
}

/** How records decoded since the job's first start. */
export const decodedCounts = ({ detail: { counts }, slowInEpoch, undecodedInEpoch }: Shard) =>
  addDecoded(counts, { slow: slowInEpoch, undecoded: undecodedInEpoch })

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

/** Behind a repartition: what tells time only has no record that would commit it, and may go from the log once it is. */
export const laneMoved = (shard: Shard): boolean =>
  shard.lanes !== undefined && positionOf(shard) > shard.committedOffset

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
  if (finished) context.filtered.close()
  const ledger = ledgerCounts(shard)
  const tables = tableCounts(shard)
  const filtered = context.filtered.open()
  const out: Record<string, number> = { ...counts.out }
  for (const output of [...shard.outputs, ...context.repartitions])
    out[output.topic.name] = (out[output.topic.name] ?? 0) + output.count()
  // how far time has come, also for partitions that nothing came for (protocol, rule 11)
  const watermark = watermarkOf(context.time, plan.outOfOrdernessMs)
  for (const writer of context.repartitions) writer.advance(watermark, context.time.idle, finished)
  shard.detail = {
    maxEventTime: recordedTime(shard),
    idle: context.time.idle,
    counts: {
      in: counts.in + shard.pending,
      out,
      validated: counts.validated + context.validated,
      deadLettered: counts.deadLettered + lettersPending(shard),
      failed: counts.failed + shard.failedInEpoch,
      ...decodedCounts(shard),
      ...(tables === undefined ? {} : { tables }),
      ...(ledger === undefined ? {} : { ledger }),
      ...totalsPart(shard, plan)
    },
    deltasFrom: stateful ? (before.deltasFrom ?? shard.epoch + 1) : null,
    finished,
    ...(context.lead.inRow === 0 ? {} : { lead: { ...context.lead } }),
    ...(shard.closed ? { closed: true } : {}),
    ...(Number.isFinite(context.clock.at) ? { clockAt: context.clock.at } : {}),
    ...(filtered === undefined ? {} : { filtered }),
    ...heldPart(shard),
    ...(plan.repartitions.length === 0 ? {} : { internal: shard.internal }),
    ...(plan.repartitions.length === 0 && shard.lanes === undefined ? {} : { sources: sourcesOf(plan) }),
    ...(shard.lanes === undefined ? {} : { lanes: shard.lanes.detail(), place: context.firedAt })
  }
  shard.entered.clear()
  for (const table of shard.tables) {
    table.taken = 0
    table.deadLettered = 0
  }
  Object.assign(shard, nothingYet)
  clearCounts(context)
  shard.committedOffset = positionOf(shard)
  const named = shard.unnamed === undefined ? shard.snapshots : [shard.unnamed.name, ...shard.snapshots]
  const taken = collectorsOf(shard).flatMap((output) => [...output.take()])
  shard.epochBytes.handOver()
  return {
    id: shard.id,
    epochRead: shard.epoch,
    positions: topics.map(({ id, name, partitions }, index) => {
      const offset = index === 0 ? positionOf(shard) : shard.tables[index - 1]!.offset
      return { topic: name, topicId: id, partitions, offset }
    }),
    // a version without state writes no deltas, so the snapshots of one before it lead nowhere
    snapshots: stateful ? named.slice(0, snapshotsKept) : [],
    detail: shard.detail,
    delta: stateful ? encodeDelta(statesOf(shard)) : null,
    outputs: taken
  }
}
