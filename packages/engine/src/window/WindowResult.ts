/** A window's result as a record: the key's fields, the window, the revision, the aggregates. */
import type { AnyRecord } from "../flow/Node.ts"
import { plainJson } from "../state/PlainJson.ts"
import { isCapped } from "./Accumulator.ts"
import { tellsCap } from "./Aggregate.ts"
import type { Cells } from "./Cells.ts"
import { markOf } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** The key's fields of its text: one is the text itself, several are a JSON array. */
const keyReader = ({ key }: WindowPlan): ((text: string) => ReadonlyArray<unknown>) => {
  // written by keyTextOf
  if (key.length > 1) return (text) => JSON.parse(text) as ReadonlyArray<unknown>
  return key[0]!.type._tag === "Int" ? (text) => [Number(text)] : (text) => [text]
}

/** Which window a result is of, and which of its results it is. `marked`: it is an early one, or takes another back. */
export interface ResultOf {
  readonly start: number
  readonly end: number
  readonly revision: number
  readonly marked: boolean
}

/** Makes records by a generated literal: all of one hidden class, with names that are defined, not assigned. */
export const makeResult = (plan: WindowPlan) => {
  const { aggregates, key } = plan
  const capped = aggregates.filter(([, { declaration }]) => tellsCap(declaration))
  const members = [
    ...key.map(({ name }, at) => [name, `key[${at}]`]),
    ["window_start", "of.start"],
    ["window_end", "of.end"],
    ["revision", "of.revision"],
    ...markOf(plan.spec).map((mark) => [mark, "of.marked"]),
    ...aggregates.map(([name], at) => [name, `aggregates[${at}][1].result(cells)`]),
    ...capped.map(([name], at) => [`${name}_capped`, `isCapped(capped[${at}][1], cells)`])
  ]
  const literal = members.map(([name, value]) => `[${JSON.stringify(name)}]: ${value}`).join(", ")
  // names are JSON texts, which are JavaScript texts; the rest is ours
  const build = new Function(
    "aggregates",
    "capped",
    "isCapped",
    `"use strict"; return (key, of, cells) => ({ ${literal} })`
  ) as (...constants: ReadonlyArray<unknown>) => (key: ReadonlyArray<unknown>, of: ResultOf, cells: Cells) => AnyRecord
  const make = build(aggregates, capped, isCapped)
  const keyOf = keyReader(plan)
  return (text: string, of: ResultOf, cells: Cells): AnyRecord => make(keyOf(text), of, cells)
}

/** What a pane or a session holds, for people. */
export const readCells = (
  { aggregates }: WindowPlan,
  cells: Cells
): { readonly records: number; readonly values: unknown } => ({
  records: cells.numbers[0]!,
  values: plainJson(Object.fromEntries(aggregates.map(([name, accumulator]) => [name, accumulator.result(cells)])))
})
