/**
 * Records whose time is far ahead of the rest of their partition: a wrong clock must not close everybody's windows.
 *
 * Both stage programs ask before the watermark moves. A lead is entered in the ledger and its record used, but time moves
 * only when several in a row are ahead: then it was the rest that had been silent.
 */
import type { ColumnBatch } from "@frazil/core"
import type { StageContext } from "./StageProgram.ts"

/** So many records in a row that are ahead are no mistake of one of them. */
const leadsInRowMin = 3

export interface LeadState {
  /** Records in a row that were ahead. */
  inRow: number
  /** The least of their times. */
  least: number
}

/** The highest time after a record that is `leadMs` or more ahead: the one before, or, when it was the last of several, their least. */
export const afterLead = (
  batch: ColumnBatch,
  row: number,
  context: StageContext,
  source: string,
  eventTime: number
): number => {
  const { lead, time } = context
  context.enter(batch, row, {
    operator: source,
    reason: "lead",
    key: undefined,
    eventTime,
    latenessMs: time.maxEventTime - eventTime
  })
  lead.least = lead.inRow === 0 ? eventTime : Math.min(lead.least, eventTime)
  lead.inRow++
  if (lead.inRow < leadsInRowMin) return time.maxEventTime
  lead.inRow = 0
  return lead.least
}
