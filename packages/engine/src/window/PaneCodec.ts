/**
 * The durable form of panes: JSON that costs what changed, each aggregate by its own schema.
 *
 * Deltas and snapshots have the same form. Removals are not in it: the watermark says what is over.
 */
import { Schema } from "effect"
import { decodeCells, encodeCells, otherShape, readKey, readNumber } from "./CellsCodec.ts"
import type { KeyPanes, Pane } from "./Pane.ts"
import type { WindowPlan } from "./WindowPlan.ts"

const Panes = Schema.Struct({
  shape: Schema.String,
  /** Key, start, records, then each aggregate; last a true when its early results are still to come. */
  panes: Schema.Array(Schema.Array(Schema.Unknown)),
  /** Key, the window's end, its last revision; windows whose only result is the first, on time, are not in it. */
  revisions: Schema.Array(Schema.Tuple([Schema.String, Schema.Finite, Schema.Finite]))
})

export type EncodedPanes = typeof Panes.Type

const readPanes = Schema.decodeUnknownSync(Panes)

export const encodePanes = (
  plan: WindowPlan,
  panes: Iterable<Pane>,
  revisions: Iterable<readonly [KeyPanes, ends: Iterable<number>]>
): EncodedPanes => ({
  shape: plan.shape,
  panes: Array.from(panes, (pane) => [
    pane.keyed.key,
    pane.start,
    ...encodeCells(plan, pane),
    ...(pane.touched ? [true] : [])
  ]),
  revisions: Array.from(revisions).flatMap(([keyed, ends]) =>
    Array.from(ends).flatMap((end): ReadonlyArray<readonly [string, number, number]> => {
      const revision = keyed.revisions?.get(end)
      return revision === undefined ? [] : [[keyed.key, end, revision]]
    })
  )
})

/** Calls back for each pane and revision, panes first. Throws when the entries are of another shape, or are none. */
export const decodePanes = (
  plan: WindowPlan,
  entries: unknown,
  paneAt: (key: string, start: number) => Pane,
  revise: (key: string, end: number, revision: number) => void
): void => {
  const { panes, revisions, shape } = readPanes(entries)
  if (shape !== plan.shape) throw otherShape(plan)
  for (const [key, start, ...values] of panes) {
    const pane = paneAt(readKey(key), readNumber(start))
    decodeCells(plan, pane, values)
    pane.touched = values[plan.accumulators.length + 1] === true
  }
  for (const [key, end, revision] of revisions) revise(key, end, revision)
}
