/**
 * The durable form of a join's state: JSON that costs what changed. Deltas and snapshots have the same form.
 *
 * Of records it has those that came and are still held, and which of the earlier ones have met a partner since. Which are
 * over follows from the watermark.
 */
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { noBytes, readText } from "../state/KeptRecord.ts"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Side } from "./Join.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import type { JoinRecord, JoinRecords, SideRecord } from "./JoinRecord.ts"

/** Side, key, number, time and offset; whether it has a partner, whether it deletes, and its port; the source record's text, or what code made of it. */
export type EncodedJoinRecord = readonly [
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
export type EncodedMatch = readonly [side: Side, key: string, id: number, time: number]

export interface EncodedJoin {
  readonly shape: string
  /** Records counted so far. */
  readonly next: number
  readonly records: ReadonlyArray<EncodedJoinRecord>
  readonly matched: ReadonlyArray<EncodedMatch>
  /**
   * A piece of a snapshot of state on disk: another one of that snapshot may have the same record, with a partner or without.
   * What lies before the time has had its turn.
   */
  readonly keyed?: { readonly before: number | null }
}

const matchedFlag = 1
const deletedFlag = 2
/** Above the flags. */
const portUnit = 4

export const encodeSideRecord = (held: SideRecord): EncodedJoinRecord => {
  const flags = (held.matched ? matchedFlag : 0) + (held.deleted ? deletedFlag : 0) + held.port * portUnit
  const { id, key, offset, side, time } = held
  const text = readText(held)
  if (!held.changed) return [side, key, id, time, offset, flags, text]
  // a record that was changed is never made again from its bytes
  return [side, key, id, time, offset, flags, text, encodeRecord(held.record!)]
}

/** `own`: where the record is held. */
const decodeWith = <Own extends object>(encoded: EncodedJoinRecord, own: Own) => {
  const [side, key, id, time, offset, flags, , record] = encoded
  return {
    id,
    side,
    key,
    time,
    offset,
    port: Math.floor(flags / portUnit),
    changed: record !== undefined,
    record: record === undefined ? undefined : decodeRecord(record),
    cells: undefined,
    matched: (flags & matchedFlag) !== 0,
    deleted: (flags & deletedFlag) !== 0,
    ...own
  }
}

/** A record whose text is all there is of its bytes. */
export const decodeSideRecord = (encoded: EncodedJoinRecord): SideRecord =>
  decodeWith(encoded, { bytes: noBytes, start: 0, end: 0, text: encoded[6] })

const loaded = { text: undefined, saved: true, gone: false, listedIn: 0 }

const decodeJoinRecord = (encoded: EncodedJoinRecord, keep: JoinRecords): JoinRecord =>
  decodeWith(encoded, { ...keep.place(encoded[6]), ...loaded })

const encodeJoinRecord = (held: JoinRecord): EncodedJoinRecord => {
  held.saved = true
  return encodeSideRecord(held)
}

export const matchOf = ({ id, key, side, time }: SideRecord): EncodedMatch => [side, key, id, time]

export const encodeJoin = (
  { shape }: JoinPlan,
  next: number,
  records: ReadonlyArray<JoinRecord>,
  matched: ReadonlyArray<JoinRecord>
): EncodedJoin => ({
  shape,
  next,
  records: records.map(encodeJoinRecord),
  matched: matched.map(matchOf)
})

/** Entries of this join, as they were written. */
export const checkShape = (plan: JoinPlan, entries: unknown): EncodedJoin => {
  const encoded = entries as EncodedJoin // made by a join's state; verified by hash or checksum
  if (encoded.shape === plan.shape) return encoded
  throw new StateShapeError(
    `the state of ${plan.name} was made by a join with other times or another key; give the operator another name to start it empty, or the job another name`
  )
}

/** What was written of this join. `keep` takes the bytes. */
export const readJoin = (plan: JoinPlan, entries: unknown, keep: JoinRecords) => {
  const { keyed, matched, next, records } = checkShape(plan, entries)
  if (keyed === undefined) return { next, matched, records: records.map((each) => decodeJoinRecord(each, keep)) }
  const [come, again] = [records.filter(([, , id]) => keep.isNew(id)), new Array<EncodedMatch>()]
  for (const [side, key, id, time, , flags] of records)
    if ((flags & matchedFlag) !== 0) again.push([side, key, id, time])
  return { next, matched: [...matched, ...again], records: come.map((each) => decodeJoinRecord(each, keep)) }
}

/** What of the entries is of one key. */
export const entriesOfKey = (entries: unknown, key: string): unknown => {
  const encoded = entries as EncodedJoin // as above
  const { matched, records } = encoded
  return {
    ...encoded,
    records: records.filter(([, of]) => of === key),
    matched: matched.filter(([, of]) => of === key)
  }
}
