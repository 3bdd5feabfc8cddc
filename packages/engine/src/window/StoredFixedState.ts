/**
 * The panes of windows that lie where the clock says, on disk: `FixedState.ts` for state larger than memory, with the same
 * answers, changes and snapshots.
 *
 * A record is one look into the cache; a window that ends is read from its panes' starts, in the order of keys, and merged key by
 * key. **Bounds**: `StoredPanes.ts`; what changed since the last delta is listed, and the results of one end are given at once.
 */
import { mergeCells } from "./Sliding.ts"
import { type Cells, makeCells } from "./Cells.ts"
import { endAfter, refusalAt } from "./Pane.ts"
import { decodePanes, encodePanes } from "./PaneCodec.ts"
import { type KeysByTime, list, makeStoredEarly } from "./StoredEarly.ts"
import { type StoredPane, StoredPanes, type StoredRevision } from "./StoredPanes.ts"
import type { DiskStore } from "../flow/Node.ts"
import { isoOf } from "../state/PlainJson.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { FixedSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"
import { makeResult, readCells } from "./WindowResult.ts"
import type { EmitResult, WindowState } from "./WindowState.ts"

const tellRevision = ({ end, key, revision }: StoredRevision) =>
  [{ key, revisions: new Map([[end, revision]]) }, [end]] as const

