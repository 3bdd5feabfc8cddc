/**
 * The durable form of panes: JSON that costs what changed, each aggregate by its own schema.
 *
 * Deltas and snapshots have the same form. Removals are not in it: the watermark says what is over.
 */
import { Schema } from "effect"
import { StateShapeError } from "../state/OperatorState.ts"
import type { KeyPanes, Pane } from "./Pane.ts"
import type { WindowPlan } from "./WindowPlan.ts"

const Panes = Schema.Struct({
  shape: Schema.String,
  /** Key, start, records, then each aggregate. */
  panes: Schema.Array(Schema.Array(Schema.Unknown)),
  /** Key, the window's end, its last revision; windows that no late record revised are not in it. */
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
    pane.numbers[0],
    ...plan.accumulators.map((accumulator) => accumulator.encode(pane))
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
  if (shape !== plan.shape) {
    throw new StateShapeError(
      `the state of ${plan.name} was made by another window, key or aggregates; give the operator another name to start it empty, or the job another name`
    )
  }
  for (const [key, start, count, ...values] of panes) {
    const pane = paneAt(readKey(key), readNumber(start))
    pane.numbers[0] = readNumber(count)
    pane.big = undefined
    for (const [index, accumulator] of plan.accumulators.entries()) {
      accumulator.decode(pane, Schema.decodeUnknownSync(accumulator.durable)(values[index]))
    }
  }
  for (const [key, end, revision] of revisions) revise(key, end, revision)
}

const readKey = Schema.decodeUnknownSync(Schema.String)
const readNumber = Schema.decodeUnknownSync(Schema.Finite)
