/** A window's result as a record: the key's fields, the window, the revision, the aggregates. */
import type { AnyRecord } from "../flow/Node.ts"
import { isCapped } from "./Accumulator.ts"
import type { Cells } from "./Cells.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** The key's fields of its text: one is the text itself, several are a JSON array. */
const keyReader = ({ key }: WindowPlan): ((text: string) => ReadonlyArray<unknown>) => {
  // written by keyTextOf
  if (key.length > 1) return (text) => JSON.parse(text) as ReadonlyArray<unknown>
  return key[0]!.type._tag === "Int" ? (text) => [Number(text)] : (text) => [text]
}

/** Makes records by a generated literal: all of one hidden class, with names that are defined, not assigned. */
export const makeResult = (plan: WindowPlan) => {
  const { aggregates, key, spec } = plan
  const capped = aggregates.filter(([, { declaration }]) => declaration.kind === "countDistinct")
  const members = [
    ...key.map(({ name }, at) => [name, `key[${at}]`]),
    ["window_start", `end - ${spec.sizeMs}`],
    ["window_end", "end"],
    ["revision", "revision"],
    ...aggregates.map(([name], at) => [name, `aggregates[${at}][1].result(cells)`]),
    ...capped.map(([name], at) => [`${name}_capped`, `isCapped(capped[${at}][1], cells)`])
  ]
  const literal = members.map(([name, value]) => `[${JSON.stringify(name)}]: ${value}`).join(", ")
  // names are JSON texts, which are JavaScript texts; the rest is ours
  const build = new Function(
    "aggregates",
    "capped",
    "isCapped",
    `"use strict"; return (key, end, revision, cells) => ({ ${literal} })`
  ) as (
    ...constants: ReadonlyArray<unknown>
  ) => (key: ReadonlyArray<unknown>, end: number, revision: number, cells: Cells) => AnyRecord
  const make = build(aggregates, capped, isCapped)
  const keyOf = keyReader(plan)
  return (text: string, end: number, revision: number, cells: Cells): AnyRecord =>
    make(keyOf(text), end, revision, cells)
}
