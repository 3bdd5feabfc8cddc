/**
 * Shards of log stages on Kafka: taking them, and committing their epochs, a transaction for each shard.
 *
 * Rules of the protocol that this file keeps: 4 (fence, then read to an end asked for afterwards), 5 (an unknown outcome drops
 * the shard: it must be taken anew), 8 (transactional id, changelog and epoch belong to one shard), 10 (a commit moves from
 * the epoch in force only). The decision record 0008 says why the records are where they are.
 */
import { faultPoint } from "@frazil/core"
import {
  type Appended,
  type EpochCommit,
  LogError,
  type RecordInForce,
  type ShardCommit,
  type ShardId
} from "@frazil/engine"
import { Effect, Exit, Option, Result } from "effect"
import { answerLost } from "../log/AnswerLost.ts"
import { type Changelog, changelogTopic, inForceOf, makeChangelog, packCommit, type StoredRecord } from "./Changelog.ts"
import type { Cluster } from "./Cluster.ts"
import { splitPieces } from "./EncodeBatch.ts"
import type { PartitionReader } from "./PartitionReader.ts"
import { appendedOf, batchBytesMax, byPartition, checkLengths } from "./ShardOutputs.ts"
import { trimRecords } from "./TrimRecords.ts"
import {
  openProducer,
  type PartitionBatches,
  type ProducerSettings,
  type TransactionalProducer
} from "./Transaction.ts"

/** A shard as its owner in this process has it. */
interface OwnedShard {
  readonly id: ShardId
  readonly owner: string
  readonly producer: TransactionalProducer
  readonly changelog: Changelog
  /** Of the record in force. */
  epoch: number
  deltasFrom: number | null
  /** Its coordinator gave up on a transaction, and nobody else had it: it is to be taken anew. */
  givenUp: boolean
  /** Commits since superseded records were trimmed. */
  sinceTrim: number
}

export interface Shards {
  readonly fence: (
    owner: string,
    shards: ReadonlyArray<ShardId>
  ) => Effect.Effect<ReadonlyArray<RecordInForce | undefined>, LogError>
  readonly commit: (epoch: EpochCommit) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  readonly dropDeltas: (owner: string, id: ShardId, through: number) => Effect.Effect<void, LogError>
}

export interface ShardsOptions {
  readonly cluster: Cluster
  readonly reader: PartitionReader
  readonly prefix: string
  readonly producer: ProducerSettings
  readonly recordBytesMax: number
  /** Makes the stage's topic with as many partitions. */
  readonly ensureChangelog: (topic: string, partitions: number) => Effect.Effect<void, LogError>
  /** Something is visible in these partitions (`topic/partition`) that was not. */
  readonly committed: (partitions: ReadonlySet<string>) => void
}

/** Superseded records of a shard without deltas stay until so many commits have passed. */
const trimEvery = 512
const atOnce = 16
/** Brokers that lose as many answers in a row are not there. */
const takeAgainMax = 5
/** Whoever is interrupted while brokers are away is held up no longer. */
const giveUpTimeoutMs = 3_000

const nameOf = ({ shard, stage, uid }: ShardId): string => `${uid}/${stage}/${shard}`

const fenced = (id: ShardId, why: string): LogError =>
  new LogError({ reason: "Fenced", message: `shard ${nameOf(id)} ${why}: this task must stop` })

const gaveUpOn = (id: ShardId, cause: LogError): LogError =>
  new LogError({
    reason: "OutcomeUnknown",
    message: `the coordinator gave up on a transaction of shard ${nameOf(id)}, which took too long, and nobody else has the shard: take it again and read back`,
    cause
  })

const neverCommitted = { epoch: 0, positions: [], snapshots: [], deltasFrom: null }

const changelogBatches = (
  { partition, topic }: Changelog,
  record: StoredRecord,
  delta: Uint8Array | null
): PartitionBatches => ({ topic, partition, batches: splitPieces([packCommit(record, delta)], batchBytesMax) })

/** One shard's commit on its way. */
interface Sending {
  readonly shard: OwnedShard
  readonly commit: ShardCommit
  readonly record: StoredRecord
  appended: ReadonlyArray<Appended>
  /** The transaction has ended, for good or bad. */
  ended: boolean
}

