/**
 * Records whose time is far ahead of the rest of their partition: a wrong clock must not close everybody's windows.
 *
 * Both stage programs ask before the watermark moves. A lead is entered in the ledger and its record used, but time moves
 * only when several in a row are ahead: then it was the rest that had been silent. Those of one key may all be of one clock,
 * and a key with half of all records has three in a row all the time: alone, it has to be a hundred times ahead.
 */
import { type ColumnBatch, murmur2 } from "@frazil/core"
import type { StageContext } from "./StageProgram.ts"

/** So many records in a row that are ahead are no mistake of one of them. */
const leadsInRowMin = 3

/** So many of one key: nobody else sends anything. */
const leadsOfOneKeyMin = 100

export interface LeadState {
  /** Records in a row that were ahead. */
  inRow: number
  /** The least of the last three of their times. */
  least: number
  /** Those; undefined: as many as there were of `least`. */
  recent?: ReadonlyArray<number>
  /** The hash of the key that all of them have; undefined when they have several, or none. */
  key?: number | undefined
}

const keyHash = ({ source: { bytes, keyEnds, keyStarts } }: ColumnBatch, row: number): number | undefined =>
  keyStarts[row]! < 0 ? undefined : murmur2(bytes, keyStarts[row], keyEnds[row])

/** The highest time after a record that is `leadMs` or more ahead: the one before, or, when it was the last of enough, the least of the last three. */
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
  const key = keyHash(batch, row)
  lead.key = lead.inRow === 0 || lead.key === key ? key : undefined
  const before = lead.inRow === 0 ? [] : (lead.recent ?? [lead.least])
  lead.recent = [...before, eventTime].slice(-leadsInRowMin)
  lead.least = Math.min(...lead.recent)
  lead.inRow++
  if (lead.inRow < (lead.key === undefined ? leadsInRowMin : leadsOfOneKeyMin)) return time.maxEventTime
  lead.inRow = 0
  return lead.least
}
