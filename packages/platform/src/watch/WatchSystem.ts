/**
 * Watches a running system and tells a topic when one of its figures leaves its bounds or comes back: a log stage of its
 * own, whose only state is what fires.
 *
 * A pipeline runs it beside its jobs, with the figures that it sees. **Delivery**: a change and that it was told are one
 * commit, so that each firing has one clearing, whatever restarts in between. **Bounds**: one alert a figure at most.
 */
import {
  Encoder,
  faultPoint,
  makeRecordBuilder,
  partitionOf,
  type RecordBuilder,
  type Timestamp,
  type Topic
} from "@frazil/core"
import { type Append, Log, type LogError, newOwner, type ShardId } from "@frazil/engine"
import { Clock, Effect, Schedule } from "effect"
import { type Change, type Firing, judge, type Reading } from "./Judge.ts"

/** What the topic holds. */
export interface AlertRecord {
  readonly subject: string
  readonly kind: Reading["kind"]
  readonly state: Change["state"]
  readonly value: number
  readonly threshold: number
  readonly since: Timestamp
}

export interface WatchOptions<E, R> {
  readonly topic: Topic<AlertRecord>
  /** One look at every figure. */
  readonly readings: Effect.Effect<ReadonlyArray<Reading>, E, R>
  readonly everyMs: number
  /** The watch ends then, after a last look. */
  readonly ended: Effect.Effect<void>
}

const watchShard: ShardId = { uid: "watch.system", stage: "watch", shard: 0 }

const recordOf = ({ kind, sinceMs, state, subject, threshold, value }: Change): AlertRecord => ({
  subject,
  kind,
  state,
  value,
  threshold,
  since: sinceMs as Timestamp // the clock's
})

const appendsOf = (topic: Topic<AlertRecord>, changes: ReadonlyArray<Change>): ReadonlyArray<Append> => {
  const encode = Encoder.make(topic)
  const builders = new Map<number, RecordBuilder>()
  for (const change of changes) {
    const partition = partitionOf(change.subject, topic.partitions)
    const builder = builders.get(partition) ?? makeRecordBuilder()
    builders.set(partition, builder)
    builder.addText(encode(recordOf(change)), change.subject)
  }
  return [...builders].map(([partition, builder]) => ({ topic: topic.name, partition, records: builder.take() }))
}

const run = Effect.fnUntraced(function* <E, R>({
  ended,
  everyMs,
  readings,
  topic
}: WatchOptions<E, R>): Effect.fn.Return<void, E | LogError, R | Log> {
  const log = yield* Log
  yield* log.ensureTopic({ name: topic.name, partitions: topic.partitions })
  const owner = yield* newOwner
  const [inForce] = yield* log.fence(owner, [watchShard])
  yield* faultPoint("after-init")
  // written by this module in every commit
  let firing = (inForce?.detail as ReadonlyArray<Firing> | undefined) ?? []
  let epochRead = inForce?.epoch ?? 0
  let last = false
  while (true) {
    const judged = judge(firing, yield* readings, yield* Clock.currentTimeMillis)
    if (judged.changes.length > 0) {
      yield* faultPoint("before-epoch-commit")
      // the commit point: what changed, and that it was told
      const outputs = appendsOf(topic, judged.changes)
      const state = { positions: [], snapshots: [], detail: judged.firing, delta: null }
      yield* log.commit({ owner, shards: [{ id: watchShard, epochRead, ...state, outputs }] })
      yield* faultPoint("after-epoch-commit")
      epochRead++
      firing = judged.firing
    }
    if (last) return
    last = yield* Effect.raceFirst(Effect.as(Effect.sleep(everyMs), false), Effect.as(ended, true))
  }
})

/** The log may come back; it says then what became of a commit. */
const passing = (error: { readonly reason?: unknown }) =>
  error.reason === "OutcomeUnknown" || error.reason === "Unavailable"

/** Watches until `ended`. Fails when the log or the readings do; `Fenced`: another pipeline watches now. */
export const watchSystem = <E extends { readonly reason?: unknown }, R>(
  options: WatchOptions<E, R>
): Effect.Effect<void, E | LogError, R | Log> =>
  Effect.retry(run(options), { while: passing, schedule: Schedule.spaced(options.everyMs) })
