/** A key holds as many entries or timers as it may. Thrown into a process function; its message names states, never values. */
import { Data } from "effect"

export class StateBoundError extends Data.TaggedError("StateBoundError")<{
  readonly field: string
  readonly message: string
}> {}
