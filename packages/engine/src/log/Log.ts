/**
 * The log: partitioned topics that keep records, and the one place where a log stage commits.
 *
 * Sources and the landing read it, producers append to it, tasks commit their epochs in it. Two implementations (embedded
 * on SQLite, Kafka) pass one conformance suite (`packages/connect/test/log/LogConformance.ts`).
 *
 * **Guarantees**: a read sees committed records only, in offset order; a shard's outputs of an epoch, its state delta and its
 * record in force become visible together or not at all; only the owner that took a shard last can commit to it.
 */
import { Context, type Effect, type Scope } from "effect"
import type { PackedRecords, RecordBatch } from "@frazil/core"
import type { LogError } from "./LogError.ts"

/** What a topic must be like. `ensureTopic` makes it so or fails with `reason: TopicDiffers`. */
export interface TopicDeclaration {
  readonly name: string
  readonly partitions: number
}

export interface TopicInfo {
  readonly name: string
  /** Generated when the topic is made: a topic deleted and made anew has another. */
  readonly id: string
  readonly partitions: number
  readonly createdAt: number
}

/** Offsets of a partition: the first kept, and the end of what is committed. `start === end` is empty. */
export interface PartitionBounds {
  readonly partition: number
  readonly start: number
  readonly end: number
}

/** Records for one partition of a topic, in order. */
export interface Append {
  readonly topic: string
  readonly partition: number
  readonly records: PackedRecords
}

/** What a read gives. `offsets` ascend with gaps: not every offset is a record (protocol, rule 17). */
export interface ReadRecords extends RecordBatch {
  /** Where to read on: past the last record, and past offsets behind it that will never be records. The offset read from when there is nothing yet. */
  readonly next: number
  /** Where nothing is found: something stands behind `next` that is not committed yet, and may be before what is. Left out: nothing does, as far as was asked. */
  readonly open?: boolean
}

export interface ReadLimits {
  readonly recordsMax: number
  readonly bytesMax: number
  /**
   * That nothing is found must be so now: whatever was committed before the call, by whomever, is there. Left out, nothing
   * may be found where something came up to a tenth of a second ago, though never below an end that `bounds` told.
   */
  readonly now?: boolean
}

/** One shard: partition `shard` of a stage's inputs. `uid` names the job for life. */
export interface ShardId {
  readonly uid: string
  readonly stage: string
  readonly shard: number
}

/** A snapshot as the record in force names it (protocol, rule 1). */
export interface SnapshotName {
  readonly file: string
  /** The epoch at whose end it was begun: what it needs are the deltas of later ones. It contains all changes up to there. */
  readonly epoch: number
  /** The file lists the parts; absent: it is the only one. */
  readonly list?: true
  readonly sha256: string
  readonly bytes: number
}

/** A source's position: the next offset to read, in the topic with this id and partition count (rule 9). */
export interface SourcePosition {
  readonly topic: string
  readonly topicId: string
  readonly partitions: number
  readonly offset: number
}

/** The record in force of a shard: everything a restart needs besides deltas and the snapshot's file. */
export interface RecordInForce {
  readonly epoch: number
  /** A job's shard has one of the partition that it reads, then one for each table of its stage; a landing one for each partition, in order. */
  readonly positions: ReadonlyArray<SourcePosition>
  /** Named snapshots, newest first, at most three. */
  readonly snapshots: ReadonlyArray<SnapshotName>
  /** The shard's small state as JSON: watermarks, idle flags, a fed file's position, counters, `finished`. */
  readonly detail: unknown
}

/** What one shard commits in an epoch. */
export interface ShardCommit {
  readonly id: ShardId
  /** The epoch in force that this commit was computed from; the new one is `epochRead + 1` (rule 10). */
  readonly epochRead: number
  readonly positions: ReadonlyArray<SourcePosition>
  readonly snapshots: ReadonlyArray<SnapshotName>
  readonly detail: unknown
  /** Changes of keyed state since the epoch before; null when there are none. Kept until dropped. */
  readonly delta: Uint8Array | null
  /** What the epoch appends to topics. */
  readonly outputs: ReadonlyArray<Append>
}

