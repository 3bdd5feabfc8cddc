/** The entry of a key in a join's store: its records by side, and when it is looked at next. */
import { left, right, type Side } from "./Join.ts"
import { decodeSideRecord, type EncodedJoinRecord, encodeSideRecord } from "./JoinCodec.ts"
import type { SideRecord } from "./JoinRecord.ts"
import { TimeLine } from "./TimeLine.ts"

export interface StoredRecord extends SideRecord {
  /** How many records the join had taken when it met its first partner; -1: none since it was loaded. */
  metAt: number
  /** What it adds to its entry's. */
  readonly textLength: number
}

export interface StoredKey {
  readonly key: string
  /** Those that wait or may be asked for, by side. */
  readonly lines: readonly [TimeLine<StoredRecord>, TimeLine<StoredRecord>]
  /** Of a join of two tables: the latest record of each side that had its turn. */
  readonly rows: [StoredRecord | undefined, StoredRecord | undefined]
  /** Infinite: it is not looked at. */
  dueAt: number
  /** From then on nothing of it counts. */
  overAt: number
  /** About, of its JSON. */
  textLength: number
}

/** Without the key, which is the entry's. */
type EncodedStored = readonly [metAt: number, record: EncodedJoinRecord]

export type EncodedStoredKey = readonly [
  key: string,
  dueAt: number | null,
  lines: ReadonlyArray<EncodedStored>,
  rows: ReadonlyArray<EncodedStored>
]

/** Beside its text: the entry's object, its lines, and records' objects. */
export const keyBytes = 700
/** Of a record, beside its own text. */
const recordLength = 60
/** What a record takes whose object is kept, in its text. */
const objectTexts = 3

export const makeStoredKey = (key: string): StoredKey => ({
  key,
  lines: [new TimeLine<StoredRecord>(), new TimeLine<StoredRecord>()],
  rows: [undefined, undefined],
  dueAt: Number.POSITIVE_INFINITY,
  overAt: Number.NEGATIVE_INFINITY,
  textLength: key.length + recordLength
})

/** A record whose text is all there is of its bytes. */
export const storedRecord = (held: SideRecord, metAt = -1): StoredRecord => ({
  ...held,
  metAt,
  textLength: recordLength + held.text!.length * (held.record === undefined ? 1 : objectTexts)
})

export const addRecord = (keyed: StoredKey, held: StoredRecord): void => {
  keyed.lines[held.side].add(held)
  keyed.textLength += held.textLength
}

/** The first `count` records of a side go. */
export const removeFirst = (keyed: StoredKey, side: Side, count: number): ReadonlyArray<StoredRecord> => {
  const line = keyed.lines[side]
  const removed = Array.from({ length: count }, (_, place) => line.at(place)!)
  if (count > 0) line.removeFirst(count)
  for (const held of removed) keyed.textLength -= held.textLength
  return removed
}

/** Puts a row in the place of the one that was there, which is given. */
export const replaceRow = (keyed: StoredKey, side: Side, row: StoredRecord | undefined): StoredRecord | undefined => {
  const before = keyed.rows[side]
  keyed.rows[side] = row
  keyed.textLength += (row?.textLength ?? 0) - (before?.textLength ?? 0)
  return before
}

/** Rows first, then each side's in the order of time. */
export const recordsOf = ({ lines, rows }: StoredKey): ReadonlyArray<StoredRecord> => [
  ...rows.filter((row) => row !== undefined),
  ...lines[left].all(),
  ...lines[right].all()
]

export const heldOf = ({ lines, rows }: StoredKey): number =>
  lines[left].length() + lines[right].length() + rows.filter((row) => row !== undefined).length

/** The record with that number, if it is there. */
export const findRecord = (
  { lines, rows }: StoredKey,
  { id, side, time }: Pick<StoredRecord, "id" | "side" | "time">
): StoredRecord | undefined => {
  if (rows[side]?.id === id) return rows[side]
  const line = lines[side]
  let place = line.placeAt(time)
  while (line.at(place)?.time === time && line.at(place)!.id !== id) place++
  const found = line.at(place)
  return found?.id === id ? found : undefined
}

const encodeStored = (held: StoredRecord): EncodedStored => {
  const [side, , ...rest] = encodeSideRecord(held)
  return [held.metAt, [side, "", ...rest]]
}

const decodeStored = (key: string, [metAt, [side, , ...rest]]: EncodedStored): StoredRecord =>
  storedRecord(decodeSideRecord([side, key, ...rest]), metAt)

export const encodeStoredKey = ({ dueAt, key, lines, rows }: StoredKey): EncodedStoredKey => [
  key,
  Number.isFinite(dueAt) ? dueAt : null,
  [...lines[left].all(), ...lines[right].all()].map(encodeStored),
  rows.flatMap((row) => (row === undefined ? [] : [encodeStored(row)]))
]

export const decodeStoredKey = ([key, dueAt, lines, rows]: EncodedStoredKey): StoredKey => {
  const keyed = makeStoredKey(key)
  keyed.dueAt = dueAt ?? Number.POSITIVE_INFINITY
  for (const encoded of lines) addRecord(keyed, decodeStored(key, encoded))
  for (const encoded of rows) {
    const row = decodeStored(key, encoded)
    replaceRow(keyed, row.side, row)
  }
  return keyed
}
