/**
 * Records that a pattern holds: until the watermark passes them, and then as long as a partial match has taken them.
 *
 * A record comes as a range of a copy of its batch; the epoch's delta needs its text, and from then on that is all there is
 * of it, so that no record keeps a batch in memory for longer than an epoch.
 */
import type { AnyRecord } from "../flow/Node.ts"

export interface HeldRecord {
  /** Counts the records of this operator in this shard, in the order they were read. */
  readonly id: number
  readonly key: string
  /** Epoch milliseconds. */
  readonly time: number
  /** Of the source record. */
  readonly offset: number
  /** The source record: a range of these bytes, until it is needed as text. */
  bytes: Uint8Array
  readonly start: number
  readonly end: number
  text: string | undefined
  /** By condition: those that hold of it by itself, and those that only code can tell when its turn comes. */
  readonly mask: number
  /** Code has changed it since it was read: `record` is all there is of it. */
  readonly changed: boolean
  /** Undefined: nobody has asked for it yet. */
  record: AnyRecord | undefined
  /** Which record of the shard it was when its turn came, by event time, from 1; 0: it has not come yet. */
  turn: number
}

/** What a pattern needs of the shard that it runs in. */
export interface PatternHost {
  /** The record whose turn it is: what is thrown now is about it. */
  judging: HeldRecord | undefined
  firedAt: number
  readonly readBack: (bytes: Uint8Array) => AnyRecord
  readonly threw: (batch: undefined, row: number, operator: string, error: unknown) => void
  readonly enterHeld: (
    record: HeldRecord,
    note: { readonly operator: string; readonly reason: "evicted"; readonly latenessMs: number }
  ) => void
}

const encoder = new TextEncoder()
// a mark at the beginning is part of the record
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const noBytes = new Uint8Array(0)

/** The source record's bytes. */
export const bytesOf = ({ bytes, end, start, text }: HeldRecord): Uint8Array =>
  text === undefined ? bytes.subarray(start, end) : encoder.encode(text)

/** The source record's text: it decoded, so it is UTF-8. */
export const textOf = (held: HeldRecord): string => {
  if (held.text === undefined) {
    held.text = decoder.decode(bytesOf(held))
    held.bytes = noBytes
  }
  return held.text
}

/** A held record of its text. */
export const heldOfText = (
  text: string,
  rest: Pick<HeldRecord, "changed" | "id" | "key" | "mask" | "offset" | "record" | "time" | "turn">
): HeldRecord => ({ ...rest, bytes: noBytes, start: 0, end: 0, text })

/** The record object, made when first asked for. */
export const recordOf = (held: HeldRecord, host: PatternHost): AnyRecord =>
  (held.record ??= host.readBack(bytesOf(held)))
