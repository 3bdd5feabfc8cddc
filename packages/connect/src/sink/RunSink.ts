/**
 * A sink, running: committed records of a topic to a target without transactions, with a cursor of its own (rule 18).
 *
 * Apps run one for each declared sink. The cursor is a record in force in the log, for each partition the lowest offset not
 * yet delivered; retention waits for it as for a landing's. **Delivery**: at least once; a crash between delivery and cursor repeats a batch.
 * **Order**: by offset within a partition. **Bounds**: one batch a partition in memory; while the target takes nothing, the
 * sink waits and the topic keeps what comes. What the target refuses for good becomes a dead letter, in the same commit as the
 * cursor that passes it.
 */
import { Decoder, faultPoint, type Topic } from "@frazil/core"
import { type Append, Log, LogError, newOwner, type RecordInForce, type TopicInfo } from "@frazil/engine"
import { Effect, Random, Schema, Semaphore } from "effect"
import { sinkShard } from "./SinkProgress.ts"
import type { Refused, SinkError, SinkRecord, SinkTarget } from "./SinkTarget.ts"

export interface SinkOptions<A> {
  /** Names the cursor for life: another name delivers everything again. */
  readonly name: string
  readonly topic: Topic<A>
  readonly target: SinkTarget<A>
  /** The dead letter of a record that the target refused. */
  readonly deadLetter: (refused: Refused<A>) => Effect.Effect<Append>
  /** Whether nothing more will come: then the sink ends at the topic's end. Never, unless given. */
  readonly inputComplete?: Effect.Effect<boolean>
  /** Fails after so many deliveries of a partition that failed, one after the other. Never, unless given. */
  readonly failuresInRowMax?: number
  /** Told when delivery fails (the message) and when it works again (undefined). */
  readonly onProblem?: (message: string | undefined) => Effect.Effect<void>
}

/** The topic is not the one that the cursor is about, or the target took nothing for too long. */
class SinkStopped extends Schema.TaggedError<SinkStopped>()("SinkStopped", { message: Schema.String }) {}

const batchLimits = { recordsMax: 500, bytesMax: 1_048_576 }
const idleWaitMs = 100
const retryFirstMs = 200
const retryLongestMs = 30_000

/** The cursor of all partitions, and the only way to move it. */
interface Cursor {
  readonly next: (partition: number) => number
  readonly move: (partition: number, next: number, outputs: ReadonlyArray<Append>) => Effect.Effect<void, LogError>
}

interface Running<A> {
  readonly options: SinkOptions<A>
  readonly topic: TopicInfo
  readonly cursor: Cursor
  readonly partition: number
}

/** Pauses of 200 ms, 400 ms … 30 s, less up to a half by chance, or as long as was asked for. */
const pause = Effect.fnUntraced(function* (failures: number, askedMs: number | undefined) {
  const longestMs = Math.min(retryLongestMs, retryFirstMs * 2 ** Math.min(failures, 16))
  const chance = yield* Random.next
  yield* Effect.sleep(Math.max(askedMs ?? 0, longestMs * (1 - chance / 2)))
})

const startOf = Effect.fnUntraced(function* (name: string, topic: TopicInfo, inForce: RecordInForce | undefined) {
  const positions = inForce?.positions ?? []
  if (positions.some((position) => position.topicId !== topic.id)) {
    const message = `sink ${name}: topic ${topic.name} was made anew since it last delivered: give the sink another name to deliver all of it`
    return yield* new SinkStopped({ message })
  }
  const bounds = yield* (yield* Log).bounds(topic.name)
  return bounds.map(({ partition, start }) => positions[partition]?.offset ?? start)
})

const openCursor = Effect.fnUntraced(function* (
  name: string,
  topic: TopicInfo
): Effect.fn.Return<Cursor, LogError | SinkStopped, Log> {
  const log = yield* Log
  const id = sinkShard(name)
  const owner = yield* newOwner
  const [inForce] = yield* log.fence(owner, [id])
  const offsets = yield* startOf(name, topic, inForce)
  // partitions deliver beside each other, and commit one after the other
  const alone = yield* Semaphore.make(1)
  let epochRead = inForce?.epoch ?? 0
  const commit = Effect.fnUntraced(function* (outputs: ReadonlyArray<Append>) {
    const { id: topicId, partitions } = topic
    const positions = offsets.map((offset) => ({ topic: topic.name, topicId, partitions, offset }))
    // the commit point: what is below the cursor is not delivered again
    yield* log.commit({
      owner,
      shards: [{ id, epochRead, positions, snapshots: [], detail: null, delta: null, outputs }]
    })
    epochRead++
  })
  // retention must know from the beginning who reads here
  if (inForce === undefined) yield* commit([])
  return {
    next: (partition) => offsets[partition]!,
    move: (partition, next, outputs) =>
      alone.withPermits(1)(
        Effect.suspend(() => {
          offsets[partition] = next
          return commit(outputs)
        })
      )
  }
})

