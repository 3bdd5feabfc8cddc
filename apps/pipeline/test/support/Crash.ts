/** A crash of the whole run at a fault point, and telling it from other ends. */
import type { FaultPointName } from "@frazil/core"
import { Cause, Effect, Exit } from "effect"

class Crash extends Error {
  override readonly name = "Crash"
}

/** Dies at the `nth` crossing of `name`, once. */
export const crashAt = (name: FaultPointName, nth: number) => {
  let crossings = 0
  return (point: FaultPointName) =>
    point === name && ++crossings === nth ? Effect.die(new Crash(`at ${name}, crossing ${nth}`)) : Effect.void
}

export const crashed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some((reason) => Cause.isDieReason(reason) && reason.defect instanceof Crash)
