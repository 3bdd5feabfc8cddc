/**
 * An expression as parsed, before types: what `parseExpr` makes of CEL text and `checkExpr` reads.
 *
 * Only constructs that a record can be asked with are here; the parser refuses the others by name.
 */
export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">="
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%"

/** Place in the source, in UTF-16 units; `end` is exclusive. */
interface Span {
  readonly start: number
  readonly end: number
}

export type Syntax = Span &
  (
    | { readonly _tag: "Number"; /** As written, with a minus before it if any. */ readonly text: string }
    | { readonly _tag: "Text"; readonly value: string }
    | { readonly _tag: "Bool"; readonly value: boolean }
    | { readonly _tag: "Null" }
    | { readonly _tag: "Name"; readonly name: string }
    | { readonly _tag: "Not" | "Negate"; readonly operand: Syntax }
    | { readonly _tag: "And" | "Or"; readonly terms: ReadonlyArray<Syntax> }
    | Comparison
    | Arithmetic
    | { readonly _tag: "In"; readonly value: Syntax; readonly items: ReadonlyArray<Syntax> }
    | Conditional
    | Call
  )

interface Comparison {
  readonly _tag: "Compare"
  readonly op: CompareOperator
  readonly left: Syntax
  readonly right: Syntax
}

interface Arithmetic {
  readonly _tag: "Arithmetic"
  readonly op: ArithmeticOperator
  readonly left: Syntax
  readonly right: Syntax
}

interface Conditional {
  readonly _tag: "If"
  readonly condition: Syntax
  readonly then: Syntax
  readonly otherwise: Syntax
}

/** `name(…)`, or `receiver.name(…)`. */
interface Call {
  readonly _tag: "Call"
  readonly name: string
  readonly receiver: Syntax | undefined
  readonly args: ReadonlyArray<Syntax>
}

export type SyntaxOf<T extends Syntax["_tag"]> = Extract<Syntax, { readonly _tag: T }>