/** The records of a batch that decode; the others are the business of the topic's job. */
const readBatch = Effect.fnUntraced(function* <A>(
  { options, partition, topic }: Running<A>,
  decoder: ReturnType<typeof Decoder.make<A>>,
  offset: number,
  now: boolean
) {
  const batch = yield* (yield* Log).read(topic.name, partition, offset, { ...batchLimits, now })
  const columns = decoder.decode(batch)
  const text = new TextDecoder()
  const records: Array<SinkRecord<A>> = []
  for (let row = 0; row < batch.length; row++) {
    if (columns.valid[row] === 0) continue
    records.push({
      topic: options.topic.name,
      topicId: topic.id,
      partition,
      offset: batch.offsets[row]!,
      record: decoder.record(columns, row),
      json: text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
    })
  }
  return { records, next: batch.next, open: batch.open === true }
})

interface Delivered<A> {
  readonly refused: ReadonlyArray<Refused<A>>
  /** How many of the batch's records are done. */
  readonly count: number
  readonly error: SinkError | undefined
}

const deliver = Effect.fnUntraced(function* <A>(target: SinkTarget<A>, records: ReadonlyArray<SinkRecord<A>>) {
  if (records.length === 0) return { refused: [], count: 0, error: undefined } satisfies Delivered<A>
  yield* faultPoint("before-deliver")
  yield* faultPoint("deliver-late")
  const delivered = yield* target.deliver(records).pipe(
    Effect.map((refused): Delivered<A> => ({ refused, count: records.length, error: undefined })),
    Effect.catch((error) => Effect.succeed<Delivered<A>>({ refused: [], count: error.delivered, error }))
  )
  yield* faultPoint("after-deliver")
  return delivered
})

/** One partition, from its cursor on. */
const runPartition = Effect.fnUntraced(function* <A>(running: Running<A>) {
  const { cursor, options, partition } = running
  const {
    failuresInRowMax = Number.POSITIVE_INFINITY,
    inputComplete = Effect.succeed(false),
    onProblem = () => Effect.void
  } = options
  const log = yield* Log
  const decoder = Decoder.make(options.topic)
  let failures = 0
  while (true) {
    // asked before reading: what is complete is there to be read from now on
    const complete = yield* inputComplete
    const batch = yield* readBatch(running, decoder, cursor.next(partition), complete)
    if (batch.next === cursor.next(partition)) {
      if (complete && !batch.open) return
      yield* log.awaitAppend(idleWaitMs, [options.topic.name])
      continue
    }
    const { count, error, refused } = yield* deliver(options.target, batch.records)
    const next = count < batch.records.length ? batch.records[count]!.offset : batch.next
    if (next > cursor.next(partition)) {
      const outputs = yield* Effect.forEach(refused, options.deadLetter)
      yield* faultPoint("before-cursor")
      yield* cursor.move(partition, next, outputs)
    }
    if (error === undefined) {
      if (failures > 0) yield* onProblem(undefined)
      failures = 0
    } else {
      yield* onProblem(error.message)
      if (failures + 1 >= failuresInRowMax) {
        const message = `sink ${options.name}: nothing delivered in ${failuresInRowMax} attempts: ${error.message}; the same command goes on there`
        return yield* new SinkStopped({ message })
      }
      yield* pause(failures++, error.retryAfterMs)
    }
  }
})

/** One run: take the sink over, then deliver every partition until the input is complete. */
const runOnce = Effect.fnUntraced(function* <A>(options: SinkOptions<A>) {
  const log = yield* Log
  const topic = yield* log.ensureTopic({ name: options.topic.name, partitions: options.topic.partitions })
  const cursor = yield* openCursor(options.name, topic)
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
  yield* Effect.forEach(partitions, (partition) => runPartition({ options, topic, cursor, partition }), {
    concurrency: "unbounded",
    discard: true
  })
})

/** Delivers until the input is complete; for ever when it never is. Fails when another run has taken the sink over. */
export const runSink = Effect.fn("Sink.run")(function* <A>(
  options: SinkOptions<A>
): Effect.fn.Return<void, LogError | SinkStopped, Log> {
  const { onProblem = () => Effect.void } = options
  let failures = 0
  while (true) {
    const ended = yield* runOnce(options).pipe(
      Effect.as(true),
      // after an unknown outcome nothing is assumed: the cursor is read back (rule 5)
      Effect.catchIf(
        (error): error is LogError =>
          error instanceof LogError && (error.reason === "Unavailable" || error.reason === "OutcomeUnknown"),
        (error) => Effect.as(Effect.andThen(onProblem(error.message), pause(failures++, undefined)), false)
      )
    )
    if (ended) return
  }
})
