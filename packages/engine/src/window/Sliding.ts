/**
 * What windows of many panes hold, one after the other, at a cost that does not grow with their panes.
 *
 * `FixedState` asks it when windows of a key fire, end after end. Panes before a split are kept merged up to it, each with
 * all that follow it; those after it are merged as they come (the queue of two stacks). When the window has slid past the
 * split, all is merged anew: once in a window's length. Only for aggregates that come to the same however they are merged:
 * exact sums, counts, least and greatest values. **Bounds**: twice the cells of the panes that a key has open.
 */
import { type Cells, makeCells } from "./Cells.ts"
import { firstFrom, type KeyPanes, type Pane } from "./Pane.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** Windows of fewer panes are merged at once. */
const panesMin = 16

/** Merged panes of one key. */
export interface Slid {
  readonly split: number
  /** By start: a pane before the split, with all that follow it up to there. */
  readonly suffixes: ReadonlyArray<{ readonly start: number; readonly cells: Cells }>
  /** The panes from the split up to `to`. */
  readonly prefix: Cells
  to: number
}

export const mergeCells = (plan: WindowPlan, into: Cells, from: Cells): void => {
  into.numbers[0]! += from.numbers[0]!
  for (const accumulator of plan.accumulators) accumulator.merge(into, from)
}

const isExact = ({ accumulators }: WindowPlan): boolean =>
  accumulators.every(({ declaration: { kind }, exact }) =>
    kind === "sum" || kind === "avg" ? exact : kind === "count" || kind === "min" || kind === "max"
  )

/** Undefined when the window has few panes, or aggregates that a detour would change or bloat. */
export const makeSliding = (plan: WindowPlan, sizeMs: number, paneMs: number) => {
  if (sizeMs / paneMs < panesMin || !isExact(plan)) return undefined

  const slideAnew = (panes: ReadonlyArray<Pane>, from: number, end: number): Slid => {
    const suffixes: Array<Slid["suffixes"][number]> = []
    let after: Cells | undefined
    for (let at = firstFrom(panes, end) - 1; at >= 0 && panes[at]!.start >= from; at--) {
      const cells = makeCells(plan.cells)
      mergeCells(plan, cells, panes[at]!)
      if (after !== undefined) mergeCells(plan, cells, after)
      suffixes.push({ start: panes[at]!.start, cells })
      after = cells
    }
    return { split: end, suffixes: suffixes.reverse(), prefix: makeCells(plan.cells), to: end }
  }

  /** What the window that ends then holds. Ends of a key only grow, but for panes that changed: `FixedState` forgets `slid` then. */
  return (keyed: KeyPanes, end: number): Cells => {
    const from = end - sizeMs
    const { panes } = keyed
    let { slid } = keyed
    if (slid === undefined || end < slid.to || from > slid.split) keyed.slid = slid = slideAnew(panes, from, end)
    else {
      for (let at = firstFrom(panes, slid.to); at < panes.length && panes[at]!.start < end; at++) {
        mergeCells(plan, slid.prefix, panes[at]!)
      }
      slid.to = end
    }
    const merged = makeCells(plan.cells)
    const suffix = slid.suffixes[firstFrom(slid.suffixes, from)]
    if (suffix !== undefined) mergeCells(plan, merged, suffix.cells)
    mergeCells(plan, merged, slid.prefix)
    return merged
  }
}