/**
 * **The commit point** of a log stage: each of its shards moves in one atomic act, outputs, delta and record together.
 * An embedded log moves all of them in one; Kafka has an act for each shard (rule 8). After a failure each is read back.
 */
export interface EpochCommit {
  readonly owner: string
  readonly shards: ReadonlyArray<ShardCommit>
}

export interface Delta {
  readonly epoch: number
  readonly bytes: Uint8Array
}

/** Where an append landed: `offset` is that of the first record. */
export interface Appended {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * Appends idempotently: a batch with a sequence number already appended is acknowledged again, not appended again, so
 * that an append whose outcome was unknown can be tried again.
 */
export interface Producer {
  /** `sequence` counts this producer's batches from 0 without gaps. */
  readonly append: (
    sequence: number,
    batches: ReadonlyArray<Append>
  ) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  /** The next sequence number that the log expects from this producer. */
  readonly nextSequence: number
}

export interface LogShape {
  readonly ensureTopic: (declaration: TopicDeclaration) => Effect.Effect<TopicInfo, LogError>
  readonly topics: Effect.Effect<ReadonlyArray<TopicInfo>, LogError>
  readonly topic: (name: string) => Effect.Effect<TopicInfo, LogError>
  readonly deleteTopic: (name: string) => Effect.Effect<void, LogError>
  readonly bounds: (topic: string) => Effect.Effect<ReadonlyArray<PartitionBounds>, LogError>
  /** Records from `offset` on; empty only where no committed record follows, or followed a moment ago (`ReadLimits.now`). Fails with `OffsetOutOfRange` below the start or beyond the end: there is no reset policy (rule 3). */
  readonly read: (
    topic: string,
    partition: number,
    offset: number,
    limits: ReadLimits
  ) => Effect.Effect<ReadRecords, LogError>
  /** The first offset whose record was appended at or after `timeMs`; the end when there is none. */
  readonly offsetAt: (topic: string, partition: number, timeMs: number) => Effect.Effect<number, LogError>
  /** Ends when something was committed after the call that may have appended to one of `topics` (left out: anything), or after `timeoutMs`. May end early. */
  readonly awaitAppend: (timeoutMs: number, topics?: ReadonlyArray<string>) => Effect.Effect<void>
  /** Removes records below `offset`; offsets of the rest stay. Callers keep it below every mark and position (rule 16). */
  readonly trim: (topic: string, partition: number, offset: number) => Effect.Effect<void, LogError>
  /** Opens the producer `name`; a second opening fences the first. */
  readonly producer: (name: string) => Effect.Effect<Producer, LogError, Scope.Scope>

  /** Takes the shards for `owner`, then reads their records in force (rule 4). Undefined where a shard never committed. */
  readonly fence: (
    owner: string,
    shards: ReadonlyArray<ShardId>
  ) => Effect.Effect<ReadonlyArray<RecordInForce | undefined>, LogError>
  /** The record in force, without taking the shard: for display, and for what waits on a position. */
  readonly inForce: (shard: ShardId) => Effect.Effect<RecordInForce | undefined, LogError>
  /** All shards that ever committed. */
  readonly shards: Effect.Effect<ReadonlyArray<ShardId>, LogError>
  /** Deltas with `epoch > after`, ascending. A caller demands that they are contiguous (rule 1). */
  readonly deltas: (shard: ShardId, after: number) => Effect.Effect<ReadonlyArray<Delta>, LogError>
  /** **The commit point.** Where the outputs landed, shard by shard. Of each shard all or nothing; `Fenced` when a shard's epoch or owner is no longer the one read; `OutcomeUnknown` when nobody can say (rule 5: discard memory, fence, read back). Outputs are lent: their bytes may be written over once it has ended well. */
  readonly commit: (epoch: EpochCommit) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  /** Drops deltas with `epoch <= through`. */
  readonly dropDeltas: (owner: string, shard: ShardId, through: number) => Effect.Effect<void, LogError>
}

/** The log service. */
export class Log extends Context.Service<Log, LogShape>()("@frazil/engine/Log") {}
