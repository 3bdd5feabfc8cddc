/**
 * Which records a window was made of: their offsets, the first so many of them.
 *
 * Part of `Accumulator.ts`. A pane takes records in the order of the log, so what it keeps are its smallest offsets, and
 * the smallest of several panes are the window's: the answer is the same whatever the batching and the panes.
 */
import { Schema } from "effect"
import type { Accumulator } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { type Cells, type CellValue, setAt } from "./Cells.ts"

export const offsetsAccumulator = (
  declaration: Extract<AggregateDeclaration, { readonly kind: "offsets" }>,
  cell: number
): Accumulator => {
  const kept = (cells: Cells) => cells.sets?.get(cell) ?? []
  return {
    declaration,
    field: undefined,
    cell,
    exact: true,
    add: (cells: Cells, offset: CellValue) => {
      const offsets = setAt(cells, cell)
      if (typeof offset === "number" && offsets.size < declaration.offsetsMax) offsets.add(offset)
    },
    merge: (into, from) => {
      for (const offset of kept(from)) setAt(into, cell).add(offset)
    },
    result: (cells) => [...kept(cells)].sort((a, b) => Number(a) - Number(b)).slice(0, declaration.offsetsMax),
    durable: Schema.Array(Schema.Finite) as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) => [...kept(cells)],
    decode: (cells, value) => {
      const offsets = setAt(cells, cell)
      offsets.clear()
      for (const each of value as ReadonlyArray<number>) offsets.add(each) // the durable form above
    }
  }
}
