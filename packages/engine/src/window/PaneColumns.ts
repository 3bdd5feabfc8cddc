/**
 * Panes as columns: keys, starts and the numbers of each cell, one list each. Most panes hold nothing else.
 *
 * Part of `PaneCodec.ts`, which writes as rows what does not fit here. Columns are read at a fraction of what rows cost, and
 * panes are filled as they are read. **Guarantees**: what a pane holds comes back as it was.
 */
import { readKey, readNumber } from "./CellsCodec.ts"
import type { Cells } from "./Cells.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** What is told of a pane. */
export interface ToldPane extends Cells {
  readonly start: number
  readonly keyed: { readonly key: string }
  readonly touched: boolean
}

/** What of a pane is read back. */
export interface ReadPane extends Cells {
  touched: boolean
}

export interface PaneColumns {
  readonly keys: ReadonlyArray<string>
  /** One of all, or one of each. */
  readonly starts: number | ReadonlyArray<number>
  /** Of each cell, its number in each pane; null: it has no value. */
  readonly cells: ReadonlyArray<ReadonlyArray<number | null>>
  /** Places of panes whose early results are still to come. */
  readonly touched: ReadonlyArray<number>
}

/** It holds numbers alone, of those that JSON has. */
export const fitsColumns = ({ flat }: WindowPlan, { big, numbers }: Cells): boolean => {
  if (!flat || (big !== undefined && big.size > 0)) return false
  for (const number of numbers)
    if (number === Number.POSITIVE_INFINITY || number === Number.NEGATIVE_INFINITY) return false
  return true
}

/** Of panes that fit. */
export const encodeColumns = (plan: WindowPlan, panes: ReadonlyArray<ToldPane>): PaneColumns => {
  const start = panes[0]?.start ?? 0
  const cells = Array.from({ length: plan.cells }, (): Array<number | null> => [])
  const keys: Array<string> = []
  const touched: Array<number> = []
  for (const [place, pane] of panes.entries()) {
    keys.push(pane.keyed.key)
    if (pane.touched) touched.push(place)
    for (let cell = 0; cell < cells.length; cell++) {
      const number = pane.numbers[cell]!
      cells[cell]!.push(Number.isNaN(number) ? null : number)
    }
  }
  const starts = panes.every((pane) => pane.start === start) ? start : panes.map((pane) => pane.start)
  return { keys, starts, cells, touched }
}

/** Of one key. */
export const columnsOfKey = ({ cells, keys, starts, touched }: PaneColumns, key: string): PaneColumns => {
  const places = keys.flatMap((of, place) => (of === key ? [place] : []))
  const of = <A>(list: ReadonlyArray<A>) => places.map((place) => list[place]!)
  return {
    keys: of(keys),
    starts: typeof starts === "number" ? starts : of(starts),
    cells: cells.map(of),
    touched: places.flatMap((place, at) => (touched.includes(place) ? [at] : []))
  }
}

const listOf = (value: unknown, length: number): ReadonlyArray<unknown> => {
  if (Array.isArray(value) && value.length === length) return value
  throw new TypeError("a column of a window's state has another length than its keys, or is none")
}

/** Fills the pane of each key and start. Throws when they are no columns of the plan's. */
export const decodeColumns = (
  plan: WindowPlan,
  columns: unknown,
  paneAt: (key: string, start: number) => ReadPane
): void => {
  // each value is looked at where it is read
  const { cells, keys, starts, touched } = columns as Readonly<Record<keyof PaneColumns, unknown>>
  if (!plan.flat || !Array.isArray(keys)) throw new TypeError("a window's state has columns that are not its own")
  const { length } = keys
  const lists = listOf(cells, plan.cells).map((list) => listOf(list, length))
  const startsList = Array.isArray(starts) ? listOf(starts, length) : undefined
  const start = startsList === undefined ? readNumber(starts) : 0
  for (let place = 0; place < length; place++) {
    const at = startsList === undefined ? start : readNumber(startsList[place])
    const pane = paneAt(readKey(keys[place]), at)
    pane.big = undefined
    pane.touched = false
    const { numbers } = pane
    for (let cell = 0; cell < lists.length; cell++) {
      const value = lists[cell]![place]
      numbers[cell] = value === null ? Number.NaN : readNumber(value)
    }
  }
  if (!Array.isArray(touched)) throw new TypeError("a window's state has columns that are not its own")
  for (const place of touched) {
    const at = startsList === undefined ? start : readNumber(startsList[readNumber(place)])
    paneAt(readKey(keys[readNumber(place)]), at).touched = true
  }
}
