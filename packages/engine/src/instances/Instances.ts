/**
 * Who does what where several instances of a program share the work of one log.
 *
 * Work is named: a shard of a job, a landing, a sink. An instance offers what it can do; of all that offer a work, one has it
 * at a time, as far as they know: a share may change while its instance sleeps, so what protects the data is still fencing
 * (protocol, rules 4 and 8). Without instances, as on an embedded log, everything offered is one's own.
 */
import { Context, Effect } from "effect"
import type { LogError } from "../log/LogError.ts"
import type { ShardId } from "../log/Log.ts"
import type { Ends } from "./Ends.ts"

/** What an instance has to do now. */
export interface Share {
  /** Another number is another share. */
  readonly generation: number
  readonly has: (work: string) => boolean
}

export interface InstancesShape {
  /** Others may be there: who is fenced asks again what its share is. */
  readonly shared: boolean
  /** Adds to what this instance can do; it takes a moment until someone has it. */
  readonly offer: (work: ReadonlyArray<string>) => Effect.Effect<void>
  /** The share as this instance knows it. */
  readonly share: () => Share
  /** Ends when the share is another than that of the generation. */
  readonly changed: (generation: number) => Effect.Effect<void>
  /** The share in force, asked for now from whoever deals it out. Fails with `Unavailable`. */
  readonly confirmed: Effect.Effect<Share, LogError>
  /** Where several run one bounded job: which works have ended with any of them. */
  readonly ends?: Ends
}

const everything: Share = { generation: 0, has: () => true }

/** The only instance. */
const alone: InstancesShape = {
  shared: false,
  offer: () => Effect.void,
  share: () => everything,
  changed: () => Effect.never,
  confirmed: Effect.succeed(everything)
}

export const Instances = Context.Reference<InstancesShape>("@frazil/engine/Instances", { defaultValue: () => alone })

/** The work of running a shard. */
export const shardWork = ({ shard, stage, uid }: ShardId): string => `${uid}/${stage}/${shard}`

/** The works of a stage of so many shards. */
export const stageWorks = (uid: string, stage: string, shards: number): ReadonlyArray<string> =>
  Array.from({ length: shards }, (_, shard) => shardWork({ uid, stage, shard }))
