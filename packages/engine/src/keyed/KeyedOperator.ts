/**
 * What the running stage asks of a keyed operator that keeps records or timers of its own: deduplication, rankings, process
 * functions.
 *
 * It calls `take` for each record, `advance` when the watermark has moved and `due` says so, `advanceClock` at the task's turn
 * when `clockAt` has come; epochs take its delta, snapshots its whole. What comes of a record is emitted at the record's row,
 * what comes of time at −1.
 */
import type { ColumnBatch } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { HeldRecord } from "../pattern/HeldRecord.ts"
import type { KeptRecord } from "../state/KeptRecord.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { makeFirstState } from "./FirstState.ts"
import { makeFunctionState } from "./FunctionState.ts"
import type { KeyedPlan } from "./KeyedPlan.ts"
import { makeRankingState } from "./RankingState.ts"

/** What is written in the ledger of a record. */
export interface KeyedNote {
  readonly operator: string
  readonly reason: "late" | "evicted"
  readonly key: string
  readonly eventTime: number
  readonly latenessMs: number
}

/** What such an operator needs of the shard that it runs in. */
export interface KeyedHost {
  /** The held record that what happens now is about. */
  judging: KeptRecord | undefined
  /** The offset of the record that what happens now is about. */
  firedAt: number
  readonly clock: ClockTime
  readonly readBack: (bytes: Uint8Array, port: number) => AnyRecord
  readonly threw: (batch: ColumnBatch | undefined, row: number, operator: string, error: unknown) => void
  readonly enter: (batch: ColumnBatch, row: number, note: KeyedNote) => void
  readonly enterHeld: (
    record: HeldRecord,
    note: { readonly operator: string; readonly reason: "evicted"; readonly latenessMs: number }
  ) => void
}

/** How far the clock has come in a shard; it never goes back, also over restarts. */
export interface ClockTime {
  /** Epoch milliseconds; −Infinity before the first turn, and where nothing goes by the clock. */
  at: number
}

/** Takes a record: from a row, at the row's time, or at −1, from none, at event time `at`. */
export type EmitKeyed = (record: AnyRecord, at: number, row: number) => void

/** A record that comes to the operator, and where it lies. */
export interface KeyedInput {
  readonly key: string
  readonly record: AnyRecord
  /** Code has changed it since it was read. */
  readonly changed: boolean
  readonly batch: ColumnBatch
  readonly row: number
  /** The stage's, that it entered by. */
  readonly port: number
  readonly eventTime: number
  /** Before this record. */
  readonly watermark: number
}

export interface KeyedOperator extends OperatorState {
  /** Whether `advance` has something to do at this watermark. */
  readonly due: (watermark: number) => boolean
  readonly take: (input: KeyedInput, host: KeyedHost, emit: EmitKeyed) => void
  readonly advance: (watermark: number, host: KeyedHost, emit: EmitKeyed) => void
  /** When `advanceClock` has something to do, by the clock. */
  readonly clockAt: () => number
  /** Does what is due at `host.clock`, where event time has come to the watermark. */
  readonly advanceClock: (watermark: number, host: KeyedHost, emit: EmitKeyed) => void
  /** The end of input is the end of event time. */
  readonly close: (host: KeyedHost, emit: EmitKeyed) => void
  /** After the last `load`: how far event time had come, and whether it had ended. */
  readonly restored: (watermark: number, closed: boolean) => void
}

/** `open` makes the store of an operator that keeps its state on disk; without it state is in memory whatever is declared. */
export const makeKeyedOperator = (plan: KeyedPlan, open?: OpenStore): KeyedOperator => {
  switch (plan.kind) {
    case "first":
      return makeFirstState(plan, open)
    case "ranking":
      return makeRankingState(plan, open)
    case "function":
      return makeFunctionState(plan, open)
  }
}
