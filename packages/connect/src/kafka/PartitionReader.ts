/**
 * Reading partitions at `read_committed`: records, bounds, and the offset of a time.
 *
 * A fetch asks by topic id. What it brought beyond what the caller took is kept for the next read at exactly that place, so
 * that a large batch crosses the wire once. **Bounds**: `readAheadBytesMax` of such rests, the oldest go first; a fetch brings what
 * the caller asked for once it is decompressed, as far as the topic's last one tells, or one batch.
 */
import { LogError, type PartitionBounds, type ReadLimits, type ReadRecords } from "@frazil/engine"
import { listOffsetsV7, protocolErrorsCodesById } from "@platformatic/kafka"
import { Clock, Effect, Option } from "effect"
import { answeredWith, type CallError, callErrorAnswered } from "./CallError.ts"
import { call, type Cluster, type ClusterTopic } from "./Cluster.ts"
import { DamagedBatch, decodeBatches } from "./DecodeBatches.ts"
import { makeKnownEnds } from "./KnownEnds.ts"
import { fetchBytes, type FetchedPartition, readCommitted } from "./RawApis.ts"
import { makeRests } from "./Rests.ts"
import { takeRecords } from "./TakeRecords.ts"

export interface PartitionReader {
  readonly read: (
    topic: string,
    partition: number,
    offset: number,
    limits: ReadLimits
  ) => Effect.Effect<ReadRecords, LogError>
  readonly bounds: (topic: string) => Effect.Effect<ReadonlyArray<PartitionBounds>, LogError>
  /** The ends of all partitions of the topics, as text. Topics that are gone are left out. */
  readonly ends: (topics: ReadonlySet<string>) => Effect.Effect<string, LogError>
  /** The end of the partition: as it is now, or as old as what is `known` of ends. */
  readonly endOf: (topic: string, partition: number, age: "now" | "known") => Effect.Effect<number, LogError>
  readonly boundsOf: (topic: string, partition: number) => Effect.Effect<PartitionBounds, LogError>
  readonly offsetAt: (topic: string, partition: number, timeMs: number) => Effect.Effect<number, LogError>
  /** Drops what is kept of a topic: it was trimmed or deleted. */
  readonly forget: (topic: string) => void
  /** Something was committed in this process to these partitions (`topic/partition`): what ended a moment ago may go on. */
  readonly committed: (partitions: Iterable<string>) => void
}

export interface ReaderOptions {
  /** Of what fetches brought and nobody took yet, over all partitions. */
  readonly readAheadBytesMax: number
  /** Longer values are cut. */
  readonly recordBytesMax: number
}

/** Kafka's names for the first offset kept and, at `read_committed`, the end of what is committed. */
const earliest = -2n
const latest = -1n
/** A fetch brings at least this, whatever the caller's limits: they are applied to what it brought. */
const fetchBytesMin = 65_536
const noBytes = new Uint8Array(0)
const oneRecord: ReadLimits = { recordsMax: 1, bytesMax: 1 }

const nothing = (offset: number): ReadRecords =>
  decodeBatches({ bytes: noBytes, offset, aborted: [], recordBytesMax: 0 })

const outOfRange = (topic: string, partition: number, offset: number, bounds: string): LogError =>
  new LogError({
    reason: "OffsetOutOfRange",
    message: `offset ${offset} of topic ${topic}, partition ${partition}, is outside what the log keeps${bounds}: the position belongs to another log, or the records were removed`
  })

const noPartition = ({ leaders, name }: ClusterTopic, partition: number): LogError =>
  new LogError({
    reason: "TopicDiffers",
    message: `topic ${name} has ${leaders.length} partitions, numbered from 0: there is no partition ${partition}`
  })

const damaged = (topic: string, partition: number, { message, offset }: DamagedBatch): LogError =>
  new LogError({
    reason: "Corrupt",
    message: `the batch of topic ${topic}, partition ${partition}, at offset ${offset} ${message}: find out what wrote it; trim the topic past it to go on without it`
  })

/** What to ask a broker of: the ends of those partitions that it leads. */
const ledBy = (topics: ReadonlyArray<ClusterTopic>, leader: number) =>
  topics.flatMap(({ leaders, name }) => {
    const partitions = leaders.flatMap((each, partitionIndex) =>
      each === leader ? [{ partitionIndex, currentLeaderEpoch: -1, timestamp: latest }] : []
    )
    return partitions.length === 0 ? [] : [{ name, partitions }]
  })

