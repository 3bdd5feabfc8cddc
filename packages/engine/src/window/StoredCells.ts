/** What a pane or a session on disk holds, as its store has it: of numbers alone these, else the durable form of each aggregate. */
import { decodeCells, encodeCells } from "./CellsCodec.ts"
import type { Cells } from "./Cells.ts"
import { fitsColumns } from "./PaneColumns.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** By cell; null: it has no value. */
type Numbers = ReadonlyArray<number | null>

export type StoredCells = Numbers | { readonly cells: ReadonlyArray<unknown> }

export const storeCells = (plan: WindowPlan, cells: Cells): StoredCells =>
  fitsColumns(plan, cells)
    ? cells.numbers.map((number) => (Number.isNaN(number) ? null : number))
    : { cells: encodeCells(plan, cells) }

/** Of what `storeCells` gave, into cells that hold nothing yet. */
export const readStoredCells = (plan: WindowPlan, cells: Cells, stored: StoredCells): void => {
  if ("cells" in stored) return decodeCells(plan, cells, stored.cells)
  for (let cell = 0; cell < stored.length; cell++) cells.numbers[cell] = stored[cell] ?? Number.NaN
}