const writtenBy = (prefix: string, sending: ReadonlyArray<Sending>): ReadonlySet<string> =>
  new Set(
    sending.flatMap(({ commit, shard: { changelog } }) => [
      `${changelog.topic}/${changelog.partition}`,
      ...commit.outputs.map(({ partition, topic }) => `${prefix}${topic}/${partition}`)
    ])
  )

/**
 * Told what was appended before the record that goes with it is written: a named producer keeps it in its record.
 */
export type DetailOf = (appended: ReadonlyArray<Appended>) => unknown

export const makeShards = (
  options: ShardsOptions
): Shards & {
  readonly commitWith: (epoch: EpochCommit, detailOf: DetailOf) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  /** Goes on as the owner after an unknown outcome, if nobody else took the shard meanwhile; else `Fenced`. */
  readonly resume: (owner: string, id: ShardId) => Effect.Effect<RecordInForce | undefined, LogError>
} => {
  const { cluster, committed, ensureChangelog, prefix, reader, recordBytesMax } = options
  const owned = new Map<string, OwnedShard>()
  /** Shards whose outcome nobody knows: only their owner may go on, and only by asking. */
  const inDoubt = new Map<string, OwnedShard>()

  const adopt = (shard: OwnedShard, record: StoredRecord | undefined) => {
    shard.epoch = record?.epoch ?? 0
    shard.deltasFrom = record?.deltasFrom ?? null
    owned.set(nameOf(shard.id), shard)
    inDoubt.delete(nameOf(shard.id))
    return inForceOf(record)
  }

  const takeOnce = Effect.fnUntraced(function* (owner: string, id: ShardId) {
    owned.delete(nameOf(id))
    inDoubt.delete(nameOf(id))
    const transactionalId = `${prefix}${nameOf(id)}`
    // rule 4: when this is answered, nothing of an earlier owner can become visible any more
    const producer = yield* openProducer(cluster, transactionalId, options.producer)
    const changelog = makeChangelog(reader, changelogTopic(prefix, id), id.shard)
    const record = { ...((yield* changelog.last)?.record ?? neverCommitted), owner }
    yield* producer.send([changelogBatches(changelog, record, null)])
    yield* producer.commit
    yield* producer.visible
    committed(new Set([`${changelog.topic}/${changelog.partition}`]))
    return adopt({ id, owner, producer, changelog, epoch: 0, deltasFrom: null, givenUp: false, sinceTrim: 0 }, record)
  })

  /** Whether the name was written that an answer was lost to does not matter: it is written once more. */
  const take = (owner: string, id: ShardId) =>
    Effect.retry(takeOnce(owner, id), { while: ({ reason }) => reason === "OutcomeUnknown", times: takeAgainMax })

  /**
   * Tells a coordinator that gave up on a transaction for its age from another owner: nobody else wrote a name into the
   * changelog. The shard is to be taken anew then. Where that cannot be found out, it is a fence.
   */
  const judged =
    (shard: OwnedShard) =>
    <A>(self: Effect.Effect<A, LogError>): Effect.Effect<A, LogError> =>
      Effect.catchIf(
        self,
        ({ reason }) => reason === "Fenced",
        (fence) =>
          Effect.gen(function* () {
            if (!(yield* shard.producer.givenUp)) return yield* fence
            const last = yield* shard.changelog.last
            if (last?.record.owner !== shard.owner) return yield* fence
            shard.givenUp = true
            return yield* gaveUpOn(shard.id, fence)
          }).pipe(Effect.mapError((error) => (error.reason === "OutcomeUnknown" ? error : fence)))
      )

  const fence: Shards["fence"] = Effect.fnUntraced(function* (owner, shards) {
    const stages = Map.groupBy(shards, (id) => changelogTopic(prefix, id))
    for (const [topic, of] of stages) yield* ensureChangelog(topic, Math.max(...of.map(({ shard }) => shard)) + 1)
    return yield* Effect.forEach(shards, (id) => take(owner, id), { concurrency: atOnce })
  })

  const ownedBy = (owner: string, id: ShardId, epochRead: number | undefined): Effect.Effect<OwnedShard, LogError> => {
    const shard = owned.get(nameOf(id))
    if (shard === undefined) return Effect.fail(fenced(id, "was never taken, or was lost"))
    if (shard.owner !== owner) return Effect.fail(fenced(id, "was taken by another owner"))
    return epochRead === undefined || shard.epoch === epochRead
      ? Effect.succeed(shard)
      : Effect.fail(fenced(id, `is at epoch ${shard.epoch}, not at ${epochRead}`))
  }

  /** Everything that can be refused without a transaction. */
  const prepare = Effect.fnUntraced(function* ({ owner, shards }: EpochCommit) {
    const sending: Array<Sending> = []
    for (const commit of shards) {
      const shard = yield* ownedBy(owner, commit.id, commit.epochRead)
      for (const append of commit.outputs) {
        const topic = yield* cluster.topic(prefix + append.topic)
        if (!(append.partition in topic.leaders)) {
          return yield* new LogError({
            reason: "TopicDiffers",
            message: `topic ${topic.name} has ${topic.leaders.length} partitions, numbered from 0: there is no partition ${append.partition}`
          })
        }
        yield* checkLengths(append, recordBytesMax)
      }
      const epoch = commit.epochRead + 1
      const { delta, detail, positions, snapshots } = commit
      const deltasFrom = shard.deltasFrom ?? (delta === null ? null : epoch)
      const record = { owner, epoch, positions, snapshots, detail, deltasFrom }
      sending.push({ shard, commit, record, appended: [], ended: false })
    }
    return sending
  })

  const stateOf = ({ commit: { delta }, record, shard: { changelog } }: Sending, detail: unknown): PartitionBatches =>
    changelogBatches(changelog, { ...record, detail }, delta)

  const send = Effect.fnUntraced(function* (each: Sending, detailOf: DetailOf | undefined) {
    const { commit, record, shard } = each
    const outputs = byPartition(prefix, commit.outputs)
    if (detailOf === undefined) {
      const produced = yield* shard.producer.send([...outputs, stateOf(each, record.detail)])
      each.appended = appendedOf(commit.outputs, outputs, produced)
      return
    }
    each.appended = appendedOf(commit.outputs, outputs, yield* shard.producer.send(outputs))
    yield* shard.producer.send([stateOf(each, detailOf(each.appended))])
  })

  /** Ends a shard's transaction: it moves, or nobody knows, or another owner has it. */
  const end = Effect.fnUntraced(function* (each: Sending) {
    const { record, shard } = each
    const name = nameOf(shard.id)
    yield* Effect.tapError(judged(shard)(shard.producer.commit), (error) =>
      Effect.sync(() => {
        each.ended = true
        owned.delete(name)
        if (error.reason !== "Fenced") inDoubt.set(name, shard)
      })
    )
    each.ended = true
    shard.epoch = record.epoch
    shard.deltasFrom = record.deltasFrom
  })

  /** What was begun and not ended has no effect; the shard stays its owner's when it still is. */
  const giveUp = Effect.fnUntraced(function* (each: Sending, unknown: boolean) {
    if (each.ended) return
    const { shard } = each
    const name = nameOf(shard.id)
    owned.delete(name)
    // until it is known that it still is: its owner may ask
    inDoubt.set(name, shard)
    if (unknown) return
    const renewed = yield* Effect.result(
      Effect.timeoutOption(Effect.interruptible(shard.producer.renew), giveUpTimeoutMs)
    )
    if (Result.isFailure(renewed)) {
      if (renewed.failure.reason === "Fenced") inDoubt.delete(name)
    } else if (Option.isSome(renewed.success)) {
      inDoubt.delete(name)
      owned.set(name, shard)
    }
  })

  const commitAll = (sending: ReadonlyArray<Sending>, detailOf: DetailOf | undefined) =>
    Effect.acquireUseRelease(
      Effect.succeed(sending),
      Effect.fnUntraced(function* () {
        yield* Effect.forEach(sending, (each) => judged(each.shard)(send(each, detailOf)), {
          concurrency: atOnce,
          discard: true
        })
        yield* faultPoint("during-epoch-commit")
        yield* answerLost
        // the commit point of each shard. Not to be interrupted: what was sent is waited for
        const outcomes = yield* Effect.uninterruptible(
          Effect.forEach(sending, (each) => Effect.exit(end(each)), { concurrency: atOnce })
        )
        yield* settledBy(outcomes)
        // readers, and whoever asks for the end, see it from here on
        yield* Effect.forEach(sending, ({ shard }) => shard.producer.visible, { concurrency: atOnce, discard: true })
        committed(writtenBy(prefix, sending))
        yield* answerLost
        return sending.flatMap(({ appended }) => appended)
      }),
      (_, exit) => {
        const unknown = Exit.isFailure(exit) && isUnknown(exit)
        return Effect.forEach(sending, (each) => Effect.ignore(giveUp(each, unknown)), {
          concurrency: atOnce,
          discard: true
        })
      }
    )

  const commitWith = Effect.fnUntraced(function* (epoch: EpochCommit, detailOf: DetailOf | undefined) {
    const sending = yield* prepare(epoch)
    const appended = yield* commitAll(sending, detailOf).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          // one whose answer was lost is not to be used again, though it may have ended well
          if (error.reason === "OutcomeUnknown") for (const { shard } of sending) doubt(shard)
        })
      )
    )
    yield* Effect.forEach(sending, ({ shard }) => trimSuperseded(shard), { concurrency: atOnce, discard: true })
    return appended
  })

  const doubt = (shard: OwnedShard) => {
    const name = nameOf(shard.id)
    if (owned.get(name) === shard) owned.delete(name)
    inDoubt.set(name, shard)
  }

  /** Without deltas only the last record counts, and it was committed by us (rule 6). */
  const trimSuperseded = Effect.fnUntraced(function* (shard: OwnedShard) {
    if (shard.deltasFrom !== null || ++shard.sinceTrim < trimEvery) return
    shard.sinceTrim = 0
    yield* Effect.ignore(trimBelowLast(shard))
  })

  const trimBelowLast = Effect.fnUntraced(function* ({ changelog: { last, partition, topic } }: OwnedShard) {
    const found = yield* last
    if (found !== undefined) yield* trimRecords(cluster, topic, partition, found.offset)
    reader.forget(topic)
  })

  const dropDeltas: Shards["dropDeltas"] = Effect.fnUntraced(function* (owner, id, through) {
    const shard = yield* ownedBy(owner, id, undefined)
    yield* judged(shard)(shard.producer.checkOwner)
    if (shard.deltasFrom === null || through < shard.deltasFrom) return
    const { changelog } = shard
    const last = yield* changelog.last
    if (last === undefined) return
    // the record in force stays, whatever is dropped
    const offset = Math.min(yield* changelog.offsetAfter(through), last.offset)
    yield* trimRecords(cluster, changelog.topic, changelog.partition, offset)
    reader.forget(changelog.topic)
    shard.deltasFrom = through >= shard.epoch ? null : through + 1
  })

  return {
    fence,
    commit: (epoch) => commitWith(epoch, undefined),
    commitWith,
    dropDeltas,
    resume: Effect.fnUntraced(function* (owner, id) {
      const shard = inDoubt.get(nameOf(id)) ?? owned.get(nameOf(id))
      if (shard === undefined || shard.owner !== owner) return yield* fenced(id, "was taken by another owner")
      if (!shard.givenUp) {
        const renewed = yield* Effect.result(judged(shard)(shard.producer.renew))
        if (Result.isSuccess(renewed)) return adopt(shard, (yield* shard.changelog.last)?.record)
        if (!shard.givenUp) return yield* renewed.failure
      }
      // its producer is of no use any more; somebody may have come since
      if ((yield* shard.changelog.last)?.record.owner !== owner) return yield* fenced(id, "was taken by another owner")
      return yield* Effect.tapError(take(owner, id), () => Effect.sync(() => inDoubt.set(nameOf(id), shard)))
    })
  }
}

const isUnknown = (exit: Exit.Failure<unknown, LogError>): boolean =>
  exit.cause.reasons.some((each) => each._tag === "Fail" && each.error.reason === "OutcomeUnknown")

/** The worst of what became of the shards: fenced before unknown. */
const settledBy = (outcomes: ReadonlyArray<Exit.Exit<void, LogError>>): Effect.Effect<void, LogError> => {
  const failures = outcomes.filter(Exit.isFailure)
  const fencing = failures.find((exit) =>
    exit.cause.reasons.some((each) => each._tag === "Fail" && each.error.reason === "Fenced")
  )
  return fencing ?? failures[0] ?? Effect.void
}
