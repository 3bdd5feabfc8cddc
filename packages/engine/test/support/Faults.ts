// What the simulations do to a running job: crash it at a fault point, let others act there, change what its log or its
// checkpoint store answers, and hurry its clock.
import { FaultPoint, type FaultPointName } from "@frazil/core"
import { type Context, Effect } from "effect"
import { TestClock } from "effect/testing"
import { CheckpointStore, Log, type LogShape } from "../../src/index.ts"

class Crash extends Error {
  override readonly name = "Crash"
}

/** Does `act` at the `nth` crossing of `point` while `self` runs; undefined: at every crossing. */
export const atPoint =
  (point: FaultPointName, nth: number | undefined, act: Effect.Effect<void>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let crossings = 0
      return Effect.provideService(self, FaultPoint, {
        hit: (name) => (name === point && (++crossings === nth || nth === undefined) ? act : Effect.void)
      })
    })

/** Dies at the `nth` crossing of `point`. */
export const crashAt = (point: FaultPointName, nth: number) =>
  atPoint(
    point,
    nth,
    Effect.suspend(() => Effect.die(new Crash(`at ${point}, crossing ${nth}`)))
  )

/** Runs `self` on a log of which `change` has replaced some operations. */
export const onLog =
  (change: (log: LogShape) => Partial<LogShape>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Log> =>
    Effect.updateService(self, Log, (log) => ({ ...log, ...change(log) }))

/** Notes the bytes of each shard's delta of each epoch that `self` commits. */
export const notingDeltas = (bytes: Array<number>) =>
  onLog((log) => ({
    commit: (epoch) => {
      for (const { delta } of epoch.shards) bytes.push(delta?.length ?? 0)
      return log.commit(epoch)
    }
  }))

type Store = Context.Service.Shape<typeof CheckpointStore>

/** Runs `self` on a checkpoint store of which `change` has replaced some operations. */
export const onStore =
  (change: (store: Store) => Partial<Store>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | CheckpointStore> =>
    Effect.updateService(self, CheckpointStore, (store) => ({ ...store, ...change(store) }))

/** Runs `self` while the test's clock runs ahead: whoever sleeps is woken at once. */
export const hurried = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(self, Effect.forever(TestClock.adjust(1000)))

/** Lets the test's clock run, in small steps, until `condition` holds; fails the test when it does not. */
export const eventually = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    for (let step = 0; step < 1000; step++) {
      if (yield* condition) return
      yield* TestClock.adjust(20)
    }
    return yield* Effect.die(new Error(`${what} did not happen`))
  })

/** Where a job with state can be stopped between two epochs; one that has none in force to restore crosses no mid-restore. */
export const epochPoints: ReadonlyArray<FaultPointName> = [
  "after-init",
  "before-epoch-commit",
  "during-epoch-commit",
  "after-epoch-commit",
  "before-snapshot",
  "mid-snapshot",
  "after-snapshot",
  "before-name",
  "before-delta-drop",
  "snapshot-delete"
]