export const makeStoredFixedState = (
  plan: WindowPlan,
  spec: FixedSpec,
  store: DiskStore,
  open: OpenStore
): WindowState => {
  const { allowedLatenessMs, earlyMs, everyMs, paneMs, rolling, sizeMs } = spec
  const panes = new StoredPanes(plan, spec, store, open)
  const { buckets } = panes
  /** By start, the keys of panes that changed since the last delta. */
  let changed: KeysByTime = new Map()
  /** By end, those of windows that were revised since. */
  let revised: KeysByTime = new Map()
  /** Windows that end at or before it have fired. */
  let fired = Number.NEGATIVE_INFINITY
  let closedAt = Number.NEGATIVE_INFINITY
  /** Where the last record went. */
  let takenKey = ""
  let taken: StoredPane | undefined
  const resultOf = makeResult(plan)
  const early = earlyMs === undefined ? undefined : makeStoredEarly(spec, earlyMs)

  /** The first window end that has not fired and that a pane lies before. */
  const nextEnd = (): number => {
    for (const { lastEnd, start, firstEnd } of buckets) {
      const end = endAfter(spec, Math.max(start, fired))
      if (end <= (rolling ? firstEnd : lastEnd)) return end
    }
    return Number.POSITIVE_INFINITY
  }
  const schedule = () => {
    const over = buckets[0]?.overAt ?? Number.POSITIVE_INFINITY
    state.nextAt = Math.min(nextEnd(), over, early?.nextAt() ?? Number.POSITIVE_INFINITY)
  }

  const markChanged = (key: string, pane: StoredPane) => {
    if (pane.changed) return
    pane.changed = true
    list(changed, pane.start, key)
  }

  /** What a window holds: its one pane, or its panes merged. */
  const cellsOf = (inside: ReadonlyArray<StoredPane>): Cells => {
    if (inside.length === 1) return inside[0]!
    const merged = makeCells(plan.cells)
    for (const pane of inside) mergeCells(plan, merged, pane)
    return merged
  }
  const emitWindow = (key: string, end: number, revision: number, emit: EmitResult, cells: Cells, marked = false) =>
    emit(resultOf(key, { start: end - sizeMs, end, revision, marked }, cells), end)
  const remember = (key: string, end: number, revision: number) => {
    panes.setRevision(key, end, revision)
    list(revised, end, key)
  }

  /** A window's records that alone make it give a result. */
  const recordsThatGive = (inside: ReadonlyArray<StoredPane>, end: number): number => {
    const from = end - (rolling ? everyMs : sizeMs)
    return inside.reduce((sum, { numbers, start }) => (start < from ? sum : sum + numbers[0]!), 0)
  }

  /** As that of `FixedState.ts`. */
  const revise = (key: string, firstEnd: number, end: number, emit: EmitResult) => {
    const inside = panes.panesOf(key, end - sizeMs, end)
    const records = recordsThatGive(inside, end)
    if (records === 0) return
    const cells = cellsOf(inside)
    const before = panes.revision(key, end)
    if (before === undefined && records === 1 && (!rolling || end === firstEnd))
      return emitWindow(key, end, 0, emit, cells)
    const revision = (before ?? 0) + 1
    remember(key, end, revision)
    emitWindow(key, end, revision, emit, cells)
  }

  /** The first result at a window's end; early ones came before it. */
  const giveLast = (key: string, end: number, cells: Cells, emit: EmitResult) => {
    // late records revise only what has ended
    const before = early === undefined ? undefined : panes.revision(key, end)
    if (before !== undefined) remember(key, end, before + 1)
    emitWindow(key, end, before === undefined ? 0 : before + 1, emit, cells)
  }
  const giveEarly = (watermark: number, emit: EmitResult) =>
    early?.give(
      watermark,
      (key, start) => {
        const pane = panes.change(key, start)
        if (pane === undefined) return undefined
        pane.touched = false
        // one that is over will be forgotten
        if (pane.lastEnd > watermark) markChanged(key, pane)
        return pane
      },
      (key, end) => {
        const inside = panes.panesOf(key, end - sizeMs, end)
        if (recordsThatGive(inside, end) === 0) return
        const revision = (panes.revision(key, end) ?? -1) + 1
        remember(key, end, revision)
        emitWindow(key, end, revision, emit, cellsOf(inside), true)
      }
    )

  const fire = (watermark: number, emit: EmitResult) => {
    for (let end = nextEnd(); end <= watermark && end !== Number.POSITIVE_INFINITY; end = nextEnd()) {
      fired = end
      panes.eachKey(end - sizeMs, end, (key, inside) => {
        if (recordsThatGive(inside, end) > 0) giveLast(key, end, cellsOf(inside), emit)
      })
    }
    fired = Math.max(fired, watermark)
    giveEarly(watermark, emit)
    panes.drop(watermark)
    schedule()
  }

  const state: WindowState = {
    name: plan.name,
    nextAt: Number.POSITIVE_INFINITY,
    refusal: undefined,
    paneOf: (key, eventTime, watermark) => {
      const start = Math.floor(eventTime / paneMs) * paneMs
      state.refusal = refusalAt(spec, start, Math.max(watermark, closedAt))
      if (state.refusal === "late") return undefined
      // a pane opened now must not fire again what `update` is about to give
      if (watermark > fired) fired = watermark
      const opened = panes.open
      const pane = panes.pane(key, start)
      if (pane === undefined) {
        state.refusal = "evicted"
        return undefined
      }
      pane.numbers[0]!++
      markChanged(key, pane)
      if (early?.touch(key, pane, watermark) === true) state.nextAt = Math.min(state.nextAt, early.nextAt())
      if (panes.open > opened) schedule()
      takenKey = key
      return (taken = pane)
    },
    update: (watermark, emit) => {
      // what is read below may take another object's place
      const { firstEnd, lastEnd } = taken!
      for (let end = firstEnd; end <= watermark && end <= lastEnd; end += everyMs)
        if (end + allowedLatenessMs > watermark) revise(takenKey, firstEnd, end, emit)
    },
    fire,
    close: (emit) => {
      fire(Number.POSITIVE_INFINITY, emit)
      closedAt = Number.POSITIVE_INFINITY
    },
    takeDelta: () => {
      const told = Array.from(changed).flatMap(([start, keys]) => Array.from(keys, (key) => ({ key, start })))
      const revisions = Array.from(revised).flatMap(([end, keys]) =>
        Array.from(keys).flatMap((key): ReadonlyArray<StoredRevision> => {
          const revision = panes.revision(key, end)
          return revision === undefined ? [] : [{ key, end, revision }]
        })
      )
      changed = new Map()
      revised = new Map()
      return encodePanes(plan, panes.tell(told), revisions.map(tellRevision))
    },
    capture: (kind) => panes.capture(kind, (some, revisions) => encodePanes(plan, some, revisions.map(tellRevision))),
    load: (entries) =>
      decodePanes(
        plan,
        entries,
        (key, start) => panes.load(key, start),
        (key, end, revision) => panes.setRevision(key, end, revision)
      ),
    restored: (watermark, closed) => {
      fired = watermark
      if (closed) closedAt = Number.POSITIVE_INFINITY
      panes.drop(Math.max(watermark, closedAt))
      // which ones are touched is a part of each
      if (early !== undefined)
        for (const { start } of buckets)
          panes.eachKey(start, start + 1, (key, [pane]) => {
            if (pane?.touched === true) early.restored(key, pane, watermark)
          })
      schedule()
    },
    size: () => panes.open,
    read: (key) => {
      const found = panes.panesOf(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
      if (found.length === 0) return undefined
      const open = found.map((pane) => ({
        start: isoOf(pane.start),
        end: isoOf(pane.start + paneMs),
        ...readCells(plan, pane)
      }))
      const revisions = panes.revisionsOf(key).map(({ end, revision }) => ({ window_end: isoOf(end), revision }))
      return { panes: open, revisions }
    },
    stored: () => panes.counts(),
    discard: () => panes.close()
  }
  return state
}
