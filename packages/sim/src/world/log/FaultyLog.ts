/** A process's connection to a log that takes time and fails: any `Log`, seen through the world's door. */
import { LogError, type LogShape } from "@frazil/engine"
import { Effect } from "effect"
import type { SimProcess, World } from "../World.ts"
import type { LogState } from "./LogState.ts"
import { makeSimLog } from "./SimLog.ts"
import type { Caller, Door, Failures } from "../Port.ts"

const failures: Failures<LogError> = {
  unavailable: () => new LogError({ reason: "Unavailable", message: "the simulated log is out of reach" }),
  unknown: () => new LogError({ reason: "OutcomeUnknown", message: "the answer of the simulated log was lost" }),
  full: () => new LogError({ reason: "Full", message: "the simulated log's disk is full" })
}

/** Waiting is nothing durable: it happens in the process, and fails in no way. */
const waitIn =
  (world: World, process: SimProcess, state: LogState): LogShape["awaitAppend"] =>
  (timeoutMs) =>
    Effect.callback<void>((resume) => {
      const wakeUp = () => world.soon(process, () => resume(Effect.void))
      const cancel = world.after(timeoutMs, wakeUp)
      const done = () => {
        cancel()
        wakeUp()
      }
      state.waiting.add(done)
      return Effect.sync(() => {
        cancel()
        state.waiting.delete(done)
      })
    })

/** A process's connection to a simulated log. */
export const connectLog = (world: World, door: Door, caller: Caller, state: LogState): LogShape =>
  faultyLog(door, caller, makeSimLog(state), waitIn(world, caller.process, state))

/** `log`'s operations must not wait. */
const faultyLog = (door: Door, caller: Caller, log: LogShape, awaitAppend: LogShape["awaitAppend"]): LogShape => {
  const read = <A>(name: string, inner: Effect.Effect<A, LogError>) =>
    door.perform(caller, { name: `log.${name}`, writes: false }, inner, failures)
  const write = <A>(name: string, inner: Effect.Effect<A, LogError>) =>
    door.perform(caller, { name: `log.${name}`, writes: true }, inner, failures)
  return {
    ensureTopic: (declaration) => write("ensureTopic", log.ensureTopic(declaration)),
    topics: read("topics", log.topics),
    topic: (name) => read("topic", log.topic(name)),
    deleteTopic: (name) => write("deleteTopic", log.deleteTopic(name)),
    bounds: (topic) => read("bounds", log.bounds(topic)),
    read: (topic, partition, offset, limits) => read("read", log.read(topic, partition, offset, limits)),
    offsetAt: (topic, partition, timeMs) => read("offsetAt", log.offsetAt(topic, partition, timeMs)),
    awaitAppend,
    trim: (topic, partition, offset) => write("trim", log.trim(topic, partition, offset)),
    producer: (name) =>
      Effect.map(
        // the scope of a producer holds nothing in a simulated log
        write("producer", Effect.scoped(log.producer(name))),
        (producer) => ({
          get nextSequence() {
            return producer.nextSequence
          },
          append: (sequence, batches) => write("append", producer.append(sequence, batches))
        })
      ),
    fence: (owner, shards) => write("fence", log.fence(owner, shards)),
    inForce: (shard) => read("inForce", log.inForce(shard)),
    shards: read("shards", log.shards),
    deltas: (shard, after) => read("deltas", log.deltas(shard, after)),
    commit: (epoch) => write("commit", log.commit(epoch)),
    dropDeltas: (owner, shard, through) => write("dropDeltas", log.dropDeltas(owner, shard, through))
  }
}
