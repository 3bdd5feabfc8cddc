/**
 * Early results of windows on disk: `EarlyResults.ts` by keys and starts, since panes are not in memory.
 *
 * Part of `StoredFixedState.ts`. **Bounds**: keys of panes that records came for since the last early results; their changes
 * are one delta besides.
 */
import type { StoredPane } from "./StoredPanes.ts"
import type { FixedSpec } from "./Window.ts"

/** Keys listed by a time of theirs. */
export type KeysByTime = Map<number, Set<string>>

export const list = (of: KeysByTime, time: number, key: string): void => {
  const keys = of.get(time)
  if (keys === undefined) of.set(time, new Set([key]))
  else keys.add(key)
}

const inOrder = (left: string, right: string): number => (left < right ? -1 : 1)

export interface StoredEarly {
  /** When results are due next, by the watermark. */
  readonly nextAt: () => number
  /** A record came for the pane. True when none had since the last results. */
  readonly touch: (key: string, pane: StoredPane, watermark: number) => boolean
  /** Calls back for each touched pane that is not over, then for each window that has not ended and that records came for, in (end, key) order, if results are due. */
  readonly give: (
    watermark: number,
    untouch: (key: string, start: number) => StoredPane | undefined,
    result: (key: string, end: number) => void
  ) => void
  readonly restored: (key: string, pane: StoredPane, watermark: number) => void
}

export const makeStoredEarly = ({ everyMs }: FixedSpec, earlyMs: number): StoredEarly => {
  let touched: KeysByTime = new Map()
  let nextAt = Number.POSITIVE_INFINITY

  const add = (key: string, { start }: StoredPane, watermark: number) => {
    list(touched, start, key)
    nextAt = Math.min(nextAt, (Math.floor(watermark / earlyMs) + 1) * earlyMs)
  }
  return {
    nextAt: () => nextAt,
    touch: (key, pane, watermark) => {
      if (pane.touched) return false
      pane.touched = true
      add(key, pane, watermark)
      return true
    },
    give: (watermark, untouch, result) => {
      if (watermark < nextAt) return
      const open: KeysByTime = new Map()
      for (const [start, keys] of touched) {
        for (const key of keys) {
          const pane = untouch(key, start)
          if (pane === undefined) continue
          for (let end = pane.firstEnd; end <= pane.lastEnd; end += everyMs) if (end > watermark) list(open, end, key)
        }
      }
      touched = new Map()
      nextAt = Number.POSITIVE_INFINITY
      for (const end of Array.from(open.keys()).sort((a, b) => a - b))
        for (const key of Array.from(open.get(end)!).sort(inOrder)) result(key, end)
    },
    restored: add
  }
}
