/**
 * Named places where a test may crash or fail the system (the list closes protocol.md's rules).
 *
 * Code that crosses a durable step calls `faultPoint(name)`; in production it does nothing and costs one reference read.
 */
import { Context, Effect } from "effect"

export type FaultPointName =
  | "after-init"
  | "mid-restore"
  | "before-epoch-commit"
  | "during-epoch-commit"
  | "after-epoch-commit"
  | "epoch-unknown"
  | "before-snapshot"
  | "mid-snapshot"
  | "after-snapshot"
  | "before-name"
  | "before-delta-drop"
  | "snapshot-delete"
  | "before-lake-file"
  | "mid-lake-file"
  | "after-lake-file"
  | "before-swap"
  | "swap-conflict"
  | "swap-unknown"
  | "after-swap"
  | "before-delete-records"
  | "before-deliver"
  | "after-deliver"
  | "deliver-late"
  | "before-cursor"
  | "mid-orphan-removal"

/** What happens at a fault point; replaced by tests with `Effect.provideService(FaultPoint, …)`. */
export const FaultPoint = Context.Reference<{ readonly hit: (name: FaultPointName) => Effect.Effect<void> }>(
  "@frazil/core/FaultPoint",
  { defaultValue: () => ({ hit: () => Effect.void }) }
)

/** Crosses the fault point `name`. */
export const faultPoint = (name: FaultPointName): Effect.Effect<void> =>
  Effect.flatMap(FaultPoint, (point) => point.hit(name))
