/**
 * Sends failed records again, each exactly once: a log stage of its own, from a topic of failures to the one they came from.
 *
 * Commands run it once the reason of the failures is gone. It goes over what the topic holds when it begins; a record is
 * written with the fields that the target declares, and with it, in one commit, that it was sent. **Delivery**: a record
 * that fits the condition is sent once, whatever stops the redrive and however often it is run; a record that fails again
 * is a new record of the topic. **Order**: by partition and offset. **Bounds**: one epoch in memory, and
 * `rangesMax` ranges of offsets per partition to remember.
 */
import { Decoder, faultPoint, type Topic } from "@frazil/core"
import { Effect } from "effect"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import { Log, type PartitionBounds, type RecordInForce, type ShardId, type TopicInfo } from "../log/Log.ts"
import type { LogError } from "../log/LogError.ts"
import { newOwner } from "../log/Owner.ts"
import { makeOutputCollector, type OutputCollector } from "../run/Collector.ts"
import { addOffsets, includesOffset, type OffsetRanges } from "./OffsetRanges.ts"
import { RedriveError } from "./RedriveError.ts"

export interface RedriveOptions {
  /** The topic of failures. */
  readonly from: TopicRef
  /** Where they came from. It is made when it is missing. */
  readonly to: TopicRef
  /** Which of them to send. */
  readonly where: (record: AnyRecord) => boolean
}

export interface Redriven {
  readonly sent: number
  /** Fit the condition, and were sent by an earlier redrive. */
  readonly sentBefore: number
  /** Do not decode as the topic says, or would not be accepted by the target: they stay where they are. */
  readonly unfit: number
}

interface RedriveDetail {
  readonly topicId: string
  readonly sent: ReadonlyArray<OffsetRanges>
}

const limits = { recordsMax: 5_000, bytesMax: 1_048_576 }
const rangesMax = 20_000
/** How often an epoch whose outcome is unknown is read back before the redrive is given up. */
const unknownOutcomesMax = 3

const redriveShard = (topic: string): ShardId => ({ uid: `redrive.${topic}`, stage: "redrive", shard: 0 })

const detailOf = (from: TopicInfo, inForce: RecordInForce | undefined): Effect.Effect<RedriveDetail, RedriveError> => {
  if (inForce === undefined) {
    return Effect.succeed({ topicId: from.id, sent: Array.from({ length: from.partitions }, () => []) })
  }
  const detail = inForce.detail as RedriveDetail // written by this module in every commit
  return detail.topicId === from.id
    ? Effect.succeed(detail)
    : Effect.fail(
        new RedriveError({
          reason: "TopicRecreated",
          message: `topic ${from.name} was deleted and made anew since records of it were sent again: what was sent is not known any more; copy what you want to send with "frazil topics read --unmask" and "topics write"`
        })
      )
}

interface Running {
  readonly options: RedriveOptions
  readonly decoder: Decoder<AnyRecord>
  readonly target: OutputCollector
  readonly owner: string
  readonly counts: { fitting: number; unfit: number }
}

/** One batch: its records into the target's collector; the offsets that were taken, and the next one to read. */
const takeBatch = Effect.fnUntraced(function* (
  { counts, decoder, options, target }: Running,
  bound: PartitionBounds,
  at: number,
  sent: OffsetRanges
) {
  const log = yield* Log
  const batch = yield* log.read(options.from.name, bound.partition, at, limits)
  const columns = decoder.decode(batch)
  const offsets: Array<number> = []
  for (let row = 0; row < batch.length && batch.offsets[row]! < bound.end; row++) {
    if (columns.valid[row] === 0) {
      counts.unfit++
      continue
    }
    const record = decoder.record(columns, row)
    if (!options.where(record)) continue
    const known = includesOffset(sent, batch.offsets[row]!)
    try {
      if (!known) {
        target.record(record)
        offsets.push(batch.offsets[row]!)
      }
      counts.fitting++
    } catch {
      // an EncodeError: the target's contract refuses it, today as tomorrow
      counts.unfit++
    }
  }
  return { offsets, next: batch.length === 0 ? bound.end : batch.next }
})

const sentOf = ({ sent }: RedriveDetail): number => sent.flat().reduce((sum, [start, end]) => sum + end - start, 0)

/** `began` tells what was sent before the first run: a run after an unknown outcome finds its predecessor's too. */
const run = Effect.fnUntraced(function* (
  options: RedriveOptions,
  began: (sent: number) => number
): Effect.fn.Return<Redriven, RedriveError | LogError, Log> {
  const log = yield* Log
  const from = yield* log.topic(options.from.name)
  yield* log.ensureTopic({ name: options.to.name, partitions: options.to.partitions })
  const id = redriveShard(from.name)
  const running: Running = {
    options,
    decoder: Decoder.make(options.from as unknown as Topic<AnyRecord>), // read through its shape
    target: makeOutputCollector(options.to),
    owner: yield* newOwner,
    counts: { fitting: 0, unfit: 0 }
  }
  const [inForce] = yield* log.fence(running.owner, [id])
  yield* faultPoint("after-init")
  let epochRead = inForce?.epoch ?? 0
  let detail = yield* detailOf(from, inForce)
  const before = began(sentOf(detail))
  for (const bound of yield* log.bounds(from.name)) {
    let at = bound.start
    while (at < bound.end) {
      const ranges = detail.sent[bound.partition] ?? []
      const { next, offsets } = yield* takeBatch(running, bound, at, ranges)
      at = next
      if (offsets.length === 0) continue
      const more = addOffsets(ranges, offsets)
      if (more.length > rangesMax) return yield* tooScattered(from.name)
      detail = { ...detail, sent: detail.sent.map((each, partition) => (partition === bound.partition ? more : each)) }
      yield* faultPoint("before-epoch-commit")
      // the commit point: the records, and that they were sent
      const outputs = running.target.take()
      const shard = { id, epochRead, positions: [], snapshots: [], detail, delta: null, outputs }
      yield* log.commit({ owner: running.owner, shards: [shard] })
      yield* faultPoint("after-epoch-commit")
      epochRead++
    }
  }
  const { fitting, unfit } = running.counts
  const sent = sentOf(detail) - before
  return { sent, sentBefore: fitting - sent, unfit }
})

const tooScattered = (topic: string) =>
  new RedriveError({
    reason: "TooScattered",
    message: `too many scattered records of ${topic} would have been sent: a partition remembers at most ${rangesMax} ranges of offsets; leave conditions out, so that more neighbours are sent together`
  })

/**
 * Sends what fits and was not sent before.
 *
 * Fails with `RedriveError`, or with `LogError`; `Fenced` means that another redrive of the topic began.
 */
export const redrive = (options: RedriveOptions): Effect.Effect<Redriven, RedriveError | LogError, Log> =>
  Effect.suspend(() => {
    let first: number | undefined
    return Effect.retry(
      run(options, (sent) => (first ??= sent)),
      { while: (error) => error.reason === "OutcomeUnknown", times: unknownOutcomesMax }
    )
  })
