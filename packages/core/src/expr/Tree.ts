/**
 * A checked expression: frozen nodes whose types are proven.
 *
 * `checkExpr` builds it; the interpreter, the compiler and later the SQL writer read it. The language has no value
 * "unknown", but every node can be without a value (SQL's null): an operation on null, an overflow or a division by zero.
 * Conversions are explicit nodes: both sides of an operator have one type.
 */
import type { ArithmeticOperator, CompareOperator } from "./Syntax.ts"
import type { TextPattern } from "./TextPattern.ts"

export type NumberType =
  /** Whole, within ±(2^53 − 1); beyond is an overflow. */
  | { readonly _tag: "Int" }
  /** Finite; infinity is an overflow. */
  | { readonly _tag: "Double" }
  /** At most 38 digits; more is an overflow. */
  | { readonly _tag: "Decimal"; readonly scale: number }
  /** Microseconds since 1970; the range of `Timestamp`, beyond is an overflow. */
  | { readonly _tag: "Timestamp" }
  /** Microseconds, within ±(2^53 − 1). */
  | { readonly _tag: "Duration" }
  /** Days since 1970. */
  | { readonly _tag: "Date" }

export type ExprType = NumberType | { readonly _tag: "Bool" } | { readonly _tag: "Text" }

export type BoolNode =
  | { readonly _tag: "BoolConstant"; readonly value: boolean }
  | { readonly _tag: "BoolField"; readonly name: string; readonly nullable: boolean }
  | { readonly _tag: "IsNull"; readonly name: string }
  | { readonly _tag: "Not"; readonly operand: BoolNode }
  | { readonly _tag: "And" | "Or"; readonly terms: ReadonlyArray<BoolNode> }
  | { readonly _tag: "SameBool"; readonly left: BoolNode; readonly right: BoolNode }
  | CompareNumbers
  | CompareTexts
  /** Equal to one of the items: constants of the same type, at least one. */
  | { readonly _tag: "InNumbers"; readonly value: NumberNode; readonly items: ReadonlyArray<NumberConstant> }
  | { readonly _tag: "InTexts"; readonly value: TextNode; readonly items: ReadonlyArray<string> }
  | TextTest
  | { readonly _tag: "Matches"; readonly text: TextNode; readonly pattern: TextPattern }
  | If<"BoolIf", BoolNode>

export interface CompareNumbers {
  readonly _tag: "CompareNumbers"
  readonly op: CompareOperator
  readonly left: NumberNode
  readonly right: NumberNode
}

/** Order is by code point, as in UTF-8 bytes. */
export interface CompareTexts {
  readonly _tag: "CompareTexts"
  readonly op: CompareOperator
  readonly left: TextNode
  readonly right: TextNode
}

export interface TextTest {
  readonly _tag: "TextTest"
  readonly test: "startsWith" | "endsWith" | "contains"
  readonly text: TextNode
  readonly argument: TextNode
}

/** A condition that is not true, also for want of a value, takes `otherwise`. */
interface If<Tag, Node> {
  readonly _tag: Tag
  readonly condition: BoolNode
  readonly then: Node
  readonly otherwise: Node
}

export interface NumberConstant {
  readonly _tag: "NumberConstant"
  readonly type: NumberType
  /** In the type's unit; decimals unscaled: a number up to 2^53 − 1, else a bigint. */
  readonly value: number | bigint
}

export interface NumberField {
  readonly _tag: "NumberField"
  readonly type: NumberType
  readonly name: string
  readonly nullable: boolean
  /** No value of an int, double or (unscaled) decimal is larger; 0 for other types. */
  readonly magnitudeMax: bigint
}

export interface Arithmetic {
  readonly _tag: "Arithmetic"
  readonly type: NumberType
  readonly op: ArithmeticOperator
  readonly left: NumberNode
  readonly right: NumberNode
}

/**
 * To `type`: int to decimal or double, decimal to a larger scale or a double, exact but for doubles (nearest); decimal or
 * double to int cuts the fraction; a timestamp to int gives whole seconds.
 */
export interface Convert {
  readonly _tag: "Convert"
  readonly type: NumberType
  readonly operand: NumberNode
}

export type NumberNode =
  | NumberConstant
  | NumberField
  | Arithmetic
  | Convert
  | { readonly _tag: "Negate"; readonly type: NumberType; readonly operand: NumberNode }
  /** A text that is no number has no value. */
  | { readonly _tag: "ParseNumber"; readonly type: NumberType; readonly text: TextNode }
  /** In code points. */
  | { readonly _tag: "TextSize"; readonly type: NumberType; readonly text: TextNode }
  | TimePartNode
  /** Whole units in a duration, towards zero. */
  | {
      readonly _tag: "DurationPart"
      readonly type: NumberType
      readonly unitMicros: number
      readonly duration: NumberNode
    }
  | (If<"NumberIf", NumberNode> & { readonly type: NumberType })

/** One number of a point in time as a calendar and clock show it; counted as CEL does: months, `DayOf…` from 0, `Date` from 1. */
export type TimePart =
  | "FullYear"
  | "Month"
  | "Date"
  | "DayOfMonth"
  | "DayOfWeek"
  | "DayOfYear"
  | "Hours"
  | "Minutes"
  | "Seconds"
  | "Milliseconds"

export interface TimePartNode {
  readonly _tag: "TimePart"
  readonly type: NumberType
  readonly part: TimePart
  /** An IANA name or `+02:00`. */
  readonly zone: string
  readonly time: NumberNode
}

export type TextNode =
  | { readonly _tag: "TextConstant"; readonly value: string }
  | { readonly _tag: "TextField"; readonly name: string; readonly nullable: boolean }
  | { readonly _tag: "Concat"; readonly left: TextNode; readonly right: TextNode }
  | { readonly _tag: "NumberText"; readonly value: NumberNode }
  | { readonly _tag: "BoolText"; readonly value: BoolNode }
  | If<"TextIf", TextNode>

export type Tree = BoolNode | NumberNode | TextNode

/** An expression that `checkExpr` accepted for a record's shape. */
export type CheckedExpr = {
  readonly source: string
  /** The fields it reads, in the order met: all that must be decoded. */
  readonly fields: ReadonlyArray<string>
  /** Why its value can be null, undefined when it cannot. A condition's value is never null: what is not true is false. */
  readonly nullReason: string | undefined
} & (
  | { readonly result: "boolean"; readonly tree: BoolNode }
  | { readonly result: "number"; readonly tree: NumberNode }
  | { readonly result: "string"; readonly tree: TextNode }
  | { readonly result: "decimal"; readonly scale: number; readonly tree: NumberNode }
)

export const intMax = 9_007_199_254_740_991n
export const decimalMagnitudeMax = 10n ** 38n - 1n
