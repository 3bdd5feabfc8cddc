/**
 * The simulated log: `Log` over a `LogState`, without faults of its own. It passes the conformance suite of logs.
 *
 * Every operation happens at once; `FaultyLog` puts delays and faults around it.
 */
import { faultPoint } from "@frazil/core"
import { Log, LogError, type LogShape } from "@frazil/engine"
import { Clock, Effect, Layer } from "effect"
import { packKept } from "./KeptRecord.ts"
import { LogState } from "./LogState.ts"

const attempt = <A>(run: (nowMs: number) => A): Effect.Effect<A, LogError> =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
    try {
      return Effect.succeed(run(nowMs))
    } catch (error) {
      return error instanceof LogError ? Effect.fail(error) : Effect.die(error)
    }
  })

/** As in the embedded log: what fails while the answer is under way leaves the outcome unknown. */
const answerLost = faultPoint("epoch-unknown").pipe(
  Effect.catchDefect(
    (cause) => new LogError({ reason: "OutcomeUnknown", message: "the answer to an epoch's commit was lost", cause })
  )
)

const read = (state: LogState, ...[topic, partition, offset, limits]: Parameters<LogShape["read"]>) => {
  const { end, records, start } = state.partition(topic, partition)
  if (!(offset >= start && offset <= end)) {
    throw new LogError({
      reason: "OffsetOutOfRange",
      message: `offset ${offset} of ${topic}/${partition} is outside [${start}, ${end}]`
    })
  }
  let to = offset
  let bytes = 0
  while (to < end && to - offset < limits.recordsMax) {
    const record = records[to]!
    bytes += record.value.length + (record.key?.length ?? 0)
    if (bytes > limits.bytesMax && to > offset) break
    to++
  }
  return { ...packKept(records.slice(offset, to)), next: to }
}

const awaitAppend = (state: LogState, timeoutMs: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const wakeUp = () => resume(Effect.void)
    state.waiting.add(wakeUp)
    return Effect.sync(() => void state.waiting.delete(wakeUp))
  }).pipe(Effect.timeoutOption(timeoutMs), Effect.asVoid)

/** Opens a connection to the log. */
export const makeSimLog = (state: LogState): LogShape => ({
  ensureTopic: (declaration) => attempt((nowMs) => state.ensureTopic(declaration, nowMs)),
  topics: attempt(() => [...state.topics.values()].map(({ info }) => info)),
  topic: (name) => attempt(() => state.topic(name).info),
  deleteTopic: (name) => attempt(() => state.deleteTopic(name)),
  bounds: (topic) =>
    attempt(() => state.topic(topic).partitions.map(({ end, start }, partition) => ({ partition, start, end }))),
  read: (topic, partition, offset, limits) => attempt(() => read(state, topic, partition, offset, limits)),
  offsetAt: (topic, partition, timeMs) =>
    attempt(() => {
      const { end, records, start } = state.partition(topic, partition)
      return records.slice(start).find(({ appendedMs }) => appendedMs >= timeMs)?.offset ?? end
    }),
  awaitAppend: (timeoutMs) => awaitAppend(state, timeoutMs),
  trim: (topic, partition, offset) => attempt(() => state.trim(topic, partition, offset)),
  producer: (name) =>
    Effect.map(
      attempt(() => state.openProducer(name)),
      (opened) => {
        let { nextSequence } = opened
        return {
          get nextSequence() {
            return nextSequence
          },
          append: (sequence, batches) =>
            attempt((nowMs) => {
              const appended = state.produce(name, opened.epoch, sequence, batches, nowMs)
              nextSequence = Math.max(nextSequence, sequence + 1)
              return appended
            })
        }
      }
    ),
  fence: (owner, shards) => attempt(() => state.fence(owner, shards)),
  inForce: (shard) => attempt(() => state.shards.get(`${shard.uid}/${shard.stage}/${shard.shard}`)?.record),
  shards: attempt(() => [...state.shards.values()].filter(({ record }) => record !== undefined).map(({ id }) => id)),
  deltas: (shard, after) => attempt(() => state.deltas(shard, after)),
  // **The commit point** of every log stage.
  commit: (epoch) =>
    faultPoint("during-epoch-commit").pipe(
      Effect.andThen(answerLost),
      Effect.andThen(attempt((nowMs) => state.commit(epoch, nowMs))),
      Effect.tap(() => answerLost)
    ),
  dropDeltas: (owner, shard, through) => attempt(() => state.dropDeltas(owner, shard, through))
})

/** A new simulated log; each build of the layer is a connection to it. */
export const makeSimLogLayer = (): Layer.Layer<Log> => {
  const state = new LogState()
  return Layer.sync(Log, () => makeSimLog(state))
}
