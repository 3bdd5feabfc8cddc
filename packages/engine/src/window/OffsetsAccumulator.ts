/**
 * Which records a window was made of: their offsets, the first so many of them.
 *
 * Part of `Accumulator.ts`. A pane takes records in the order of the log, so what it keeps are its smallest offsets, and
 * the smallest of several panes are the window's: the answer is the same whatever the batching and the panes.
 */
import { Schema } from "effect"
import type { Accumulator } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { type Cells, type CellValue, listAt } from "./Cells.ts"

/** The least `max` of two ascending lists that share none, ascending. */
const merged = (left: ReadonlyArray<number>, right: ReadonlyArray<number>, max: number): Array<number> => {
  const out: Array<number> = []
  let l = 0
  let r = 0
  while (out.length < max && (l < left.length || r < right.length)) {
    out.push(r >= right.length || (l < left.length && left[l]! < right[r]!) ? left[l++]! : right[r++]!)
  }
  return out
}

export const offsetsAccumulator = (
  declaration: Extract<AggregateDeclaration, { readonly kind: "offsets" }>,
  cell: number
): Accumulator => {
  const { offsetsMax } = declaration
  const kept = (cells: Cells): ReadonlyArray<number> => cells.lists?.[cell] ?? []
  return {
    declaration,
    field: undefined,
    cell,
    exact: true,
    add: (cells: Cells, offset: CellValue) => {
      const offsets = listAt(cells, cell)
      if (typeof offset === "number" && offsets.length < offsetsMax) offsets.push(offset)
    },
    merge: (into, from) => {
      ;(into.lists ??= [])[cell] = merged(kept(into), kept(from), offsetsMax)
    },
    result: (cells) => [...kept(cells)],
    durable: Schema.Array(Schema.Finite) as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) => [...kept(cells)],
    decode: (cells, value) => {
      // the durable form above
      ;(cells.lists ??= [])[cell] = [...(value as ReadonlyArray<number>)]
    }
  }
}
