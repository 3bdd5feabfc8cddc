/**
 * The durable form of a join's state: JSON that costs what changed. Deltas and snapshots have the same form.
 *
 * Of records it has those that came and are still held, and which of the earlier ones have met a partner since. Which are
 * over follows from the watermark.
 */
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { readText } from "../state/KeptRecord.ts"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Side } from "./Join.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import type { JoinRecord, JoinRecords } from "./JoinRecord.ts"

/** Side, key, number, time and offset; whether it has a partner, whether it deletes, and its port; the source record's text, or what code made of it. */
type EncodedJoinRecord = readonly [
  side: Side,
  key: string,
  id: number,
  time: number,
  offset: number,
  flags: number,
  text: string,
  record?: unknown
]

/** A record that was written before and has met a partner since. */
type EncodedMatch = readonly [side: Side, key: string, id: number, time: number]

export interface EncodedJoin {
  readonly shape: string
  /** Records counted so far. */
  readonly next: number
  readonly records: ReadonlyArray<EncodedJoinRecord>
  readonly matched: ReadonlyArray<EncodedMatch>
}

const matchedFlag = 1
const deletedFlag = 2
/** Above the flags. */
const portUnit = 4

const encodeJoinRecord = (held: JoinRecord): EncodedJoinRecord => {
  held.saved = true
  const flags = (held.matched ? matchedFlag : 0) + (held.deleted ? deletedFlag : 0) + held.port * portUnit
  const { id, key, offset, side, time } = held
  const text = readText(held)
  if (!held.changed) return [side, key, id, time, offset, flags, text]
  // a record that was changed is never made again from its bytes
  return [side, key, id, time, offset, flags, text, encodeRecord(held.record!)]
}

const decodeJoinRecord = (
  [side, key, id, time, offset, flags, text, record]: EncodedJoinRecord,
  keep: JoinRecords
): JoinRecord => ({
  id,
  side,
  key,
  time,
  offset,
  port: Math.floor(flags / portUnit),
  ...keep.place(text),
  text: undefined,
  changed: record !== undefined,
  record: record === undefined ? undefined : decodeRecord(record),
  cells: undefined,
  matched: (flags & matchedFlag) !== 0,
  deleted: (flags & deletedFlag) !== 0,
  saved: true,
  gone: false,
  listedIn: 0
})

export const encodeJoin = (
  { shape }: JoinPlan,
  next: number,
  records: ReadonlyArray<JoinRecord>,
  matched: ReadonlyArray<JoinRecord>
): EncodedJoin => ({
  shape,
  next,
  records: records.map(encodeJoinRecord),
  matched: matched.map(({ id, key, side, time }) => [side, key, id, time] as const)
})

/** What was written by the function above, of this join. `keep` takes the bytes. */
export const readJoin = (plan: JoinPlan, entries: unknown, keep: JoinRecords) => {
  const encoded = entries as EncodedJoin // made by a join's state; verified by hash or checksum
  if (encoded.shape !== plan.shape) {
    throw new StateShapeError(
      `the state of ${plan.name} was made by a join with other times or another key; give the operator another name to start it empty, or the job another name`
    )
  }
  return {
    next: encoded.next,
    records: encoded.records.map((each) => decodeJoinRecord(each, keep)),
    matched: encoded.matched
  }
}
