/**
 * Producers with a name: a shard of its own for each, whose record in force holds the next sequence number.
 *
 * A batch and the number that it makes the next one are one transaction, so a batch sent again is known, by any process that
 * opens the name. After an unknown outcome the next append asks what became of it (protocol, rule 5).
 */
import { type Appended, LogError, newOwner, type Producer, type RecordInForce, type ShardId } from "@frazil/engine"
import { Effect, Semaphore } from "effect"
import type { makeShards } from "./Shards.ts"

/** How many batches back a resend is still answered with where it landed. */
const resultsMax = 5

interface Detail {
  readonly next: number
  /** Of the last batches, oldest first. */
  readonly results: ReadonlyArray<ReadonlyArray<Appended>>
}

interface State {
  readonly epoch: number
  readonly detail: Detail
}

const producers = "frazil.producers"

const shardOf = (name: string): ShardId => ({ uid: producers, stage: name, shard: 0 })

/** Shards that are producers' are nobody's stage. */
export const isProducer = ({ uid }: Pick<ShardId, "uid">): boolean => uid === producers

const stateOf = (inForce: RecordInForce | undefined): State => ({
  epoch: inForce?.epoch ?? 0,
  // the cast: written below, in every commit
  detail: (inForce?.detail as Detail | undefined) ?? { next: 0, results: [] }
})

const gap = (name: string, sequence: number, next: number): LogError =>
  new LogError({
    reason: "SequenceGap",
    message: `producer ${name} sent batch ${sequence}, the log expects ${next} (the last ${resultsMax} may be sent again): open the producer anew and go on from there`
  })

export const openNamedProducer = Effect.fnUntraced(function* (
  shards: ReturnType<typeof makeShards>,
  name: string
): Effect.fn.Return<Producer, LogError> {
  const id = shardOf(name)
  const owner = yield* newOwner
  const [inForce] = yield* shards.fence(owner, [id])
  let state = stateOf(inForce)
  /** What became of the last append is not known, or it was given up half way. */
  let inDoubt = false
  const alone = yield* Semaphore.make(1)

  const append: Producer["append"] = Effect.fnUntraced(function* (sequence, batches) {
    if (inDoubt) {
      state = stateOf(yield* shards.resume(owner, id))
      inDoubt = false
    }
    const { next, results } = state.detail
    const sent = results[results.length - (next - sequence)]
    if (sent !== undefined && sequence < next) {
      // only its last opener is told
      yield* shards.dropDeltas(owner, id, 0)
      return sent
    }
    if (sequence !== next) return yield* gap(name, sequence, next)
    const detailOf = (appended: ReadonlyArray<Appended>): Detail => ({
      next: sequence + 1,
      results: [...results, appended].slice(-resultsMax)
    })
    const commit = {
      id,
      epochRead: state.epoch,
      positions: [],
      snapshots: [],
      detail: null,
      delta: null,
      outputs: batches
    }
    inDoubt = true
    const appended = yield* Effect.tapError(shards.commitWith({ owner, shards: [commit] }, detailOf), (error) =>
      Effect.sync(() => (inDoubt = error.reason === "OutcomeUnknown" || error.reason === "Unavailable"))
    )
    state = { epoch: state.epoch + 1, detail: detailOf(appended) }
    inDoubt = false
    return appended
  })
  return {
    get nextSequence() {
      return state.detail.next
    },
    append: (sequence, batches) => alone.withPermits(1)(append(sequence, batches))
  }
})
