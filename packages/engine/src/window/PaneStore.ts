/**
 * The open panes of a window operator, found by key and by start.
 *
 * `WindowState` opens and drops them. **Bounds**: panes a key and in all; keys without panes are forgotten.
 */
import {
  type Bucket,
  findPane,
  firstFrom,
  insertByStart,
  type KeyPanes,
  lastEndOf,
  makeKeyPanes,
  makePane,
  type Pane
} from "./Pane.ts"
import { gone } from "../state/Capture.ts"
import { type FixedSpec, openMaxDefault, openPerKeyMaxDefault } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"

export interface PaneStore {
  readonly keys: ReadonlyMap<string, KeyPanes>
  /** By start: few, however many keys there are. */
  readonly buckets: ReadonlyArray<Bucket>
  /** The key's pane with that start, opened if need be; undefined when that would be one too many. */
  readonly pane: (key: string, start: number) => Pane | undefined
  /** As `pane`, whatever the bounds, and without a word: of state that is loaded. */
  readonly openPane: (key: string, start: number) => Pane
  /** Forgets panes that no window takes records for any more at the watermark; whether there were any. */
  readonly drop: (watermark: number) => boolean
}

export const makePaneStore = (plan: WindowPlan, spec: FixedSpec, opened: () => void): PaneStore => {
  const keys = new Map<string, KeyPanes>()
  const buckets: Array<Bucket> = []
  const { openMax = openMaxDefault, openPerKeyMax = openPerKeyMaxDefault } = spec
  let open = 0

  const bucketAt = (start: number): Bucket => {
    const found = buckets[firstFrom(buckets, start)]
    if (found?.start === start) return found
    const bucket: Bucket = { start, panes: [] }
    insertByStart(buckets, bucket)
    return bucket
  }
  const add = (keyed: KeyPanes, start: number): Pane => {
    const pane = makePane(spec, keyed, start, plan.cells)
    insertByStart(keyed.panes, pane)
    bucketAt(start).panes.push(pane)
    open++
    return pane
  }

  const openPane = (key: string, start: number): Pane => {
    let keyed = keys.get(key)
    if (keyed === undefined) keys.set(key, (keyed = makeKeyPanes(key)))
    return findPane(keyed, start) ?? add(keyed, start)
  }

  const forget = (pane: Pane, watermark: number) => {
    const { keyed } = pane
    // panes of a key lie in the order of the buckets
    keyed.panes.shift()
    pane.changed = false
    pane.listedIn = gone
    if (keyed.last === pane) keyed.last = undefined
    if (keyed.panes.length === 0) {
      keyed.revisions = undefined
      keyed.listedIn = gone
      keys.delete(keyed.key)
      return
    }
    for (const end of keyed.revisions?.keys() ?? []) {
      if (end + spec.allowedLatenessMs <= watermark) keyed.revisions?.delete(end)
    }
  }

  return {
    keys,
    buckets,
    pane: (key, start) => {
      const keyed = keys.get(key)
      if (keyed !== undefined) {
        if (keyed.last?.start === start) return keyed.last
        const found = findPane(keyed, start)
        if (found !== undefined) return (keyed.last = found)
        if (keyed.panes.length >= openPerKeyMax) return undefined
      }
      if (open >= openMax) return undefined
      const pane = openPane(key, start)
      opened()
      return (pane.keyed.last = pane)
    },
    openPane,
    drop: (watermark) => {
      const before = buckets.length
      while (buckets.length > 0 && lastEndOf(spec, buckets[0]!.start) + spec.allowedLatenessMs <= watermark) {
        const { panes } = buckets.shift()!
        open -= panes.length
        for (const pane of panes) forget(pane, watermark)
      }
      return buckets.length < before
    }
  }
}
