/**
 * The generated code of a window: find the pane, add the record's fields to it, tell the ledger, give updates.
 *
 * In column mode the key is looked for by its bytes, then by its text; fields are read as numbers, and no record is made. The common case of each aggregate is
 * written out; the rest, and everything in record mode, is the accumulator's `add`, as in the interpreter.
 */
import type { CodeScope, ColumnAccess, FieldAccess, FieldSpec } from "@frazil/core"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import type { Accumulator } from "../window/Accumulator.ts"
import { cellValueOf } from "../window/Cells.ts"
import type { WindowPlan } from "../window/WindowPlan.ts"
import { foundByBytes } from "../window/WindowState.ts"
import { makeStateKey } from "./StateKey.ts"

export interface WindowCode {
  readonly scope: CodeScope
  readonly operator: PlannedOperator
  readonly window: WindowPlan
  /** Reads columns; undefined in record mode. */
  readonly columns: FieldAccess | undefined
  /** Where the key's bytes stand, in column mode. */
  readonly ranges: Pick<ColumnAccess, "range" | "view"> | undefined
  /** The record's variable, and the record as it was read. */
  readonly record: string
  readonly read: string
  /** The function that takes results. */
  readonly emit: string
  /** Makes names of variables. */
  readonly fresh: (prefix: string) => string
  /** Code with what it throws sent to the dead letter, then code that runs when nothing was thrown. */
  readonly guarded: (code: string, after: string) => string
}

export const windowCode = (code: WindowCode): string => {
  const { columns, emit, fresh, operator, scope } = code
  const window = fresh("window")
  const key = fresh("key")
  const pane = fresh("pane")
  const name = scope.constant(operator.name)
  // by the clock, a record is where the clock has come to
  const time = timeOf(code)
  const watermark = code.window.clocked ? time : "watermark"
  const find = `${pane} = ${window}.paneOf(${key}, ${time}, ${watermark});`
  const told = `if (${window}.refusal !== undefined) context.enter(batch, i, { operator: ${name}, reason: ${window}.refusal, key: ${key}, eventTime: ${time}, latenessMs: ${watermark} - ${time} });`
  const update = `if (${pane}.firstEnd <= ${watermark}) { context.firedAt = batch.source.offsets[i]; ${window}.update(${watermark}, ${emit}); }`
  const head = `const ${window} = context.windows[${operator.state}]; let ${key}, ${pane};`
  const rest = `${told}
if (${pane} !== undefined) { ${addsCode(code, pane)} ${update} }`
  // what columns hold was decoded: nothing here can throw
  if (columns !== undefined) {
    const byText = `${key} = ${keyCode(code.window.key, columns)}; ${find} ${told}`
    return `{ ${head} ${byBytesCode(code, { byText, pane, time, watermark, window })}
if (${pane} !== undefined) { ${addsCode(code, pane)} ${update} } }`
  }
  const keyOf = scope.constant(makeStateKey(operator))
  return `{ ${head} ${code.guarded(`${key} = ${keyOf}(${code.record}, ${code.read}); ${find}`, rest)} }`
}

/** Finds the pane by the bytes of a key that is one text, and by its text what is not found so. */
const byBytesCode = (
  { ranges, window: plan }: WindowCode,
  names: Readonly<Record<"byText" | "pane" | "time" | "watermark" | "window", string>>
): string => {
  const { byText, pane, time, watermark, window } = names
  const bytes = foundByBytes(plan) ? keyBytes(plan.key, ranges) : undefined
  if (bytes === undefined) return byText
  const { range, start } = bytes
  return `if (${start} >= 0) ${pane} = ${window}.byBytes.paneOf(${range}, ${time}, ${watermark});
if (${pane} === undefined) { ${byText}
  if (${pane} !== undefined && ${start} >= 0) ${window}.byBytes.remember(${range}); }`
}

/** Where the bytes of a key that is one text stand: arguments, the first of which after the view is below zero where they are not its text. */
export const keyBytes = (
  key: ReadonlyArray<FieldSpec>,
  ranges: Pick<ColumnAccess, "range" | "view"> | undefined
): { readonly start: string; readonly range: string } | undefined => {
  const [field, ...others] = key
  if (ranges === undefined || field?.type._tag !== "Text" || others.length > 0) return undefined
  const [start, end] = ranges.range(field.name)
  return { start, range: `${ranges.view()}, ${start}, ${end}` }
}

/** The key's text, as `keyTextOf` makes it of a record. */
export const keyCode = (key: ReadonlyArray<FieldSpec>, columns: FieldAccess): string => {
  const values = key.map(({ name, type }) => (type._tag === "Text" ? columns.text(name) : columns.number(name)))
  return values.length === 1 ? `String(${values[0]})` : `JSON.stringify([${values.join(", ")}])`
}

const timeOf = ({ window }: WindowCode): string => (window.clocked ? "context.clock.at" : "eventTime")

const addsCode = (code: WindowCode, pane: string): string =>
  code.window.accumulators.map((accumulator) => addCode(code, accumulator, pane)).join("\n")

const addCode = (code: WindowCode, accumulator: Accumulator, pane: string): string => {
  const { columns, fresh, guarded, record, scope } = code
  const { addRecord, declaration, field } = accumulator
  if (addRecord !== undefined)
    return guarded(`${scope.constant(addRecord)}(${pane}, ${record}, ${timeOf(code)}, batch.source.offsets[i]);`, "")
  const add = scope.constant(accumulator.add)
  const place = accumulator.placed === true ? `, ${timeOf(code)}, batch.source.offsets[i]` : ""
  if (field === undefined) return declaration.kind === "offsets" ? `${add}(${pane}, batch.source.offsets[i]);` : ""
  if (columns === undefined) {
    return `${add}(${pane}, ${scope.constant(cellValueOf)}(${record}, ${JSON.stringify(field.name)})${place});`
  }
  if (field.type._tag === "Text") return `${add}(${pane}, ${columns.text(field.name)}${place});`
  const value = fresh("value")
  const read = field.type._tag === "Decimal" ? columns.unscaled(field.name) : columns.number(field.name)
  return `{ const ${value} = ${read}; if (${value} === ${value}) { ${numberCode(accumulator, pane, value, add, place)} } }`
}

const numberCode = (
  { cell, declaration, exact }: Accumulator,
  pane: string,
  value: string,
  add: string,
  place: string
): string => {
  const at = `${pane}.numbers[${cell}]`
  const slow = `${add}(${pane}, ${value}${place});`
  // a comparison with a cell that has no value yet fails, and leaves it to `add`
  switch (declaration.kind) {
    case "sum":
      if (!exact) return slow
      return `const sum = ${at} + ${value}; if (sum <= ${Number.MAX_SAFE_INTEGER} && sum >= ${Number.MIN_SAFE_INTEGER}) ${at} = sum; else ${slow}`
    case "min":
      return `if (!(${at} <= ${value})) ${slow}`
    case "max":
      return `if (!(${at} >= ${value})) ${slow}`
    default:
      return slow
  }
}