export const makePartitionReader = (
  cluster: Cluster,
  { readAheadBytesMax, recordBytesMax }: ReaderOptions
): PartitionReader => {
  const rests = makeRests(readAheadBytesMax)
  const known = makeKnownEnds()
  /** By topic: how many bytes of records came of one on the wire, last time. */
  const growth = new Map<string, number>()

  const partitionOf = (name: string, partition: number) =>
    Effect.flatMap(cluster.topic(name), (topic) => {
      if (partition in topic.leaders) return Effect.succeed(topic)
      // partitions may have been added since
      cluster.forget(name)
      return Effect.flatMap(cluster.topic(name), (now) =>
        partition in now.leaders ? Effect.succeed(now) : Effect.fail(noPartition(now, partition))
      )
    })

  /** Runs on the topic as it is known, and again as it is now when brokers say that it is not so any more. */
  const onTopic = <A>(
    doing: string,
    name: string,
    partition: number,
    attempt: (topic: ClusterTopic) => Effect.Effect<A, CallError | LogError>
  ): Effect.Effect<A, LogError> =>
    cluster
      .persistently<A | LogError, never>(
        doing,
        Effect.flatMap(Effect.result(partitionOf(name, partition)), (found): Effect.Effect<A | LogError, CallError> =>
          found._tag === "Failure"
            ? Effect.succeed(found.failure)
            : Effect.catchTag(attempt(found.success), "LogError", (error) => Effect.succeed(error))
        ),
        () => cluster.forget(name)
      )
      .pipe(Effect.flatMap((result) => (result instanceof LogError ? Effect.fail(result) : Effect.succeed(result))))

  const fetchOnce = (topic: ClusterTopic, partition: number, offset: number, bytesMax: number) =>
    Effect.gen(function* () {
      const connection = yield* cluster.leader(topic, partition)
      const place = {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: bytesMax
      }
      const topics = [{ topicId: topic.id, partitions: [place] }]
      const answer = yield* call(connection, fetchBytes, 0, 0, bytesMax, readCommitted, 0, -1, topics, [], "")
      const errorCode = answer.errorCode === 0 ? answer.partition?.errorCode : answer.errorCode
      const found = answer.partition
      if (errorCode === 0 && found !== undefined) {
        const { lastStableOffset, records, start } = found
        // what was found empty ends windows and runs: an answer that leaves out what it tells of is none
        if (records.length > 0 || offset < start || offset >= lastStableOffset) return found
        return yield* callErrorAnswered([
          {
            id: "OFFSET_NOT_AVAILABLE",
            detail: `nothing came from ${offset} on, though the end is ${lastStableOffset}`
          }
        ])
      }
      const id = protocolErrorsCodesById[errorCode ?? -1] ?? "UNKNOWN_SERVER_ERROR"
      return yield* callErrorAnswered([{ id, detail: undefined }])
    })

  /** Records from `offset` on as a fetch brings them; fetches again over what holds no records. */
  const fetch = Effect.fnUntraced(function* (name: string, partition: number, offset: number, bytesMax: number) {
    let at = offset
    const wireBytesMax = Math.max(fetchBytesMin, Math.round(bytesMax / (growth.get(name) ?? 1)))
    while (true) {
      const told = known.asking(yield* Clock.currentTimeMillis)
      const answer: FetchedPartition = yield* onTopic(`reading topic ${name}`, name, partition, (topic) =>
        fetchOnce(topic, partition, at, wireBytesMax).pipe(
          Effect.catchIf(
            (error) => answeredWith(error, new Set(["OFFSET_OUT_OF_RANGE"])),
            () => Effect.fail(outOfRange(name, partition, at, ""))
          )
        )
      )
      const { aborted, highWatermark, lastStableOffset, records, start } = answer
      if (at < start || at > lastStableOffset) {
        return yield* outOfRange(name, partition, at, `, [${start}, ${lastStableOffset}]`)
      }
      const batch = yield* Effect.try({
        try: () => decodeBatches({ bytes: records, offset: at, aborted, recordBytesMax }),
        catch: (cause) => cause
      }).pipe(
        Effect.catch((cause) =>
          cause instanceof DamagedBatch ? Effect.fail(damaged(name, partition, cause)) : Effect.die(cause)
        )
      )
      if (batch.length > 0) {
        growth.set(name, Math.max(1, batch.bytes.length / records.length))
        return batch
      }
      if (batch.next === at || batch.next >= lastStableOffset) {
        told.empty(name, partition, offset, batch.next)
        return highWatermark > lastStableOffset ? { ...batch, open: true } : batch
      }
      at = batch.next
    }
  })

  const read: PartitionReader["read"] = (name, partition, offset, limits) =>
    Effect.gen(function* () {
      if (!Number.isSafeInteger(offset) || offset < 0) return yield* outOfRange(name, partition, offset, "")
      const topic = yield* partitionOf(name, partition)
      const nowMs = yield* Clock.currentTimeMillis
      const end = limits.now === true ? undefined : known.endBehind(name, partition, offset, nowMs)
      if (end !== undefined) return nothing(end)
      const place = `${name}/${topic.id}/${partition}`
      const { batch, from } = rests.take(place, offset) ?? {
        batch: yield* fetch(name, partition, offset, limits.bytesMax),
        from: 0
      }
      const taken = takeRecords(batch, from, limits)
      const to = from + taken.length
      if (to < batch.length) rests.keep(place, taken.next, { batch, from: to })
      return taken
    })

  /** Offsets of partitions of one topic, asked of their leaders. */
  const listOffsets = (name: string, partitions: ReadonlyArray<number>, timestamp: bigint) =>
    onTopic(`asking for offsets of topic ${name}`, name, Math.max(...partitions), (topic) =>
      Effect.gen(function* () {
        const found = new Map<number, number>()
        const byLeader = Map.groupBy(partitions, (partition) => topic.leaders[partition]!)
        for (const [leader, own] of byLeader) {
          const connection = yield* cluster.broker(leader)
          const asked = own.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
          const answer = yield* call(connection, listOffsetsV7.api, -1, readCommitted, [
            { name: topic.name, partitions: asked }
          ])
          for (const { offset, partitionIndex } of answer.topics[0]?.partitions ?? []) {
            found.set(partitionIndex, Number(offset))
          }
        }
        return found
      })
    )

  const boundsOfAll = Effect.fnUntraced(function* (name: string, partitions: ReadonlyArray<number>) {
    // the end first: what is trimmed in between may bring the start beyond it
    const told = known.asking(yield* Clock.currentTimeMillis)
    const ends = yield* listOffsets(name, partitions, latest)
    for (const [partition, end] of ends) told.ends(name, partition, end)
    const starts = yield* listOffsets(name, partitions, earliest)
    return partitions.map((partition): PartitionBounds => {
      const start = starts.get(partition) ?? 0
      return { partition, start, end: Math.max(start, ends.get(partition) ?? 0) }
    })
  })

  return {
    read,
    bounds: (name) =>
      Effect.gen(function* () {
        // as it is now: bounds tell what there is to read, partitions that were added included
        const [topic] = yield* cluster.topicsNow(name)
        const known = topic ?? (yield* cluster.topic(name))
        return yield* boundsOfAll(name, [...known.leaders.keys()])
      }),
    ends: (names) =>
      cluster.persistently(
        "asking for the ends of topics",
        Effect.gen(function* () {
          const found = yield* Effect.forEach(names, (name) => Effect.option(cluster.topic(name)))
          const told = known.asking(yield* Clock.currentTimeMillis)
          const topics = found.flatMap(Option.toArray)
          const texts: Array<string> = []
          // one request for a broker, whatever it leads
          for (const leader of new Set(topics.flatMap(({ leaders }) => leaders))) {
            const connection = yield* cluster.broker(leader)
            const answer = yield* call(connection, listOffsetsV7.api, -1, readCommitted, ledBy(topics, leader))
            for (const { name, partitions } of answer.topics) {
              for (const { offset, partitionIndex } of partitions) {
                texts.push(`${name}/${partitionIndex}@${offset}`)
                told.ends(name, partitionIndex, Number(offset))
              }
            }
          }
          return texts.sort().join()
        }),
        () => names.forEach(cluster.forget)
      ),
    endOf: (name, partition, age) =>
      Effect.gen(function* () {
        const nowMs = yield* Clock.currentTimeMillis
        const fresh = age === "now" ? undefined : known.end(name, partition, nowMs)
        if (fresh !== undefined) return fresh
        yield* partitionOf(name, partition)
        const told = known.asking(nowMs)
        const end = (yield* listOffsets(name, [partition], latest)).get(partition) ?? 0
        told.ends(name, partition, end)
        return end
      }),
    boundsOf: (name, partition) =>
      Effect.gen(function* () {
        yield* partitionOf(name, partition)
        return (yield* boundsOfAll(name, [partition]))[0]!
      }),
    offsetAt: (name, partition, timeMs) =>
      Effect.gen(function* () {
        yield* partitionOf(name, partition)
        const [bound] = yield* boundsOfAll(name, [partition])
        const { end, start } = bound!
        // below zero stand Kafka's own names for offsets
        const listed = yield* listOffsets(name, [partition], BigInt(Math.max(0, Math.ceil(timeMs))))
        const found = listed.get(partition) ?? -1
        if (found < 0 || found >= end) return end
        // markers have times, too
        const batch = yield* read(name, partition, Math.max(start, found), oneRecord)
        return batch.length === 0 ? end : batch.offsets[0]!
      }),
    forget: (name) => {
      rests.forget(name)
      growth.delete(name)
      known.clear()
    },
    committed: known.committed
  }
}
