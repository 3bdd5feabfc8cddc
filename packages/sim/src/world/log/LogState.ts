/**
 * What a simulated log keeps: topics, records, shards, deltas, producers. Durable: it outlives every process.
 *
 * `SimLog` gives processes their view of it. Every function is one atomic act, refuses with a `LogError` before it changes
 * anything, and tells the observer what it did.
 */
import {
  type Append,
  type Appended,
  type Delta,
  type EpochCommit,
  LogError,
  type RecordInForce,
  type ShardId,
  type TopicDeclaration,
  type TopicInfo
} from "@frazil/engine"
import { type KeptRecord, unpackRecords } from "./KeptRecord.ts"

export interface KeptPartition {
  start: number
  end: number
  /** Every record ever appended, trimmed ones included: what the end of a run is judged by. */
  readonly records: Array<KeptRecord>
}

export interface KeptTopic {
  readonly info: TopicInfo
  readonly partitions: ReadonlyArray<KeptPartition>
}

export interface KeptShard {
  readonly id: ShardId
  owner: string
  record: RecordInForce | undefined
  readonly deltas: Map<number, Uint8Array>
}

interface KeptProducer {
  epoch: number
  nextSequence: number
  readonly results: Map<number, ReadonlyArray<Appended>>
}

/** Told of what became durable, at once. */
export interface LogObserver {
  readonly committed: (epoch: EpochCommit, before: ReadonlyArray<RecordInForce | undefined>) => void
  readonly deltasDropped: (shard: KeptShard) => void
  readonly trimmed: (topic: string, partition: number, offset: number) => void
}

const recordBytesMax = 1_048_576
const partitionsMax = 10_000
const resultsMax = 5

export const shardName = ({ uid, stage, shard }: ShardId): string => `${uid}/${stage}/${shard}`

const refuse = (reason: LogError["reason"], message: string): never => {
  throw new LogError({ reason, message })
}

export class LogState {
  readonly topics = new Map<string, KeptTopic>()
  readonly shards = new Map<string, KeptShard>()
  observer: LogObserver = { committed: () => {}, deltasDropped: () => {}, trimmed: () => {} }
  /** Whoever waits for an append. */
  readonly waiting = new Set<() => void>()
  private readonly producers = new Map<string, KeptProducer>()
  private topicsMade = 0
  private appends = 0

  topic(name: string): KeptTopic {
    return this.topics.get(name) ?? refuse("TopicMissing", `topic ${name} does not exist`)
  }

  partition(name: string, partition: number): KeptPartition {
    const topic = this.topic(name)
    return topic.partitions[partition] ?? refuse("TopicDiffers", `topic ${name} has no partition ${partition}`)
  }

