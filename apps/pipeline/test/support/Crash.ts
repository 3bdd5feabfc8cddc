/** A crash of the whole run at a fault point, and telling it from other ends. */
import type { FaultPointName } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import type { RunIn } from "./PipelineRun.ts"

class Crash extends Error {
  override readonly name = "Crash"
}

/** Dies at the `nth` crossing of `name`, once. */
export const crashAt = (name: FaultPointName, nth: number) => {
  let crossings = 0
  return (point: FaultPointName) =>
    point === name && ++crossings === nth ? Effect.die(new Crash(`at ${name}, crossing ${nth}`)) : Effect.void
}

const awaitsSnapshots: ReadonlySet<FaultPointName> = new Set(["after-snapshot", "before-name", "before-snapshot"])

/**
 * Lets epochs take their time, more with each: snapshots are written beside them, and a small run would be over before a slow
 * disk has taken as many as a test waits for.
 */
export const makeUnhurried = () => {
  let epochs = 0
  return (point: FaultPointName) =>
    point === "before-epoch-commit" ? Effect.sleep(Math.min(4 * ++epochs, 100)) : Effect.void
}

export const crashed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some((reason) => Cause.isDieReason(reason) && reason.defect instanceof Crash)

/** Crossings of an epoch's fault points that a small file makes when it is read 50 records at a time. */
export const epochCrossings: ReadonlyArray<readonly [name: FaultPointName, nth: number]> = [
  ["before-epoch-commit", 4],
  ["before-epoch-commit", 19],
  ["during-epoch-commit", 4],
  ["during-epoch-commit", 19],
  ["after-epoch-commit", 4],
  ["after-epoch-commit", 19],
  ["after-snapshot", 1],
  ["after-snapshot", 4],
  ["before-name", 1],
  ["before-name", 2]
]

/** Runs into a crash there, which must come, and then to the end. */
export const crashAndFinish = <A, E, R>(
  run: (given?: RunIn) => Effect.Effect<A, E, R>,
  name: FaultPointName,
  nth: number
) =>
  Effect.gen(function* () {
    const crash = crashAt(name, nth)
    const unhurried = makeUnhurried()
    const hit = (point: FaultPointName) =>
      awaitsSnapshots.has(name) ? Effect.andThen(crash(point), unhurried(point)) : crash(point)
    const exit = yield* Effect.exit(run({ hit, recordsMax: 50 }))
    assert.isTrue(crashed(exit))
    yield* run()
  })
