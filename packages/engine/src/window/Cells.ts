/**
 * Where a pane keeps what its aggregates know: numbers by cell, and what does not fit a number beside them.
 *
 * Accumulators own the cells that the plan gave them; cell 0 counts the pane's records. A cell without a value is NaN.
 */
import { Decimal } from "@frazil/core"

export interface Cells {
  readonly numbers: Array<number>
  /** Exact amounts beyond a safe integer, by cell. */
  big: Map<number, bigint> | undefined
  /** Values seen, by cell. */
  sets: Array<Set<string | number> | undefined> | undefined
  /** Offsets, ascending, by cell. */
  lists: Array<Array<number> | undefined> | undefined
  /** What an aggregate alone understands, by cell. */
  objects: Array<unknown> | undefined
}

/** A value as accumulators take it: an unscaled decimal, a number, a text; null counts for nothing. */
export type CellValue = number | bigint | string | null

/** One of each length: a copy of doubles is one allocation, where a list that grows is several. */
const blanks = new Map<number, ReadonlyArray<number>>()

const blankOf = (count: number): ReadonlyArray<number> => {
  const blank = Array.from({ length: count }, () => Number.NaN)
  blank[0] = 0
  blanks.set(count, blank)
  return blank
}

/** No values, and no records. */
export const makeNumbers = (count: number): Array<number> => (blanks.get(count) ?? blankOf(count)).slice()

export const makeCells = (count: number): Cells => ({
  numbers: makeNumbers(count),
  big: undefined,
  sets: undefined,
  lists: undefined,
  objects: undefined
})

export const bigAt = (cells: Cells, at: number): bigint | undefined => cells.big?.get(at)

export const setBig = (cells: Cells, at: number, value: bigint | undefined): void => {
  if (value === undefined) cells.big?.delete(at)
  else (cells.big ??= new Map()).set(at, value)
}

/** The exact integer of a cell: undefined without a value. A cell with a big part always holds a number. */
export const exactAt = (cells: Cells, at: number): number | bigint | undefined => {
  const small = cells.numbers[at]!
  const big = bigAt(cells, at)
  if (big !== undefined) return big + BigInt(small)
  return Number.isNaN(small) ? undefined : small
}

/** Adds an integer exactly. Sums that stay safe stay numbers; what exceeds is carried into the big part. */
export const addExact = (cells: Cells, at: number, value: number | bigint): void => {
  const before = cells.numbers[at]!
  const small = Number.isNaN(before) ? 0 : before
  if (typeof value === "number") {
    const total = small + value
    if (Number.isSafeInteger(total)) {
      cells.numbers[at] = total
      return
    }
  }
  setBig(cells, at, (bigAt(cells, at) ?? 0n) + BigInt(small) + BigInt(value))
  cells.numbers[at] = 0
}

/** The values seen, made on demand. */
export const setAt = (cells: Cells, at: number): Set<string | number> =>
  ((cells.sets ??= [])[at] ??= new Set<string | number>())

/** The list of a cell, made on demand. */
export const listAt = (cells: Cells, at: number): Array<number> => ((cells.lists ??= [])[at] ??= [])

/** A field of a record of ours as accumulators take it. */
export const cellValueOf = (record: Readonly<Record<string, unknown>>, field: string): CellValue => {
  const value = Object.hasOwn(record, field) ? record[field] : null
  if (value instanceof Decimal) return value.unscaled
  return typeof value === "number" || typeof value === "string" ? value : null
}
