/**
 * One call of a process function: which key it is about, what time it is, and how to undo what it wrote when it throws.
 *
 * `FunctionState` has one, which all handles share; outside of a call they throw.
 */
import { type Cell, type Changed, type KeyEntry, makeChanged } from "./KeyEntry.ts"

export interface Turn {
  /** Undefined between calls. */
  entry: KeyEntry | undefined
  /** max(event time, watermark): what TTLs are judged by. */
  now: number
  eventTime: number
  watermark: number
  /** Something went, so that the key may be over earlier than it was. */
  cleared: boolean
  readonly changed: Map<string, Changed>
  readonly undo: Array<() => void>
}

export const makeTurn = (): Turn => ({
  entry: undefined,
  now: Number.NEGATIVE_INFINITY,
  eventTime: Number.NEGATIVE_INFINITY,
  watermark: Number.NEGATIVE_INFINITY,
  cleared: false,
  changed: new Map(),
  undo: []
})

/** The key's entry; throws when nothing is being called, which is a mistake of whoever kept a handle. */
export const entryOf = ({ entry }: Turn): KeyEntry => {
  if (entry === undefined) throw new TypeError("a state or timer is used outside of the call that it was given to")
  return entry
}

export const changesOf = ({ changed }: Turn, key: string): Changed => {
  let changes = changed.get(key)
  if (changes === undefined) changed.set(key, (changes = makeChanged()))
  return changes
}

/** Replaces a cell. */
export const putCell = (turn: Turn, index: number, cell: Cell): void => {
  const entry = entryOf(turn)
  const before = entry.cells[index]
  turn.undo.push(() => (entry.cells[index] = before))
  entry.cells[index] = cell
  if (cell === undefined) turn.cleared = true
  changesOf(turn, entry.key).states.add(index)
}

/** Takes back all that was written since the last `undo` was emptied. */
export const undoAll = ({ undo }: Turn): void => {
  for (const back of undo.reverse()) back()
  undo.length = 0
}
