/**
 * Source records that state keeps: a pattern's and a join's, until they are needed no more.
 *
 * A record is kept as its bytes: a range of a segment of the state's `ByteStore`, or its own. An object is made of it when one is
 * asked for.
 */
import type { AnyRecord } from "../flow/Node.ts"

export interface KeptRecord {
  /** Counts the records of this operator in this shard, in the order they were read. */
  readonly id: number
  readonly key: string
  /** Epoch milliseconds. */
  readonly time: number
  /** Of the source record. */
  readonly offset: number
  /** Of the stage: the one that it entered by, which says what its bytes are. */
  readonly port: number
  /** The source record: a range of these bytes, until it is needed as text. */
  bytes: Uint8Array
  start: number
  end: number
  text: string | undefined
  /** Code has changed it since it was read: `record` is all there is of it. */
  readonly changed: boolean
  /** Undefined: nobody has asked for it yet. */
  record: AnyRecord | undefined
}

/** What an operator that keeps records needs of the shard that it runs in. */
export interface KeepingHost {
  /** The record whose turn it is: what is thrown now is about it. */
  judging: KeptRecord | undefined
  firedAt: number
  /** The record of bytes that were read by that port. */
  readonly readBack: (bytes: Uint8Array, port: number) => AnyRecord
  readonly threw: (batch: undefined, row: number, operator: string, error: unknown) => void
}

const encoder = new TextEncoder()
// a mark at the beginning is part of the record
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
export const noBytes = new Uint8Array(0)

const partOf = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)

/** The source record's bytes. */
export const bytesOf = ({ bytes, end, start, text }: KeptRecord): Uint8Array =>
  text === undefined ? partOf(bytes, start, end) : encoder.encode(text)

/** The source record's text: it decoded, so it is UTF-8. Nothing is kept of it. */
export const readText = (kept: KeptRecord): string => kept.text ?? decoder.decode(bytesOf(kept))

/** The text of a range of bytes. */
export const textOfRange = (bytes: Uint8Array, start: number, end: number): string =>
  decoder.decode(bytes.subarray(start, end))

/** The record object, made when first asked for. */
export const recordOf = (kept: KeptRecord, host: KeepingHost): AnyRecord =>
  (kept.record ??= host.readBack(bytesOf(kept), kept.port))
