/**
 * A record batch decoded into columns: what compiled operators and the landing read.
 *
 * Made by a `Decoder`, whose arrays it borrows: valid until that decoder decodes again. A row that did not decode has
 * `valid[row] === 0` and an entry in `failures`; its cells mean nothing.
 */
import type { RecordShape } from "../schema/RecordShape.ts"
import type { RecordBatch } from "./RecordBatch.ts"

/** One field's values, by row. */
export type Column =
  /** Text, and Json as its text: UTF-8 ranges of `ColumnBatch.bytes`, unescaped; start −1 means null. */
  | { readonly _tag: "Bytes"; readonly starts: Int32Array; readonly ends: Int32Array }
  /** Decimal (unscaled), Timestamp (epoch ms, fraction = microseconds), Date (days since 1970), Int, Double; NaN means null. */
  | { readonly _tag: "Numbers"; readonly values: Float64Array }
  /** 0, 1; 2 means null. */
  | { readonly _tag: "Booleans"; readonly values: Uint8Array }

/** Why a record did not decode; becomes its dead letter. Never holds a value from the record. */
export interface DecodeFailure {
  readonly row: number
  readonly reason: DecodeReason
  readonly field: string | undefined
  readonly message: string
}

/** Machine words, part of the contract of the dead-letter topic. */
export type DecodeReason =
  | "not_utf8"
  | "not_json"
  | "not_an_object"
  | "missing_field"
  | "wrong_type"
  | "out_of_range"
  | "bad_format"
  | "not_allowed"
  | "too_many_digits"
  | "event_time_out_of_range"
  | "unknown_field"
  | "record_too_long"

export interface ColumnBatch {
  readonly shape: RecordShape
  readonly source: RecordBatch
  readonly length: number
  /** The source's bytes, followed by text that had to be unescaped. */
  readonly bytes: Uint8Array
  /** By field index. */
  readonly columns: ReadonlyArray<Column>
  /** 1 = decoded, 0 = failed. */
  readonly valid: Uint8Array
  /** 1 = some decimal of the row exceeds 2^53 unscaled: its cell is NaN, its value in `wideDecimals`. */
  readonly wide: Uint8Array
  /** By `row * shape.fields.length + field.index`. */
  readonly wideDecimals: ReadonlyMap<number, bigint>
  /** Unknown fields of a row, as a JSON object's text. */
  readonly extras: ReadonlyMap<number, string>
  readonly failures: ReadonlyArray<DecodeFailure>
  /** Rows that the generated scanner decoded by itself; the rest took the slow path. */
  readonly fastRows: number
}
