/**
 * Panes: the pieces of time that windows are made of, by key. A record goes into one pane, however many windows overlap.
 */
import type { Listed } from "../state/Capture.ts"
import { type Cells, makeNumbers } from "./Cells.ts"
import type { Slid } from "./Sliding.ts"
import type { FixedSpec } from "./Window.ts"

export interface Pane extends Cells, Listed {
  readonly start: number
  /** When the first window that contains it ends, and the last. */
  readonly firstEnd: number
  readonly lastEnd: number
  readonly keyed: KeyPanes
  /** Since the last delta. */
  changed: boolean
  /** Since the last early results; always false where there are none. */
  touched: boolean
}

/** What one key has open. */
export interface KeyPanes extends Listed {
  readonly key: string
  /** By start. */
  readonly panes: Array<Pane>
  /** Where the record before went. */
  last: Pane | undefined
  /** The last revision of windows that late records revised and may revise again, by their end. */
  revisions: Map<number, number> | undefined
  /** The window that it was gathered for last. */
  gatheredFor: number
  /** Panes merged for the windows that fired last; undefined when one of them changed since. */
  slid: Slid | undefined
}

/** The first window end after a moment. */
export const endAfter = (spec: FixedSpec, time: number): number =>
  (Math.floor((time - spec.sizeMs) / spec.everyMs) + 1) * spec.everyMs + spec.sizeMs

/** The end of the last window that contains a moment. */
export const lastEndOf = (spec: FixedSpec, time: number): number =>
  Math.floor(time / spec.everyMs) * spec.everyMs + spec.sizeMs

/** What is said of a record whose pane starts there, by a watermark: no window takes it, or some do not; undefined: all of them do. */
export const refusalAt = (spec: FixedSpec, start: number, watermark: number): "late" | "dropped" | undefined => {
  const { allowedLatenessMs, paneMs } = spec
  // no window of the pane ends before the pane
  if (start + paneMs + allowedLatenessMs > watermark) return undefined
  if (lastEndOf(spec, start) + allowedLatenessMs <= watermark) return "late"
  return endAfter(spec, start) + allowedLatenessMs <= watermark ? "dropped" : undefined
}

export const makePane = (spec: FixedSpec, keyed: KeyPanes, start: number, cells: number): Pane => ({
  numbers: makeNumbers(cells),
  big: undefined,
  sets: undefined,
  lists: undefined,
  objects: undefined,
  start,
  firstEnd: endAfter(spec, start),
  lastEnd: lastEndOf(spec, start),
  keyed,
  changed: false,
  touched: false,
  listedIn: 0
})

export const makeKeyPanes = (key: string): KeyPanes => ({
  key,
  panes: [],
  last: undefined,
  revisions: undefined,
  gatheredFor: Number.NaN,
  slid: undefined,
  listedIn: 0
})

/** The index of the first item, of a list sorted by `start`, that starts there or later. */
export const firstFrom = (list: ReadonlyArray<{ readonly start: number }>, start: number): number => {
  let from = 0
  let to = list.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (list[middle]!.start < start) from = middle + 1
    else to = middle
  }
  return from
}

/** The pane that starts there. */
export const findPane = ({ panes }: KeyPanes, start: number): Pane | undefined => {
  const pane = panes[firstFrom(panes, start)]
  return pane?.start === start ? pane : undefined
}

/** Panes of one start, of all keys. */
export interface Bucket {
  readonly start: number
  readonly panes: Array<Pane>
}

/** Puts `item` into a list sorted by `start`; most come at its end. */
export const insertByStart = <A extends { readonly start: number }>(list: Array<A>, item: A): void => {
  let at = list.length
  if (at === 0 || list[at - 1]!.start <= item.start) {
    list.push(item)
    return
  }
  while (at > 0 && list[at - 1]!.start > item.start) at--
  list.splice(at, 0, item)
}
