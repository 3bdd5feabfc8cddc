/**
 * The durable form of a pattern's state: JSON that costs what changed. Deltas and snapshots have the same form.
 *
 * Of records that wait, a delta has those that came, their bytes beside the JSON (`HeldColumns.ts`); which have had their turn
 * since follows from `from`. Of keys it has
 * those that changed, whole: they are bounded by the pattern.
 */
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { readText } from "../state/KeptRecord.ts"
import { StateShapeError } from "../state/OperatorState.ts"
import { type CompletedMatch, startOf } from "./AfterMatch.ts"
import type { HeldColumns, ListedColumns } from "./HeldColumns.ts"
import { type HeldRecord, heldOfText } from "./HeldRecord.ts"
import { type KeyMatches, makeKeyMatches } from "./KeyMatches.ts"
import { type PartialMatch, type Take, takesOf } from "./PartialMatch.ts"
import type { PatternPlan } from "./PatternPlan.ts"

/** `text` is the source record, which decoded and so is UTF-8; `record` only when code had changed it. */
interface EncodedHeld {
  readonly id: number
  readonly time: number
  readonly offset: number
  readonly mask: number
  readonly turn: number
  /** Absent: the first. */
  readonly port?: number
  readonly text: string
  readonly record?: unknown
}

/** Indexes of the key's records, and the steps that took them. */
type EncodedTakes = ReadonlyArray<readonly [record: number, step: number]>

export interface EncodedKey {
  readonly key: string
  readonly records: ReadonlyArray<EncodedHeld>
  readonly partials: ReadonlyArray<readonly [takes: EncodedTakes, waiting: number, pending: boolean]>
  readonly completed: ReadonlyArray<EncodedTakes>
}

export interface EncodedPattern {
  readonly shape: string
  /** Records counted so far, as they came and as their turn came. */
  readonly next: number
  readonly turns: number
  /** Records that waited before and are earlier had their turn; null: all. */
  readonly from: number | null
  readonly held: ReadonlyArray<readonly [key: string, EncodedHeld]>
  /** More of them, in a delta. */
  readonly came?: HeldColumns | ListedColumns
  /** Those without anything are forgotten. */
  readonly keys: ReadonlyArray<EncodedKey>
}

export const encodeHeld = (held: HeldRecord): EncodedHeld => ({
  id: held.id,
  time: held.time,
  offset: held.offset,
  mask: held.mask,
  turn: held.turn,
  ...(held.port === 0 ? {} : { port: held.port }),
  text: readText(held),
  // a record that was changed is never made again from its bytes
  ...(held.changed ? { record: encodeRecord(held.record!) } : {})
})

export const decodeHeld = (key: string, { port = 0, record, text, ...rest }: EncodedHeld): HeldRecord => {
  const changed = record !== undefined
  return heldOfText(text, { ...rest, port, key, changed, record: changed ? decodeRecord(record) : undefined })
}

export const encodeKey = ({ completed, key, partials }: KeyMatches): EncodedKey => {
  const indexes = new Map<HeldRecord, number>()
  const encodeTakes = (last: Take): EncodedTakes =>
    takesOf(last).map(({ record, step }) => {
      const index = indexes.get(record) ?? indexes.size
      indexes.set(record, index)
      return [index, step] as const
    })
  const encoded = {
    key,
    partials: partials.map(({ last, pending, waiting }) => [encodeTakes(last), waiting, pending] as const),
    completed: completed.map(({ last }) => encodeTakes(last))
  }
  return { ...encoded, records: Array.from(indexes.keys(), encodeHeld) }
}

export const decodeKey = (encoded: EncodedKey): KeyMatches => {
  const records = encoded.records.map((each) => decodeHeld(encoded.key, each))
  const decodeTakes = (takes: EncodedTakes): Take => {
    let last: Take | undefined
    for (const [record, step] of takes) {
      const count: number = last?.step === step ? last.count + 1 : 1
      last = { record: records[record]!, step, count, before: last }
    }
    return last! // a match holds a record
  }
  return {
    ...makeKeyMatches(encoded.key),
    partials: encoded.partials.map(([takes, waiting, pending]): PartialMatch => {
      const last = decodeTakes(takes)
      return { start: startOf(last), last, waiting, pending }
    }),
    completed: encoded.completed.map((takes): CompletedMatch => {
      const last = decodeTakes(takes)
      return { start: startOf(last), last }
    })
  }
}

/** What of the entries is of a key, but for records of others that wait. */
export const encodedOfKey = (entries: unknown, key: string): EncodedPattern => {
  const encoded = entries as EncodedPattern // as in `readEncoded`
  return {
    ...encoded,
    held: encoded.held.filter(([of]) => of === key),
    keys: encoded.keys.filter(({ key: of }) => of === key)
  }
}

/** What was written by the functions above, of this pattern. */
export const readEncoded = (plan: PatternPlan, entries: unknown): EncodedPattern => {
  const encoded = entries as EncodedPattern // made by `PatternState`; verified by hash or checksum
  if (encoded.shape !== plan.shape) {
    throw new StateShapeError(
      `the state of ${plan.name} was made by another pattern or key; give the operator another name to start it empty, or the job another name`
    )
  }
  return encoded
}
