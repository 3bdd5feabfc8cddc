/**
 * What the running stage asks of the state of a join in one shard, whatever kind of join it is.
 *
 * It calls `take` for each record of either side and `advance` when the watermark moves; epochs take its delta, snapshots its
 * whole. What is over follows from the watermark alone, so deltas hold no removals.
 */
import type { ColumnBatch } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { KeepingHost, KeptRecord } from "../state/KeptRecord.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { makeAsOfState } from "./AsOfState.ts"
import { makeIntervalState } from "./IntervalState.ts"
import type { JoinInput } from "./JoinRecord.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { makeLatestState } from "./LatestState.ts"
import { makeStoredAsOfState } from "./StoredAsOfState.ts"
import { makeStoredIntervalState } from "./StoredIntervalState.ts"
import type { OpenJoin } from "./StoredJoinKeys.ts"
import { makeStoredLatestState } from "./StoredLatestState.ts"

/**
 * What became of a record instead of, or beside, its being held. `dropped`: a change that came late, and counts from now on
 * only. `evicted`: it is one too many to be held.
 */
export type JoinRefusal = "late" | "dropped" | "evicted"

/**
 * Takes a result at its event time. `by` is the record that brought it, as it was read; no later result is before
 * `watermark`.
 */
export type EmitJoined = (record: AnyRecord, by: KeptRecord, time: number, watermark: number) => void

export interface JoinState extends OperatorState {
  /** `advance` has nothing to do unless the watermark is beyond it. */
  readonly nextAt: () => number
  /** Takes a record of a side; undefined, or what the ledger must say of it. */
  readonly take: (
    input: JoinInput,
    batch: ColumnBatch,
    row: number,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ) => JoinRefusal | undefined
  /** Gives what the watermark decides, and forgets what it leaves behind. */
  readonly advance: (watermark: number, host: KeepingHost, emit: EmitJoined) => void
  /** The end of input is the end of time: as `advance`, and whatever comes later is late. */
  readonly close: (host: KeepingHost, emit: EmitJoined) => void
  /** After the last `load`: how far time had come, and whether it had ended. */
  readonly restored: (watermark: number, closed: boolean) => void
}

/** `open` makes the store of a join that is on disk; without it, it is in memory whatever is declared. */
export const makeJoinState = (plan: JoinPlan, open?: OpenStore): JoinState => {
  const { spec, store } = plan
  if (store !== undefined && open !== undefined) return makeStoredJoin(plan, { store, open })
  switch (spec._tag) {
    case "Interval":
      return makeIntervalState(plan, spec)
    case "AsOf":
      return makeAsOfState(plan, spec)
    case "Latest":
      return makeLatestState(plan, spec)
  }
}

const makeStoredJoin = (plan: JoinPlan, open: OpenJoin): JoinState => {
  const { spec } = plan
  switch (spec._tag) {
    case "Interval":
      return makeStoredIntervalState(plan, spec, open)
    case "AsOf":
      return makeStoredAsOfState(plan, spec, open)
    case "Latest":
      return makeStoredLatestState(plan, spec, open)
  }
}
