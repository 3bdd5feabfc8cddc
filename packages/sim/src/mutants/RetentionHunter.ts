/**
 * Readers of one topic beside retention, in an order drawn from a seed: what a mutant of retention is noticed by.
 *
 * Jobs and landings commit positions as the engine and the lake write them, some never, some in a topic of another id;
 * between any two of their acts retention may come. After each of its rounds a plain loop says how far it might go.
 */
import { type LogReader, type LogShape, type ShardId, trimLog, Log } from "@frazil/engine"
import { makeRecordBuilder } from "@frazil/core"
import { Effect } from "effect"
import { makeRandom, type Random } from "../generate/Random.ts"
import { makeSimLog } from "../world/log/SimLog.ts"
import { LogState } from "../world/log/LogState.ts"

const topic = "events"
const stepsMax = 60

interface Reader extends LogReader {
  readonly job: boolean
  /** By partition; undefined where it never committed. */
  readonly next: Array<number | undefined>
  /** It committed, but in a topic of another id. */
  astray: boolean
}

interface Playing {
  readonly log: LogShape
  readonly random: Random
  readonly partitions: number
  readonly ends: Array<number>
  readonly readers: ReadonlyArray<Reader>
}

const drawReaders = (random: Random, partitions: number): ReadonlyArray<Reader> => {
  const next = () => Array.from({ length: partitions }, () => undefined)
  const job = (uid: string): Reader => ({ topic, uid, stage: topic, job: true, next: next(), astray: false })
  const landing: Reader = { topic, uid: "land.events", stage: "landing", job: false, next: next(), astray: false }
  return [job("first"), landing, job("second")].slice(0, 1 + random.below(3))
}

const append = Effect.fnUntraced(function* ({ ends, log, partitions, random }: Playing) {
  const partition = random.below(partitions)
  const builder = makeRecordBuilder(64)
  const records = 1 + random.below(6)
  for (let i = 0; i < records; i++) builder.addText(`${ends[partition]! + i}`, null)
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic, partition, records: builder.take() }])
  ends[partition]! += records
})

const commit = Effect.fnUntraced(function* (
  playing: Playing,
  id: ShardId,
  offsets: ReadonlyArray<number>,
  topicId: string
) {
  const { log, partitions } = playing
  const [inForce] = yield* log.fence("test", [id])
  const positions = offsets.map((offset) => ({ topic, topicId, partitions, offset }))
  const shard = { id, epochRead: inForce?.epoch ?? 0, positions, snapshots: [], detail: null, delta: null, outputs: [] }
  yield* log.commit({ owner: "test", shards: [shard] })
})

/** A job moves on in one partition, a landing in all of them. */
const advance = Effect.fnUntraced(function* (playing: Playing) {
  const { ends, log, partitions, random, readers } = playing
  const reader = readers[random.below(readers.length)]!
  if (reader.astray) return
  const forward = (partition: number) => {
    const from = reader.next[partition] ?? 0
    return (reader.next[partition] = from + random.below(ends[partition]! - from + 1))
  }
  const { id } = yield* log.topic(topic)
  // a landing of a warehouse that belongs to another log
  if (!reader.job && random.below(15) === 0) reader.astray = true
  const topicId = reader.astray ? "another" : id
  if (!reader.job) {
    const offsets = Array.from({ length: partitions }, (_, partition) => forward(partition))
    return yield* commit(playing, { uid: reader.uid, stage: reader.stage, shard: 0 }, offsets, topicId)
  }
  const shard = random.below(partitions)
  yield* commit(playing, { uid: reader.uid, stage: reader.stage, shard }, [forward(shard)], topicId)
})

/** How far the partition might be removed: nothing that a reader has not read, nor the record before a landing's mark. */
const limit = ({ readers }: Playing, partition: number): number =>
  Math.min(
    ...readers.map(({ astray, job, next }) => {
      const at = next[partition] ?? 0
      return job ? at : astray ? 0 : Math.max(0, at - 1)
    })
  )

const round = Effect.fnUntraced(function* (playing: Playing) {
  const before = (yield* playing.log.bounds(topic)).map(({ start }) => start)
  const declared = playing.readers.map(({ stage, uid }) => ({ topic, stage, uid }))
  yield* trimLog({ readers: declared, ageMs: -1 }).pipe(Effect.provideService(Log, playing.log))
  for (const { end, partition, start } of yield* playing.log.bounds(topic)) {
    const most = limit(playing, partition)
    // what was removed before a reader went astray stays removed
    if (start > Math.max(most, before[partition]!))
      return `partition ${partition} begins at ${start}, but ${most} is still to be read`
    if (start < Math.min(most, end))
      return `partition ${partition} begins at ${start}, though all below ${most} is read`
  }
  return undefined
})

/** What went wrong with the seed's order of events; undefined when nothing did. */
export const huntRetention = (seed: number): string | undefined => {
  const random = makeRandom(seed)
  const partitions = 1 + random.below(3)
  const playing: Playing = {
    log: makeSimLog(new LogState()),
    random,
    partitions,
    ends: Array.from({ length: partitions }, () => 0),
    readers: drawReaders(random, partitions)
  }
  return Effect.runSync(
    Effect.gen(function* () {
      yield* playing.log.ensureTopic({ name: topic, partitions })
      for (let step = 0; step < stepsMax; step++) {
        const act = random.below(4)
        if (act === 0) yield* append(playing)
        else if (act < 3) yield* advance(playing)
        else {
          const wrong = yield* round(playing)
          if (wrong !== undefined) return `step ${step}: ${wrong}`
        }
      }
      return undefined
    })
  )
}
