/** Records that a pattern holds: until the watermark passes them, and then as long as a partial match has taken them. */
import type { AnyRecord } from "../flow/Node.ts"
import { type KeepingHost, type KeptRecord, noBytes, readText } from "../state/KeptRecord.ts"
import { isoOf, plainJson } from "../state/PlainJson.ts"

export interface HeldRecord extends KeptRecord {
  /** By condition: those that hold of it by itself, and those that only code can tell when its turn comes. */
  readonly mask: number
  /** The fields that linked conditions read of it; undefined: the record has them. */
  cells?: AnyRecord | undefined
  /** Which record of the shard it was when its turn came, by event time, from 1; 0: it has not come yet. */
  turn: number
}

/** What a pattern needs of the shard that it runs in. */
export interface PatternHost extends KeepingHost {
  readonly enterHeld: (
    record: HeldRecord,
    note: { readonly operator: string; readonly reason: "evicted"; readonly latenessMs: number }
  ) => void
}

/** A held record of its text. */
export const heldOfText = (
  text: string,
  rest: Pick<HeldRecord, "changed" | "id" | "key" | "mask" | "offset" | "port" | "record" | "time" | "turn">
): HeldRecord => ({ ...rest, bytes: noBytes, start: 0, end: 0, text, cells: undefined })

/** For people. */
export const readHeld = (held: KeptRecord): object => ({
  time: isoOf(held.time),
  offset: held.offset,
  // it decoded once, so its text is JSON
  record: held.changed ? plainJson(held.record) : (JSON.parse(readText(held)) as unknown)
})
