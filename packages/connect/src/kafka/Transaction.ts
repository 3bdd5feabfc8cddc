/**
 * A transactional id, taken: batches into partitions, all of them visible together or none.
 *
 * `ShardCommit` opens one transaction at a time. Every request is sent once where its outcome matters: a commit whose answer
 * is lost is `OutcomeUnknown`, and the id has to be taken anew (protocol, rule 5). **Fencing**: whoever takes the id last has
 * a higher epoch; brokers refuse everything of the others (rule 4).
 */
import { LogError } from "@frazil/engine"
import {
  addPartitionsToTxnV3,
  type API,
  describeTransactionsV0,
  endTxnV3,
  initProducerIdV4,
  protocolErrorsCodesById
} from "@platformatic/kafka"
import { Clock, Effect, Schedule } from "effect"
import { answeredWith, type CallError, callErrorAnswered, fencing, toLogError } from "./CallError.ts"
import { call, type Cluster } from "./Cluster.ts"
import type { Compression } from "./Codec.ts"
import { encodeBatch, type Piece } from "./EncodeBatch.ts"
import { type BatchFor, produceBytes } from "./RawApis.ts"

/** Batches for one partition, in order. */
export interface PartitionBatches {
  readonly topic: string
  readonly partition: number
  readonly batches: ReadonlyArray<ReadonlyArray<Piece>>
}

/** Where the batches of a partition begin. */
export interface PartitionProduced {
  readonly topic: string
  readonly partition: number
  readonly baseOffsets: ReadonlyArray<number>
}

export interface TransactionalProducer {
  readonly transactionalId: string
  /** Adds the partitions to the open transaction, opening one, and sends the batches. */
  readonly send: (
    partitions: ReadonlyArray<PartitionBatches>
  ) => Effect.Effect<ReadonlyArray<PartitionProduced>, LogError>
  /** **The commit point**: the one request that decides. `Fenced`, or `OutcomeUnknown`. */
  readonly commit: Effect.Effect<void, LogError>
  /**
   * Waits until the markers of the last transaction stand in all its partitions; readers see it then. `OutcomeUnknown` when
   * nobody can be asked: it is kept, but who takes the id again waits for its markers, so nobody goes on before readers see it.
   */
  readonly visible: Effect.Effect<void, LogError>
  /** Ends an open transaction without effect and takes a new epoch, if the id is still this producer's; else `Fenced`. */
  readonly renew: Effect.Effect<void, LogError>
  /** Fails with `Fenced` when somebody else took the id. */
  readonly checkOwner: Effect.Effect<void, LogError>
  /**
   * After a fence: whether it may have been the coordinator alone, which gives up on a transaction for its age and forgets ids
   * that are not used. True also while somebody takes the id of such a transaction: who took the shard last decides.
   */
  readonly givenUp: Effect.Effect<boolean, LogError>
}

export interface ProducerSettings {
  readonly transactionTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly compression: Compression
}

interface Identity {
  readonly id: bigint
  readonly epoch: number
}

const nobody: Identity = { id: -1n, epoch: -1 }
const visiblePollMs = 1
const visiblePollMsMax = 50
/** Said before a coordinator looks at the transaction: it is as it was. All else that it says may come from behind its log. */
const untouched = new Set(["CONCURRENT_TRANSACTIONS", "COORDINATOR_LOAD_IN_PROGRESS"])
const notDone = (error: CallError): boolean => answeredWith(error, untouched)
const notDoneMax = 1_000
const ongoing = new Set(["PrepareCommit", "PrepareAbort"])
/** How it leaves a transaction that it gave up on; whoever takes the id then makes it `Empty`. */
const givenUpStates = new Set(["PrepareAbort", "CompleteAbort", "Dead"])
const forgotten = new Set(["TRANSACTIONAL_ID_NOT_FOUND"])

