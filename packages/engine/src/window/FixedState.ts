/**
 * The panes of windows that lie where the clock says (tumbling, hopping, rolling), in one shard.
 *
 * A record goes into one pane of its key, however many windows overlap; a window's result merges its panes. Early results
 * come at multiples of `earlyMs` that the watermark passes, for the windows of panes that records came for since.
 */
import { type Cells, makeCells } from "./Cells.ts"
import { makeEarlyResults } from "./EarlyResults.ts"
import { endAfter, type KeyPanes, lastEndOf, type Pane, refusalAt } from "./Pane.ts"
import { decodePanes, encodePanes, panesOfKey } from "./PaneCodec.ts"
import { makePaneStore } from "./PaneStore.ts"
import { makeSliding, mergeCells } from "./Sliding.ts"
import { makeRecentKeys } from "../state/RecentKeys.ts"
import { ChangeList, gone, inPieces, inTurn } from "../state/Capture.ts"
import { isoOf } from "../state/PlainJson.ts"
import type { FixedSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"
import { makeResult, readCells } from "./WindowResult.ts"
import type { EmitResult, WindowState } from "./WindowState.ts"

const revisionsOf = (keyed: KeyPanes) => [keyed, keyed.revisions?.keys() ?? []] as const

/** Whole keys. */
const encodeKeys = (plan: WindowPlan, keys: ReadonlyArray<KeyPanes>) =>
  encodePanes(
    plan,
    keys.flatMap(({ panes }) => panes),
    keys.map(revisionsOf)
  )

export const makeFixedState = (plan: WindowPlan, spec: FixedSpec): WindowState => {
  const { allowedLatenessMs, earlyMs, everyMs, paneMs, rolling, sizeMs } = spec
  let changed: Array<Pane> = []
  let revised = new Map<KeyPanes, Set<number>>()
  const panesSince = new ChangeList<Pane>()
  const revisedSince = new ChangeList<KeyPanes>()
  /** Windows that end at or before it have fired. */
  let fired = Number.NEGATIVE_INFINITY
  let closedAt = Number.NEGATIVE_INFINITY
  /** Where the last record went. */
  let taken: Pane | undefined
  /** Revisions of keys that no pane was loaded of. */
  const loaded: Array<readonly [key: string, end: number, revision: number]> = []
  const resultOf = makeResult(plan)
  const store = makePaneStore(plan, spec, () => schedule())
  const { buckets, keys } = store
  const recent = makeRecentKeys<Pane>()
  const drop = (watermark: number) => {
    if (store.drop(watermark)) recent.clear()
  }

  const sliding = makeSliding(plan, sizeMs, paneMs)
  const early = earlyMs === undefined ? undefined : makeEarlyResults(spec, earlyMs)

  /** The last window that a pane makes give a result. */
  const lastGiven = (start: number) => (rolling ? endAfter(spec, start) : lastEndOf(spec, start))
  /** The first window end that has not fired and that a pane lies before. */
  const nextEnd = (): number => {
    for (const { start } of buckets) {
      const end = endAfter(spec, Math.max(start, fired))
      if (end <= lastGiven(start)) return end
    }
    return Number.POSITIVE_INFINITY
  }
  const schedule = () => {
    const oldest = buckets[0]
    const over = oldest === undefined ? Number.POSITIVE_INFINITY : lastEndOf(spec, oldest.start) + allowedLatenessMs
    state.nextAt = Math.min(nextEnd(), over, early?.nextAt() ?? Number.POSITIVE_INFINITY)
  }

  /** What a window holds: its one pane, or its panes merged. */
  const cellsOf = ({ panes }: KeyPanes, end: number): Cells => {
    const inside = panes.filter(({ start }) => start >= end - sizeMs && start < end)
    if (inside.length === 1) return inside[0]!
    const merged = makeCells(plan.cells)
    for (const pane of inside) mergeCells(plan, merged, pane)
    return merged
  }
  const emitWindow = (
    keyed: KeyPanes,
    end: number,
    revision: number,
    emit: EmitResult,
    cells = cellsOf(keyed, end),
    marked = false
  ) => emit(resultOf(keyed.key, { start: end - sizeMs, end, revision, marked }, cells), end)

  const remember = (keyed: KeyPanes, end: number, revision: number) => {
    ;(keyed.revisions ??= new Map<number, number>()).set(end, revision)
    revised.set(keyed, (revised.get(keyed) ?? new Set()).add(end))
  }

  /** A record came to `pane` after the end of a window of it. Only revisions are remembered: such a window gave its first result. */
  const revise = (pane: Pane, end: number, emit: EmitResult) => {
    const { keyed } = pane
    const cells = cellsOf(keyed, end)
    const records = recordsThatGive(spec, keyed, end, cells)
    if (records === 0) return
    const before = keyed.revisions?.get(end)
    const isFirst = records === 1 && (!rolling || end === pane.firstEnd)
    if (before === undefined && isFirst) return emitWindow(keyed, end, 0, emit, cells)
    const revision = (before ?? 0) + 1
    remember(keyed, end, revision)
    emitWindow(keyed, end, revision, emit, cells)
  }

  /** Keys that the window has a result of, in order. */
  const keysIn = (end: number): ReadonlyArray<KeyPanes> => {
    const found: Array<KeyPanes> = []
    const from = end - (rolling ? everyMs : sizeMs)
    for (const { panes, start } of buckets) {
      if (start < from || start >= end) continue
      for (const { keyed } of panes) {
        if (keyed.gatheredFor !== end) found.push(keyed)
        keyed.gatheredFor = end
      }
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }
  const fire = (watermark: number, emit: EmitResult) => {
    for (let end = nextEnd(); end <= watermark && end !== Number.POSITIVE_INFINITY; end = nextEnd()) {
      fired = end
      for (const keyed of keysIn(end)) {
        const before = keyed.revisions?.get(end)
        if (before !== undefined) remember(keyed, end, before + 1)
        emitWindow(keyed, end, before === undefined ? 0 : before + 1, emit, sliding?.(keyed, end))
      }
    }
    fired = Math.max(fired, watermark)
    early?.give(watermark, markChanged, (keyed, end) => {
      const cells = cellsOf(keyed, end)
      if (recordsThatGive(spec, keyed, end, cells) === 0) return
      const revision = (keyed.revisions?.get(end) ?? -1) + 1
      remember(keyed, end, revision)
      emitWindow(keyed, end, revision, emit, cells, true)
    })
    drop(watermark)
    schedule()
  }
  const markChanged = (pane: Pane) => {
    if (pane.changed) return
    pane.changed = true
    changed.push(pane)
  }

  /** Counts a record in its pane. */
  const take = (pane: Pane, start: number, watermark: number): Pane => {
    pane.numbers[0]!++
    markChanged(pane)
    if (sliding !== undefined) {
      const { keyed } = pane
      if (keyed.slid !== undefined && start < keyed.slid.to) keyed.slid = undefined
    }
    if (early?.touch(pane, watermark) === true) state.nextAt = Math.min(state.nextAt, early.nextAt())
    return (taken = pane)
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
      const pane = store.pane(key, start)
      if (pane === undefined) {
        state.refusal = "evicted"
        return undefined
      }
      return take(pane, start, watermark)
    },
    byBytes: {
      paneOf: (bytes, from, to, eventTime, watermark) => {
        const place = Math.floor(eventTime / paneMs)
        const pane = recent.find(bytes, from, to, place)
        if (pane === undefined || pane.start !== place * paneMs) return undefined
        if (refusalAt(spec, pane.start, Math.max(watermark, closedAt)) !== undefined) return undefined
        state.refusal = undefined
        if (watermark > fired) fired = watermark
        return take(pane, pane.start, watermark)
      },
      remember: (bytes, from, to) => {
        if (taken !== undefined) recent.put(bytes, from, to, Math.floor(taken.start / paneMs), taken, keys.size)
      }
    },
    update: (watermark, emit) => {
      const pane = taken!
      for (let end = pane.firstEnd; end <= watermark && end <= pane.lastEnd; end += everyMs) {
        if (end + allowedLatenessMs > watermark) revise(pane, end, emit)
      }
    },
    fire,
    close: (emit) => {
      fire(Number.POSITIVE_INFINITY, emit)
      closedAt = Number.POSITIVE_INFINITY
    },
    takeDelta: () => {
      const delta = encodePanes(
        plan,
        // a pane that is over since was unmarked
        changed.filter((pane) => pane.changed),
        revised
      )
      for (const pane of changed) {
        pane.changed = false
        panesSince.add(pane)
      }
      for (const keyed of revised.keys()) revisedSince.add(keyed)
      changed = []
      revised = new Map()
      return delta
    },
    capture: (kind) => {
      const panes = panesSince.take()
      const withRevisions = revisedSince.take()
      if (kind === "base") return inPieces(keys.values(), keys.size, (some) => encodeKeys(plan, some))
      // of a pane that is there the key is as well, here or in what is loaded before
      return inTurn(
        inPieces(panes, panes.length, (some) => {
          const living = some.filter(({ listedIn }) => listedIn !== gone)
          return living.length === 0 ? undefined : encodePanes(plan, living, [])
        }),
        inPieces(withRevisions, withRevisions.length, (some) => encodePanes(plan, [], some.map(revisionsOf)))
      )
    },
    load: (entries) =>
      decodePanes(plan, entries, store.openPane, (key, end, revision) => {
        const keyed = keys.get(key)
        if (keyed !== undefined) (keyed.revisions ??= new Map<number, number>()).set(end, revision)
        // windows on disk give them as they lie, perhaps before their panes
        else loaded.push([key, end, revision])
      }),
    restored: (watermark, closed) => {
      for (const [key, end, revision] of loaded.splice(0).reverse()) {
        const keyed = keys.get(key)
        // what came with panes, or behind, is newer
        if (keyed === undefined || keyed.revisions?.has(end) === true) continue
        ;(keyed.revisions ??= new Map<number, number>()).set(end, revision)
      }
      fired = watermark
      if (closed) closedAt = Number.POSITIVE_INFINITY
      drop(Math.max(watermark, closedAt))
      early?.restored(
        buckets.flatMap(({ panes }) => panes),
        watermark
      )
      schedule()
    },
    entriesOf: (entries, key) => panesOfKey(plan, entries, key),
    size: () => keys.size,
    read: (key) => readKey(plan, paneMs, keys.get(key))
  }
  return state
}

/** A window's records that alone make it give a result. */
const recordsThatGive = ({ everyMs, rolling }: FixedSpec, { panes }: KeyPanes, end: number, cells: Cells): number => {
  if (!rolling) return cells.numbers[0]!
  const newest = panes.filter(({ start }) => start >= end - everyMs && start < end)
  return newest.reduce((sum, { numbers }) => sum + numbers[0]!, 0)
}

/** What people are shown of a key. */
const readKey = (plan: WindowPlan, paneMs: number, keyed: KeyPanes | undefined) => {
  if (keyed === undefined) return undefined
  const panes = keyed.panes.map((pane) => ({
    start: isoOf(pane.start),
    end: isoOf(pane.start + paneMs),
    ...readCells(plan, pane)
  }))
  const revisions = Array.from(keyed.revisions ?? [], ([end, revision]) => ({ window_end: isoOf(end), revision }))
  return { panes, revisions }
}
