/** Enters dead letters and failures in the ledger, so that one table answers what became of a record. `Shard.ts` calls it. */
import type { ColumnBatch } from "@frazil/core"
import type { StagePlan } from "../plan/StagePlan.ts"
import type { Origin } from "../repartition/Place.ts"
import type { EntryReason, Ledger, LetterInput } from "./Ledger.ts"
import type { StageContext } from "./StageProgram.ts"

/** Counts an entry of the ledger, and writes it; undefined: there is nobody who keeps one. */
export type WriteEntry = (reason: EntryReason, entry: object | undefined) => void

/** Why there is a letter. */
export interface LetterNote {
  readonly reason: LetterInput["reason"]
  /** Left out: that of `output`. */
  readonly operator?: string
  /** What was written to: an index of the plan's outputs. Left out: nothing of the flow's, the source or a table was read. */
  readonly output?: number
}

export const undecoded: LetterNote = { reason: "dead_letter" }

/** A failure that came to an `orDeadLetter`, which writes to the plan's output with that index. */
export const failedInto = (output: number): LetterNote => ({ reason: "failed", output })

const decoder = new TextDecoder()

/** The key as the log has it. */
const keyAt = ({ source: { bytes, keyEnds, keyStarts } }: ColumnBatch, row: number): string | undefined =>
  keyStarts[row]! < 0 ? undefined : decoder.decode(bytes.subarray(keyStarts[row], keyEnds[row]))

/** `topic` is the source, or a table of the stage. */
export const makeEnterLetter = (
  plan: StagePlan,
  context: StageContext,
  ledger: Ledger["Service"] | undefined,
  write: WriteEntry,
  originAt: (offset: number, topic: string) => Origin
) => {
  const field = plan.eventTimeField
  // the stage reads its event time, so that column is there
  const timeOf = (batch: ColumnBatch, row: number) => {
    const time = field === undefined ? undefined : batch.shape.byName.get(field)
    const column = time === undefined ? undefined : batch.columns[time.index]
    return plan.writers !== undefined || batch.valid[row] === 0 || column?._tag !== "Numbers"
      ? undefined
      : column.values[row]
  }
  return (
    batch: ColumnBatch | undefined,
    row: number,
    topic: string,
    { operator = topic, output, reason }: LetterNote
  ): void => {
    if (ledger?.makeLetter === undefined) return
    const writer = plan.operators.find((each) => each.node.op === "orDeadLetter" && each.output === output)
    const { answering, firedAt, judging } = context
    const { offset, ...record } =
      batch !== undefined && row >= 0
        ? { key: keyAt(batch, row), eventTime: timeOf(batch, row), offset: batch.source.offsets[row]! }
        : // a window's result has no record; the one that made it fire tells where
          { key: judging?.key, eventTime: judging?.time ?? answering?.eventTime, offset: firedAt }
    const input = { job: plan.uid, operator: writer?.name ?? operator, reason, ...originAt(offset, topic), ...record }
    write(reason, ledger.makeLetter(input))
  }
}
