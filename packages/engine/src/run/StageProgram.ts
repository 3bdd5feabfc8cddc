/**
 * What runs a stage's operators over one batch: compiled (`CompileStage.ts`) or interpreted (`InterpretStage.ts`).
 *
 * The two are made from the same plan and must agree; the compiled one hands rows with wide decimals to the other.
 */
import type { ColumnBatch } from "@frazil/core"
import type { AnyFailed, AnyRecord } from "../flow/Node.ts"
import type { KeyedState } from "../state/KeyedState.ts"
import type { PartitionTime } from "../state/Watermark.ts"
import type { OutputCollector } from "./Collector.ts"

/** Everything that operators touch while a batch runs. One per shard. */
export interface StageContext {
  /** The source's partition. */
  readonly partition: number
  /** By the plan's output index. */
  readonly outputs: ReadonlyArray<OutputCollector>
  /** By the plan's state index. */
  readonly states: ReadonlyArray<KeyedState>
  readonly time: PartitionTime
  /** Records that reached a `validate`. */
  validated: number
  /** The record object of a row, made on demand. */
  readonly record: (batch: ColumnBatch, row: number) => AnyRecord
  /** An operator's code threw at a row. */
  readonly threw: (batch: ColumnBatch, row: number, operator: string, error: unknown) => void
  /** A failure that reaches a standard dead letter: the plan's output with that index, −1 is the service's own. */
  readonly deadLetter: (batch: ColumnBatch, row: number, failed: AnyFailed, output: number) => void
}

export interface StageProgram {
  /** Runs all valid rows in order. `now` is the time that `stamp` writes: the clock's, once per batch. */
  readonly run: (batch: ColumnBatch, context: StageContext, now: number) => void
}
