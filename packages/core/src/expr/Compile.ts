/**
 * A checked expression → JavaScript source text, for the generated loops of the engine.
 *
 * The text reads fields through a `FieldAccess` and constants through a `CodeScope`; it contains nothing else of the
 * expression but numbers and names that the scope made: no text of an author ever becomes code. `Interpret.ts` is its slow
 * twin, `Expr.equivalence.test.ts` compares them.
 */
import { Decimal } from "../Decimal.ts"
import type { CodeScope, FieldAccess } from "./Access.ts"
import { conditionCode, threeCode } from "./CompileCondition.ts"
import { numberCode } from "./CompileNumber.ts"
import { boolText, concat, dateText, decimalText, numberText, timeText } from "./Kernel.ts"
import type { BoolNode, CheckedExpr, NumberNode, TextNode } from "./Tree.ts"

/** What the parts of the compiler call each other through. */
export interface Emitter {
  readonly access: FieldAccess
  /** The name of a helper or constant. */
  readonly use: (value: unknown) => string
  readonly isTrue: (node: BoolNode) => string
  readonly number: (node: NumberNode) => string
  readonly text: (node: TextNode) => string
  /** Conditions that were computed before, by their code: the variables that have them. */
  readonly known?: ReadonlyMap<string, string> | undefined
}

const makeEmitter = (access: FieldAccess, scope: CodeScope, known?: ReadonlyMap<string, string>): Emitter => {
  const emit: Emitter = {
    access,
    known,
    use: scope.constant,
    isTrue: (node) => conditionCode(emit, node, true),
    number: (node) => numberCode(emit, node),
    text: (node) => textCode(emit, node)
  }
  return emit
}

/**
 * An expression of JavaScript that is true iff the condition holds; without a value it does not. `known`: variables of
 * conditions that were computed before, by their code; they stand in for it, also where they are terms of others.
 */
export const compileCondition = (
  checked: Extract<CheckedExpr, { result: "boolean" }>,
  access: FieldAccess,
  scope: CodeScope,
  known?: ReadonlyMap<string, string>
): string => makeEmitter(access, scope, known).isTrue(checked.tree)

/**
 * An expression of JavaScript for the value as a `FieldAccess` gives it, so that an expression can read what another
 * computed: number (NaN = null), unscaled number or bigint (NaN = null), 0 or 1, string or null.
 */
export const compileCell = (checked: CheckedExpr, access: FieldAccess, scope: CodeScope): string => {
  const emit = makeEmitter(access, scope)
  switch (checked.result) {
    case "boolean":
      return `(${emit.isTrue(checked.tree)} ? 1 : 0)`
    case "string":
      return emit.text(checked.tree)
    case "number":
    case "decimal":
      return emit.number(checked.tree)
  }
}

/** An expression of JavaScript for the value as a record holds it: boolean, number, string or Decimal; null without one. */
export const compileValue = (checked: CheckedExpr, access: FieldAccess, scope: CodeScope): string => {
  switch (checked.result) {
    case "boolean":
      return compileCondition(checked, access, scope)
    case "string":
      return compileCell(checked, access, scope)
    case "number":
      return `${scope.constant(numberOrNull)}(${compileCell(checked, access, scope)})`
    case "decimal":
      return `${scope.constant(decimalOrNull)}(${compileCell(checked, access, scope)}, ${checked.scale})`
  }
}

// −0 counts as 0: records hold no other
const numberOrNull = (value: number): number | null => (value === value ? value + 0 : null)
const decimalOrNull = (unscaled: number | bigint, scale: number): Decimal | null =>
  unscaled === unscaled ? Decimal.make(unscaled, scale) : null

const textCode = (emit: Emitter, node: TextNode): string => {
  switch (node._tag) {
    case "TextConstant":
      return emit.use(node.value)
    case "TextField":
      return emit.access.text(node.name)
    case "Concat":
      return `${emit.use(concat)}(${emit.text(node.left)}, ${emit.text(node.right)})`
    case "NumberText":
      return numberTextCode(emit, node.value)
    case "BoolText":
      return `${emit.use(boolText)}(${threeCode(emit, node.value)})`
    case "TextIf":
      return `(${emit.isTrue(node.condition)} ? ${emit.text(node.then)} : ${emit.text(node.otherwise)})`
  }
}

const numberTextCode = (emit: Emitter, value: NumberNode): string => {
  const code = emit.number(value)
  switch (value.type._tag) {
    case "Decimal":
      return `${emit.use(decimalText)}(${code}, ${value.type.scale})`
    case "Timestamp":
      return `${emit.use(timeText)}(${code})`
    case "Date":
      return `${emit.use(dateText)}(${code})`
    default:
      return `${emit.use(numberText)}(${code})`
  }
}