export const openProducer = Effect.fnUntraced(function* (
  cluster: Cluster,
  transactionalId: string,
  settings: ProducerSettings
): Effect.fn.Return<TransactionalProducer, LogError> {
  const { compression, requestTimeoutMs, transactionTimeoutMs } = settings
  const coordinate = <Arguments extends Array<unknown>, A>(api: API<Arguments, A>, ...request: Arguments) =>
    Effect.flatMap(cluster.coordinator(transactionalId), (connection) => call(connection, api, ...request)).pipe(
      Effect.tapError(() => Effect.sync(() => cluster.forgetCoordinator(transactionalId)))
    )
  const init = (own: Identity) =>
    cluster.persistently(
      `taking transactional id ${transactionalId}`,
      Effect.map(
        coordinate(initProducerIdV4.api, transactionalId, transactionTimeoutMs, own.id, own.epoch),
        ({ producerEpoch, producerId }): Identity => ({ id: producerId, epoch: producerEpoch })
      )
    )
  // fences: when this is answered, nothing of an earlier owner can be committed any more
  let own = yield* init(nobody)
  let sequences = new Map<string, number>()
  /** Partitions of the open transaction. */
  let added = new Set<string>()
  let open = false
  let openedAtMs = 0

  const add = Effect.fnUntraced(function* (partitions: ReadonlyArray<PartitionBatches>) {
    const fresh = partitions.filter(({ partition, topic }) => !added.has(`${topic}/${partition}`))
    if (fresh.length === 0) return
    const byTopic = Map.groupBy(fresh, ({ topic }) => topic)
    const topics = [...byTopic].map(([name, of]) => ({ name, partitions: of.map(({ partition }) => partition) }))
    if (!open) openedAtMs = yield* Clock.currentTimeMillis
    open = true
    yield* cluster.persistently(
      `beginning a transaction of ${transactionalId}`,
      Effect.suspend(() => {
        const transaction = { transactionalId, producerId: own.id, producerEpoch: own.epoch, verifyOnly: false, topics }
        return coordinate(addPartitionsToTxnV3.api, [transaction])
      })
    )
    for (const { partition, topic } of fresh) added.add(`${topic}/${partition}`)
  })

  /** One batch for each of some partitions; answers by partition. A batch is numbered, so sending it again appends it once. */
  const produce = (batches: ReadonlyArray<BatchFor>) => {
    let waiting = batches
    const offsets = new Map<string, number>()
    const attempt = Effect.gen(function* () {
      const refused: Array<{ readonly id: string; readonly detail: string | undefined }> = []
      const located = yield* Effect.forEach(waiting, (batch) =>
        Effect.map(cluster.topic(batch.topic), (topic) => ({ batch, leader: topic.leaders[batch.partition] ?? -1 }))
      ).pipe(Effect.mapError(({ message }) => callErrorAnswered([{ id: "LEADER_NOT_AVAILABLE", detail: message }])))
      for (const [leader, of] of Map.groupBy(located, (each) => each.leader)) {
        const connection = yield* cluster.broker(leader)
        const own = of.map(({ batch }) => batch)
        const answers = yield* call(connection, produceBytes, transactionalId, requestTimeoutMs, own)
        for (const { baseOffset, errorCode, message, partition, topic } of answers) {
          if (errorCode === 0) offsets.set(`${topic}/${partition}`, baseOffset)
          else
            refused.push({
              id: protocolErrorsCodesById[errorCode] ?? `error ${errorCode}`,
              detail: message ?? undefined
            })
        }
        waiting = waiting.filter(({ partition, topic }) => !offsets.has(`${topic}/${partition}`))
      }
      if (refused.length > 0) return yield* callErrorAnswered(refused)
      return offsets
    })
    return cluster.persistently(`appending to ${batches[0]!.topic}`, attempt, () => {
      for (const { topic } of waiting) cluster.forget(topic)
    })
  }

  const send: TransactionalProducer["send"] = Effect.fnUntraced(function* (partitions) {
    yield* add(partitions)
    const nowMs = Math.floor(yield* Clock.currentTimeMillis)
    const produced = partitions.map(({ partition, topic }) => ({ topic, partition, baseOffsets: new Array<number>() }))
    const rounds = Math.max(0, ...partitions.map(({ batches }) => batches.length))
    // a request takes one batch for a partition
    for (let round = 0; round < rounds; round++) {
      const batches = partitions.flatMap(({ batches: of, partition, topic }): ReadonlyArray<BatchFor> => {
        const pieces = of[round]
        if (pieces === undefined) return []
        const key = `${topic}/${partition}`
        const sequence = sequences.get(key) ?? 0
        const identity = { producerId: own.id, producerEpoch: own.epoch, sequence }
        const { bytes, count } = encodeBatch(pieces, identity, compression, nowMs)
        // numbers begin again at 0 behind the largest
        sequences.set(key, (sequence + count) % 2 ** 31)
        return [{ topic, partition, batch: bytes }]
      })
      const offsets = yield* produce(batches)
      for (const each of produced) {
        const offset = offsets.get(`${each.topic}/${each.partition}`)
        if (offset !== undefined) each.baseOffsets.push(offset)
      }
    }
    return produced
  })

  const end = (committed: boolean) =>
    Effect.suspend(() => coordinate(endTxnV3.api, transactionalId, own.id, own.epoch, committed))

  const unknown = (error: CallError): LogError =>
    new LogError({
      reason: "OutcomeUnknown",
      message: `whether the last transaction of ${transactionalId} is kept is not known (${error.message}): take the shard again and read back`,
      cause: error.cause ?? error
    })

  const commit: TransactionalProducer["commit"] = end(true).pipe(
    Effect.retry({ while: notDone, schedule: Schedule.spaced("5 millis"), times: notDoneMax }),
    Effect.mapError((error) =>
      answeredWith(error, fencing) ? toLogError(cluster.place, `committing ${transactionalId}`, error) : unknown(error)
    ),
    Effect.tap(() =>
      Effect.sync(() => {
        open = false
        added = new Set()
      })
    ),
    Effect.asVoid
  )

  const describe = Effect.map(
    coordinate(describeTransactionsV0.api, [transactionalId]),
    ({ transactionStates }) => transactionStates[0]!
  )

  const asked = cluster.persistently(`asking what became of a transaction of ${transactionalId}`, describe)
  const visible: TransactionalProducer["visible"] = Effect.gen(function* () {
    for (let pauseMs = visiblePollMs; ; pauseMs = Math.min(visiblePollMsMax, pauseMs * 2)) {
      const { producerEpoch, producerId, transactionState } = yield* asked
      const another = producerId !== own.id || producerEpoch !== own.epoch
      if (another || !ongoing.has(transactionState)) return
      yield* Effect.sleep(pauseMs)
    }
  }).pipe(
    Effect.mapError(
      (cause) =>
        new LogError({
          reason: "OutcomeUnknown",
          message: `whether readers see the last transaction of ${transactionalId} is not known (${cause.message}): take the shard again and read back`,
          cause
        })
    )
  )

  const abort = cluster.persistently(
    `giving up a transaction of ${transactionalId}`,
    Effect.asVoid(end(false)).pipe(
      // it has ended, for good or bad
      Effect.catchIf(
        (error) => answeredWith(error, new Set(["INVALID_TXN_STATE"])),
        () => Effect.void
      )
    )
  )

  const renew: TransactionalProducer["renew"] = Effect.gen(function* () {
    // first, and answered: taking a new epoch over an open transaction would make a stranger of us
    if (open) yield* abort
    own = yield* init(own)
    sequences = new Map()
    added = new Set()
    open = false
  })

  const checkOwner: TransactionalProducer["checkOwner"] = cluster
    .persistently(`asking who has ${transactionalId}`, describe)
    .pipe(
      Effect.flatMap(({ producerEpoch, producerId }) =>
        producerId === own.id && producerEpoch === own.epoch
          ? Effect.void
          : Effect.fail(
              new LogError({
                reason: "Fenced",
                message: `${transactionalId} was taken by another owner: this task must stop`
              })
            )
      )
    )
  const givenUp: TransactionalProducer["givenUp"] = cluster.persistently(
    `asking what became of a transaction of ${transactionalId}`,
    Effect.gen(function* () {
      const { transactionState } = yield* describe
      const ageMs = (yield* Clock.currentTimeMillis) - openedAtMs
      return open && ageMs >= transactionTimeoutMs && givenUpStates.has(transactionState)
    }).pipe(
      Effect.catchIf(
        (error) => answeredWith(error, forgotten),
        () => Effect.succeed(true)
      )
    )
  )
  return { transactionalId, send, commit, visible, renew, checkOwner, givenUp }
})
