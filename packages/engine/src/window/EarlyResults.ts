/**
 * When windows give results before they end: at multiples of a time that the watermark passes, those that records came for.
 *
 * Part of `FixedState.ts`. Which panes records came for is part of their durable form, so a restart changes nothing.
 */
import type { KeyPanes, Pane } from "./Pane.ts"
import type { FixedSpec } from "./Window.ts"

export interface EarlyResults {
  /** When results are due next, by the watermark. */
  readonly nextAt: () => number
  /** A record came for the pane. True when none had since the last results. */
  readonly touch: (pane: Pane, watermark: number) => boolean
  /** Calls back for each window that has not ended and that records came for, in (end, key) order, if results are due. */
  readonly give: (
    watermark: number,
    changed: (pane: Pane) => void,
    result: (keyed: KeyPanes, end: number) => void
  ) => void
  readonly restored: (panes: Iterable<Pane>, watermark: number) => void
}

interface Open {
  readonly keyed: KeyPanes
  readonly end: number
}

const inOrder = (a: Open, b: Open): number => a.end - b.end || (a.keyed.key < b.keyed.key ? -1 : 1)

export const makeEarlyResults = ({ everyMs }: FixedSpec, earlyMs: number): EarlyResults => {
  const touched = new Set<Pane>()
  let nextAt = Number.POSITIVE_INFINITY

  const add = (pane: Pane, watermark: number) => {
    touched.add(pane)
    // from nothing to its first place the watermark passes every multiple
    nextAt = Math.min(nextAt, (Math.floor(watermark / earlyMs) + 1) * earlyMs)
  }
  /** Windows of the touched panes that are still open; no pane is touched any more. */
  const takeOpen = (watermark: number, changed: (pane: Pane) => void): ReadonlyArray<Open> => {
    const ends = new Map<KeyPanes, Set<number>>()
    for (const pane of touched) {
      pane.touched = false
      // one that is over will be forgotten
      if (pane.lastEnd <= watermark) continue
      changed(pane)
      const open = ends.get(pane.keyed) ?? new Set<number>()
      ends.set(pane.keyed, open)
      for (let end = pane.firstEnd; end <= pane.lastEnd; end += everyMs) if (end > watermark) open.add(end)
    }
    touched.clear()
    nextAt = Number.POSITIVE_INFINITY
    return Array.from(ends)
      .flatMap(([keyed, open]) => Array.from(open, (end) => ({ keyed, end })))
      .sort(inOrder)
  }
  return {
    nextAt: () => nextAt,
    touch: (pane, watermark) => {
      if (pane.touched) return false
      pane.touched = true
      add(pane, watermark)
      return true
    },
    give: (watermark, changed, result) => {
      if (watermark < nextAt) return
      for (const { end, keyed } of takeOpen(watermark, changed)) result(keyed, end)
    },
    restored: (panes, watermark) => {
      for (const pane of panes) if (pane.touched) add(pane, watermark)
    }
  }
}
