/**
 * What runs a stage's operators over one batch: compiled (`CompileStage.ts`) or interpreted (`InterpretStage.ts`).
 *
 * The two are made from the same plan and must agree; the compiled one hands rows with wide decimals to the other.
 */
import type { ColumnBatch } from "@frazil/core"
import type { AnyFailed, AnyRecord } from "../flow/Node.ts"
import type { InFlight } from "../lookup/InFlight.ts"
import type { LookupState } from "../lookup/LookupState.ts"
import type { ClockTime, KeyedOperator } from "../keyed/KeyedOperator.ts"
import type { JoinState } from "../join/JoinState.ts"
import type { KeyedState } from "../state/KeyedState.ts"
import type { PatternHost } from "../pattern/HeldRecord.ts"
import type { PatternState } from "../pattern/PatternState.ts"
import type { TableState } from "../state/TableState.ts"
import type { WindowState } from "../window/WindowState.ts"
import type { PartitionTime } from "../state/Watermark.ts"
import type { RepartitionWriter } from "../repartition/RepartitionWriter.ts"
import type { OutputCollector } from "./Collector.ts"
import type { RunningTotal } from "./ControlTotals.ts"
import type { FilteredCounts } from "./FilteredCounts.ts"
import type { LeadState } from "./Lead.ts"
import type { LedgerInput } from "./Ledger.ts"

/** What an operator knows of a record that it enters in the ledger; the shard knows the rest. */
export type LedgerNote = Pick<LedgerInput, "operator" | "reason" | "key" | "eventTime" | "latenessMs">

/** Everything that operators touch while a batch runs. One per shard. */
export interface StageContext extends PatternHost {
  /** The source's partition. */
  readonly partition: number
  /** By which of the stage's ports the records come that run now. */
  port: number
  /** By the plan's output index. */
  readonly outputs: ReadonlyArray<OutputCollector>
  /** By the plan's repartition index. */
  readonly repartitions: ReadonlyArray<RepartitionWriter>
  /** What makes an offset of the source a place (`Place.ts`): 0 behind a repartition, where offsets are places. */
  readonly placeBase: number
  /** By the plan's state index. */
  readonly states: ReadonlyArray<KeyedState>
  /** By the plan's window index. */
  readonly windows: ReadonlyArray<WindowState>
  /** By the plan's pattern index. */
  readonly patterns: ReadonlyArray<PatternState>
  /** By the plan's index of keyed operators. */
  readonly keyed: ReadonlyArray<KeyedOperator>
  readonly clock: ClockTime
  /** By the plan's join index. */
  readonly joins: ReadonlyArray<JoinState>
  /** By the plan's lookup index. */
  readonly lookups: ReadonlyArray<LookupState>
  /** By the plan's table index. */
  readonly tables: ReadonlyArray<TableState>
  /** The record in flight whose outcome runs through the operators now. */
  answering: InFlight | undefined
  readonly time: PartitionTime
  readonly lead: LeadState
  readonly filtered: FilteredCounts
  /** By the plan's index of totals. */
  readonly totals: ReadonlyArray<RunningTotal>
  /** The offset of the record that made a window give its result, that a pattern judges, or whose lookup was answered. */
  firedAt: number
  /** Records that reached a `validate`. */
  validated: number
  /** The record object of a row, made on demand. */
  readonly record: (batch: ColumnBatch, row: number) => AnyRecord
  /** An operator's code threw at a row; −1 is a result of a window, or the record that is `answering` or `judging`. */
  readonly threw: (batch: ColumnBatch | undefined, row: number, operator: string, error: unknown) => void
  /** A failure that reaches a standard dead letter: the plan's output with that index, −1 is the service's own. */
  readonly deadLetter: (batch: ColumnBatch | undefined, row: number, failed: AnyFailed, output: number) => void
  /** A failure that a dead letter of the flow's own making tells of, in the plan's output with that index. */
  readonly failed: (batch: ColumnBatch | undefined, row: number, output: number) => void
  /** A record comes to the lookup with that index, from a row or, at −1, from the record that is `answering`. */
  readonly ask: (
    lookup: number,
    batch: ColumnBatch | undefined,
    row: number,
    read: AnyRecord,
    record: AnyRecord,
    key: unknown,
    eventTime: number,
    watermark: number
  ) => void
  /** Enters a row in the ledger. */
  readonly enter: (batch: ColumnBatch, row: number, note: LedgerNote) => void
}

export interface StageProgram {
  /** By port, the names of the fields that it reads from columns: no others need be decoded. Undefined is all of them. */
  readonly reads: ReadonlyArray<ReadonlySet<string> | undefined>
  /**
   * Runs the valid rows of `[from, to)` in order; they came by the port that the context says. `now` is the time that `stamp`
   * writes: the clock's, once per batch.
   */
  readonly run: (batch: ColumnBatch, context: StageContext, now: number, from: number, to: number) => void
  /** Time has come to the watermark, from `before`, without a record: windows that end by then give their results, patterns their matches. */
  readonly advance: (context: StageContext, now: number, watermark: number, before: number) => void
  /** The clock has come to `context.clock`: windows that end by then give their results, timers fire. */
  readonly advanceClock: (context: StageContext, now: number) => void
  /** What follows the lookup with that index, for a record that has its outcome. */
  readonly answer: (lookup: number, entry: InFlight, context: StageContext, now: number) => void
  /** The input has ended, and with it time: every window gives its result, every pattern its matches. */
  readonly close: (context: StageContext, now: number, before: number) => void
}
