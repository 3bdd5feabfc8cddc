/** What a scenario is: a system of real processes that something happens to, and what must hold then. */
import type { Effect, Scope } from "effect"

/** `full` as it is promised; `short` the same with fewer records, for every change. */
export type Scale = "short" | "full"

/** Something that had to hold, with its figures. */
export interface Finding {
  readonly what: string
  readonly kept: boolean
}

export interface Scenario {
  readonly name: string
  /** One line for people. */
  readonly about: string
  readonly run: (scale: Scale) => Effect.Effect<ReadonlyArray<Finding>, unknown, Scope.Scope>
}

export const found = (kept: boolean, what: string): Finding => ({ what, kept })
