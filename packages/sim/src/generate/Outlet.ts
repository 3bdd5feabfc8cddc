/**
 * Where a generator's records go: a topic (Delivery) or a file (FileOutlet).
 *
 * RunGenerator adds records while there is room, flushes after each group, and drains at the end.
 */
import type { Effect } from "effect"
import type { GeneratedRecord } from "./RecordSource.ts"

export interface OutletStatus {
  /** Records that are safe where they should be. */
  readonly delivered: number
  /** Records taken over but not delivered yet. */
  readonly buffered: number
  /** `retrying`: the last delivery failed; `paused`: so many failed that the next attempt waits for `nextAttemptMs`. */
  readonly state: "delivering" | "retrying" | "paused"
  /** Deliveries that failed so far, each after its retries. */
  readonly failures: number
  /** Why the last delivery failed, while it has not been made up for. */
  readonly problem: string | undefined
  /** Epoch milliseconds; undefined unless paused. */
  readonly nextAttemptMs: number | undefined
}

export interface Outlet<out E> {
  /** Partitions that `add` may name: 0 to this number, exclusive. */
  readonly partitions: number
  /** Waits until at least one record fits; says how many do. */
  readonly awaitRoom: Effect.Effect<number, E>
  /** Takes the record over. The caller has asked for room, and calls `flush` after the last of a group. */
  readonly add: (partition: number, record: GeneratedRecord) => void
  readonly flush: Effect.Effect<void, E>
  /** Waits until everything added is delivered. */
  readonly drain: Effect.Effect<void, E>
  readonly status: () => OutletStatus
  /** Delivers until interrupted: must be running for the others to end. Fails when delivery can never succeed. */
  readonly run: Effect.Effect<never, E>
}
