/**
 * The durable form of panes: JSON that costs what changed. Panes of numbers alone are columns, others are rows, each aggregate
 * by its own schema.
 *
 * Deltas and snapshots have the same form; older ones have rows alone. Removals are not in it: the watermark says what is over.
 */
import { Schema } from "effect"
import { decodeCells, encodeCells, otherShape, readKey, readNumber } from "./CellsCodec.ts"
import {
  columnsOfKey,
  decodeColumns,
  encodeColumns,
  fitsColumns,
  type PaneColumns,
  type ReadPane,
  type ToldPane
} from "./PaneColumns.ts"
import type { WindowPlan } from "./WindowPlan.ts"

const Panes = Schema.Struct({
  shape: Schema.String,
  /** Key, start, records, then each aggregate; last a true when its early results are still to come. */
  panes: Schema.Array(Schema.Array(Schema.Unknown)),
  /** Key, the window's end, its last revision; windows whose only result is the first, on time, are not in it. */
  revisions: Schema.Array(Schema.Tuple([Schema.String, Schema.Finite, Schema.Finite]))
})

export type EncodedPanes = typeof Panes.Type

const readSmall = Schema.decodeUnknownSync(Panes)

interface EncodedColumns {
  readonly columns?: PaneColumns
}

/** Rows and columns are read one by one below, so a schema need not look at them first. */
const readPanes = (entries: unknown): EncodedPanes => {
  const { panes } = entries as EncodedPanes
  const rows = Array.isArray(panes) && panes.every(Array.isArray) ? panes : undefined
  return {
    ...readSmall({ ...(entries as EncodedPanes), ...(rows === undefined ? {} : { panes: [] }) }),
    panes: rows ?? panes
  }
}

/** A key with the last revisions of its windows, by their ends. */
export interface ToldRevisions {
  readonly key: string
  readonly revisions: ReadonlyMap<number, number> | undefined
}

const rowOf = (plan: WindowPlan, pane: ToldPane): ReadonlyArray<unknown> => [
  pane.keyed.key,
  pane.start,
  ...encodeCells(plan, pane),
  ...(pane.touched ? [true] : [])
]

export const encodePanes = (
  plan: WindowPlan,
  panes: Iterable<ToldPane>,
  revisions: Iterable<readonly [ToldRevisions, ends: Iterable<number>]>
): EncodedPanes & EncodedColumns => {
  const fitting: Array<ToldPane> = []
  const rows: Array<ReadonlyArray<unknown>> = []
  for (const pane of panes) {
    if (fitsColumns(plan, pane)) fitting.push(pane)
    else rows.push(rowOf(plan, pane))
  }
  return {
    shape: plan.shape,
    ...(fitting.length === 0 ? {} : { columns: encodeColumns(plan, fitting) }),
    panes: rows,
    revisions: Array.from(revisions).flatMap(([keyed, ends]) =>
      Array.from(ends).flatMap((end): ReadonlyArray<readonly [string, number, number]> => {
        const revision = keyed.revisions?.get(end)
        return revision === undefined ? [] : [[keyed.key, end, revision]]
      })
    )
  }
}

/** What of the entries is of one key; those of another shape as they are, for `decodePanes` to refuse. */
export const panesOfKey = (plan: WindowPlan, entries: unknown, key: string): unknown => {
  const { columns, panes, revisions, shape } = entries as EncodedPanes & EncodedColumns // made by encodePanes, here or before
  if (shape !== plan.shape) return entries
  return {
    shape,
    ...(columns === undefined ? {} : { columns: columnsOfKey(columns, key) }),
    panes: panes.filter(([of]) => of === key),
    revisions: revisions.filter(([of]) => of === key)
  }
}

/** Calls back for each pane and revision, panes first. Throws when the entries are of another shape, or are none. */
export const decodePanes = (
  plan: WindowPlan,
  entries: unknown,
  paneAt: (key: string, start: number) => ReadPane,
  revise: (key: string, end: number, revision: number) => void
): void => {
  const { panes, revisions, shape } = readPanes(entries)
  if (shape !== plan.shape) throw otherShape(plan)
  const { columns } = entries as EncodedColumns // looked at value by value where they are read
  if (columns !== undefined) decodeColumns(plan, columns, paneAt)
  for (const [key, start, ...values] of panes) {
    const pane = paneAt(readKey(key), readNumber(start))
    decodeCells(plan, pane, values)
    pane.touched = values[plan.accumulators.length + 1] === true
  }
  for (const [key, end, revision] of revisions) revise(key, end, revision)
}
