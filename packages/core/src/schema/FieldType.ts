/**
 * What a field of a record is, as plain data: the scanner, the encoder, the expression checker and the tables read it.
 */
import type { DecodeReason } from "../record/ColumnBatch.ts"

export type TextFormat = "uuid" | "ipv4" | "alpha2" | "alpha3" | "digits9"

export type FieldType =
  | {
      readonly _tag: "Text"
      readonly format: TextFormat | undefined
      /** The only texts allowed. */
      readonly values: ReadonlyArray<string> | undefined
      /** In bytes of UTF-8. */
      readonly lengthMax: number
    }
  | { readonly _tag: "Decimal"; readonly precision: number; readonly scale: number; readonly positive: boolean }
  | { readonly _tag: "Timestamp" }
  | { readonly _tag: "Date" }
  | { readonly _tag: "Int"; readonly min: number; readonly max: number }
  | { readonly _tag: "Double"; readonly min: number; readonly max: number }
  | { readonly _tag: "Boolean" }
  /** A nested value: decoded by its schema alone; its column holds the JSON text. */
  | { readonly _tag: "Json" }

export interface FieldSpec {
  readonly name: string
  /** Position among the record's fields, and of its column. */
  readonly index: number
  readonly type: FieldType
  /** May be absent or null. */
  readonly nullable: boolean
  /** Personal data: not into a target that does not declare it, masked where people look. */
  readonly personal: boolean
  readonly hiddenFromRules: boolean
}

/** Why a value does not fit a field. Holds kinds, never the value. */
export interface FieldProblem {
  readonly reason: DecodeReason
  /** Continues "field x …": `must be a text, found a number`. */
  readonly message: string
}
