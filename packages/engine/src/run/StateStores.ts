/**
 * The stores of a task's shards: opened when a shard is restored, closed when it is given up, whatever ends the task.
 *
 * `Task.ts` makes one and catches what stores throw; `Restore.ts` opens stores for shards that it has fenced. What fails there
 * changes nothing in the log: the shard starts over from its snapshot and changes, or the job stops and says what to do.
 */
import { Effect, Metric } from "effect"
import type { ShardId } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { plainState, StateSealing } from "../state/StateSeal.ts"
import { type OpenStore, ShardStores } from "../store/OpenStore.ts"
import { StateFolder, type StateFolderShape } from "../store/StateFolder.ts"
import { StoreError } from "../store/StoreError.ts"
import { JobError } from "./JobError.ts"
import type { Shard } from "./Shard.ts"
import { statesOf } from "./TakeCommit.ts"

/** Undefined where the stage keeps nothing on disk. */
export type OpenStores = (id: ShardId) => OpenStore | undefined

export interface StateStores {
  /** For a shard that was taken: what was opened for it before goes. */
  readonly open: OpenStores
  /** Closes those of other shards. */
  readonly retain: (shards: ReadonlyArray<ShardId>) => void
}

const again: ReadonlySet<string> = new Set(["Damaged", "Unavailable"])

const jobError = ({ cause, message, reason }: StoreError): JobError =>
  new JobError({
    reason: again.has(reason) ? "StoreLost" : "StoreRefused",
    message,
    ...(cause === undefined ? {} : { cause })
  })

/** What a store threw, as the job's error; anything else as it was. */
export const storeFailure = (thrown: unknown): JobError | undefined =>
  thrown instanceof StoreError ? jobError(thrown) : undefined

/** Stores throw in the middle of loops: that is an expected failure of whoever runs them. */
export const catchStores = <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E | JobError, R> =>
  Effect.catchDefect(run, (defect): Effect.Effect<never, JobError> => {
    const failure = storeFailure(defect)
    return failure === undefined ? Effect.die(defect) : Effect.fail(failure)
  })

const diskStatesOf = ({ joins, keyed, patterns, states, tables, windows }: StagePlan): ReadonlyArray<string> =>
  [
    ...states.map(({ declaration, name }) => ({ name, store: declaration.store })),
    ...windows,
    ...keyed,
    ...patterns,
    ...joins,
    ...tables
  ].flatMap(({ name, store }) => (store === undefined ? [] : [name]))

const noFolder = (plan: StagePlan, names: ReadonlyArray<string>) =>
  new JobError({
    reason: "StoreRefused",
    message: `job ${plan.uid}: the state of ${names.join(", ")} is kept on disk, and there is no folder for it. Provide a StateFolder where the job runs, or leave out store`
  })

/** Of a stage; they are closed with the scope. `owner`: no other run has the name. */
export const makeStateStores = Effect.fnUntraced(function* (plan: StagePlan, owner: string) {
  const names = diskStatesOf(plan)
  if (names.length === 0) return inMemory
  const folder = yield* StateFolder
  if (folder === undefined) return yield* noFolder(plan, names)
  const stores = keepStores({ ...folder, sealed: folder.sealed || (yield* StateSealing) !== plainState }, owner)
  yield* Effect.addFinalizer(() => Effect.sync(() => stores.retain([])))
  return stores
})

const inMemory: StateStores = { open: () => undefined, retain: () => {} }

const keepStores = (folder: StateFolderShape, owner: string): StateStores => {
  const open = new Map<number, ShardStores>()
  let made = 0
  const close = (shard: number) => {
    open.get(shard)?.close()
    open.delete(shard)
  }
  return {
    open: (id) => {
      close(id.shard)
      const stores = new ShardStores(folder, id, `${owner}-${made++}`)
      stores.sweep()
      open.set(id.shard, stores)
      return stores.open
    },
    retain: (shards) => {
      for (const shard of [...open.keys()]) if (!shards.some((kept) => kept.shard === shard)) close(shard)
    }
  }
}

const storeBytes = Metric.gauge("frazil_state_store_bytes", {
  description: "Files of an operator's state on disk in a partition, with what merges have not dropped yet"
})
const storeMemory = Metric.gauge("frazil_state_store_memory_bytes", {
  description: "Memory that an operator's state on disk takes in a partition: its cache, filters and indexes"
})

/** Tells what the shards' stores take. */
export const measureStores = Effect.fnUntraced(function* (plan: StagePlan, shards: ReadonlyArray<Shard>) {
  for (const shard of shards) {
    const { id } = shard
    for (const { name, stored } of statesOf(shard)) {
      if (stored === undefined) continue
      const attributes = { job: plan.uid, stage: plan.name, operator: name, partition: String(id.shard) }
      const { bytes, cacheBytes, memoryBytes } = stored()
      yield* Metric.update(Metric.withAttributes(storeBytes, attributes), bytes)
      yield* Metric.update(Metric.withAttributes(storeMemory, attributes), cacheBytes + memoryBytes)
    }
  }
})