  ensureTopic({ name, partitions }: TopicDeclaration, nowMs: number): TopicInfo {
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax || name === "") {
      throw new RangeError(`topic "${name}" with ${partitions} partitions`)
    }
    const found = this.topics.get(name)
    if (found !== undefined) {
      return found.info.partitions === partitions
        ? found.info
        : refuse("TopicDiffers", `topic ${name} has ${found.info.partitions} partitions, ${partitions} are declared`)
    }
    const info = { name, id: `sim.${++this.topicsMade}`, partitions, createdAt: nowMs }
    const made = Array.from({ length: partitions }, (): KeptPartition => ({ start: 0, end: 0, records: [] }))
    this.topics.set(name, { info, partitions: made })
    return info
  }

  deleteTopic(name: string): void {
    this.topic(name)
    this.topics.delete(name)
  }

  /** Refuses what cannot be appended; nothing is changed by it. */
  private check(appends: ReadonlyArray<Append>): void {
    for (const { partition, records, topic } of appends) {
      this.partition(topic, partition)
      for (let row = 0; row < records.length; row++) {
        const value = records.valueEnds[row]! - records.valueStarts[row]!
        const key = records.keyStarts[row]! < 0 ? 0 : records.keyEnds[row]! - records.keyStarts[row]!
        if (Math.max(value, key) > recordBytesMax) refuse("RecordTooLong", `record ${row} for ${topic} is too long`)
      }
    }
  }

  private append({ partition, records, topic }: Append, nowMs: number): Appended {
    const kept = this.partition(topic, partition)
    const offset = kept.end
    const appendNumber = ++this.appends
    const before = kept.records.at(-1)?.appendedMs ?? 0
    for (const record of unpackRecords(records)) {
      kept.records.push({ ...record, offset: kept.end++, appendedMs: Math.max(nowMs, before), appendNumber })
    }
    return { topic, partition, offset }
  }

  trim(topic: string, partition: number, offset: number): void {
    const kept = this.partition(topic, partition)
    if (!(offset <= kept.end)) refuse("OffsetOutOfRange", `topic ${topic} ends at ${kept.end}`)
    if (offset <= kept.start) return
    kept.start = offset
    this.observer.trimmed(topic, partition, offset)
  }

  openProducer(name: string): { readonly epoch: number; readonly nextSequence: number } {
    const producer = this.producers.get(name) ?? { epoch: 0, nextSequence: 0, results: new Map() }
    producer.epoch++
    this.producers.set(name, producer)
    return { epoch: producer.epoch, nextSequence: producer.nextSequence }
  }

  produce(name: string, epoch: number, sequence: number, appends: ReadonlyArray<Append>, nowMs: number) {
    const producer = this.producers.get(name)
    if (producer === undefined || producer.epoch !== epoch) return refuse("Fenced", `producer ${name} was opened again`)
    const sent = producer.results.get(sequence)
    if (sent !== undefined) return sent
    if (sequence !== producer.nextSequence) {
      return refuse("SequenceGap", `producer ${name} sent batch ${sequence}, expected is ${producer.nextSequence}`)
    }
    this.check(appends)
    const appended = appends.map((append) => this.append(append, nowMs))
    producer.nextSequence++
    producer.results.set(sequence, appended)
    producer.results.delete(sequence - resultsMax)
    this.wake()
    return appended
  }

  fence(owner: string, shards: ReadonlyArray<ShardId>): ReadonlyArray<RecordInForce | undefined> {
    return shards.map((id) => {
      const name = shardName(id)
      const shard = this.shards.get(name) ?? { id, owner, record: undefined, deltas: new Map() }
      shard.owner = owner
      this.shards.set(name, shard)
      return shard.record
    })
  }

  deltas(id: ShardId, after: number): ReadonlyArray<Delta> {
    const kept = this.shards.get(shardName(id))?.deltas ?? new Map<number, Uint8Array>()
    return [...kept]
      .filter(([epoch]) => epoch > after)
      .sort(([left], [right]) => left - right)
      .map(([epoch, bytes]) => ({ epoch, bytes }))
  }

  /** **The commit point.** */
  commit(epoch: EpochCommit, nowMs: number): ReadonlyArray<Appended> {
    const shards = epoch.shards.map(({ epochRead, id }) => {
      const shard = this.owned(epoch.owner, id)
      const inForce = shard.record?.epoch ?? 0
      return inForce === epochRead
        ? shard
        : refuse("Fenced", `shard ${shardName(id)} is at ${inForce}, not ${epochRead}`)
    })
    const outputs = epoch.shards.flatMap((shard) => shard.outputs)
    this.check(outputs)
    const before = shards.map(({ record }) => record)
    for (const [index, { delta, detail, epochRead, positions, snapshots }] of epoch.shards.entries()) {
      const shard = shards[index]!
      // through text, as a log keeps it
      const stored: Omit<RecordInForce, "epoch"> = JSON.parse(JSON.stringify({ positions, snapshots, detail }))
      shard.record = { epoch: epochRead + 1, ...stored }
      if (delta !== null) shard.deltas.set(epochRead + 1, delta.slice())
    }
    const appended = outputs.map((append) => this.append(append, nowMs))
    this.observer.committed(epoch, before)
    this.wake()
    return appended
  }

  dropDeltas(owner: string, id: ShardId, through: number): void {
    const shard = this.owned(owner, id)
    const before = shard.deltas.size
    for (const epoch of shard.deltas.keys()) if (epoch <= through) shard.deltas.delete(epoch)
    if (shard.deltas.size < before) this.observer.deltasDropped(shard)
  }

  private owned(owner: string, id: ShardId): KeptShard {
    const shard = this.shards.get(shardName(id))
    return shard !== undefined && shard.owner === owner
      ? shard
      : refuse("Fenced", `shard ${shardName(id)} is not taken by ${owner}`)
  }

  private wake(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wakeUp of waiting) wakeUp()
  }
}
