/**
 * The generated code of a pattern: which conditions hold of a record by itself, then hold it until its turn comes.
 *
 * In column mode conditions and key are read from columns, and so is what conditions over earlier steps read later; the record
 * object is made only if code is likely to ask for it. What only code can tell is asked by `pattern/Judge.ts`, when the
 * record's turn has come.
 */
import type { CodeScope, ColumnAccess } from "@frazil/core"
import type { PatternPlan } from "../pattern/PatternPlan.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import { cellCode } from "./CompileCells.ts"
import { keyBytes, keyCode } from "./CompileWindow.ts"
import { makeStateKey } from "./StateKey.ts"

export interface PatternCode {
  readonly scope: CodeScope
  readonly operator: PlannedOperator
  readonly pattern: PatternPlan
  /** Reads columns; undefined in record mode. */
  readonly columns: ColumnAccess | undefined
  /** The record's variable, and the record as it was read. */
  readonly record: string
  readonly read: string
  /** The code of a condition that is an expression, by step; undefined where code decides. */
  readonly conditions: ReadonlyArray<string | undefined>
  /** Makes names of variables. */
  readonly fresh: (prefix: string) => string
  /** Code with what it throws sent to the dead letter, then code that runs when nothing was thrown. */
  readonly guarded: (code: string, after: string) => string
}

export const patternCode = (code: PatternCode): string => {
  const { columns, conditions, fresh, operator, pattern, record, read, scope } = code
  const [state, mask, key] = [fresh("pattern"), fresh("mask"), fresh("key")]
  const [refusal, row] = [fresh("refusal"), fresh("held")]
  const name = scope.constant(operator.name)
  const always = conditions.reduce<number>((bits, each, step) => (each === undefined ? bits | (1 << step) : bits), 0)
  const head = `const ${state} = context.patterns[${operator.state}]; let ${key}, ${mask} = ${always};`
  const masks = conditions.map((condition, step) =>
    condition === undefined ? "" : `if (${condition}) ${mask} |= ${1 << step};`
  )
  const hold = (
    text: string,
    find: string,
    made: string,
    cells = ""
  ) => `const ${refusal} = ${state}.refusal(eventTime, watermark);
if (${refusal} !== undefined) context.enter(batch, i, { operator: ${name}, reason: ${refusal}, key: ${text}, eventTime, latenessMs: watermark - eventTime });
else { ${find} const ${row} = ${state}.hold(${key}, eventTime, ${mask}, batch, i, context.port, ${made}); ${cells} }`
  const wanted = pattern.strict || always !== 0 ? "true" : `${mask} !== 0`
  if (columns !== undefined) {
    const cells = pattern.kept.map((field, at) => `${state}.cells[${at}][${row}] = ${cellCode(field, columns, scope)};`)
    const made = `${madeCode(code, state, key, mask)}, false, ${cells.length > 0}`
    return `{ ${head} ${masks.join(" ")} if (${wanted}) { ${hold(keyCode(pattern.key, columns), findCode(pattern, columns, state, key), made, cells.join(" "))} } }`
  }
  const keyOf = scope.constant(makeStateKey(operator))
  const text = fresh("text")
  const found = `${masks.join(" ")} ${text} = ${keyOf}(${record}, ${read});`
  const find = `${key} = ${state}.keyOf(${text});`
  return `{ ${head} let ${text}; ${code.guarded(found, `if (${wanted}) { ${hold(text, find, `${record}, ${record} !== ${read}, false`)} }`)} }`
}

/** In column mode: the key's number, by its bytes if it is one text, and by its text what is not found so. */
const findCode = (pattern: PatternPlan, columns: ColumnAccess, state: string, key: string): string => {
  const byText = `${key} = ${state}.keyOf(${keyCode(pattern.key, columns)});`
  const bytes = keyBytes(pattern.key, columns)
  if (bytes === undefined) return byText
  return `if (${bytes.start} >= 0) ${key} = ${state}.keyOfBytes(${bytes.range});
if (${key} === undefined) { ${byText} if (${bytes.start} >= 0) ${state}.remember(${bytes.range}, ${key}); }`
}

/** In column mode: the record, or undefined. */
const madeCode = ({ pattern, record }: PatternCode, state: string, key: string, mask: string): string => {
  // few records come to be of a match: those are read back, and of the others only the columns that are asked are decoded
  if (pattern.coded === 0) return "undefined"
  // a first step that code decides asks of every record
  if ((pattern.coded & 1) === 1) return record
  return `(${mask} & ${~(pattern.coded | pattern.linked)}) !== 0 || ${state}.awaits(${key}) ? ${record} : undefined`
}
