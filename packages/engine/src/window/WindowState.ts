/**
 * The panes of one window operator in one shard: taking records in, giving results, forgetting what is over.
 *
 * The running stage asks `paneOf` for each record and adds to what it gets; `fire` gives the results of windows that the
 * watermark has passed, in (end, key) order; epochs take its delta, snapshots its whole. Which panes are over follows from
 * the watermark alone, so deltas hold no removals, and a restore forgets what the run had forgotten.
 */
import type { AnyRecord } from "../flow/Node.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { type Cells, makeCells } from "./Cells.ts"
import { endAfter, type KeyPanes, lastEndOf, type Pane } from "./Pane.ts"
import { decodePanes, encodePanes } from "./PaneCodec.ts"
import { makePaneStore } from "./PaneStore.ts"
import type { WindowPlan } from "./WindowPlan.ts"
import { makeResult } from "./WindowResult.ts"

/** What became of a record instead of, or (`dropped`) beside, going into its pane. */
export type Refusal = "late" | "dropped" | "evicted"

/** Takes a window's result; `end` is the window's. */
export type EmitResult = (record: AnyRecord, end: number) => void

export interface WindowState extends OperatorState {
  /** `fire` has nothing to do below this watermark. */
  nextAt: number
  /** What the last `paneOf` has for the ledger; undefined when all is well. */
  refusal: Refusal | undefined
  /**
   * The pane of a record, which it now counts; undefined when no window takes it. After adding, call `update` if a window
   * of the pane has ended (`pane.firstEnd <= watermark`).
   */
  readonly paneOf: (key: string, eventTime: number, watermark: number) => Pane | undefined
  /** The next revision of each window of the pane that has ended and still takes records. */
  readonly update: (pane: Pane, watermark: number, emit: EmitResult) => void
  /** The results of windows that end at or before the watermark; forgets panes that no window takes records for any more. */
  readonly fire: (watermark: number, emit: EmitResult) => void
  /** The end of input is the end of time: as `fire`, and whatever comes later is late. */
  readonly close: (emit: EmitResult) => void
  /** After the last `load`: how far time had come, and whether it had ended. */
  readonly restored: (watermark: number, closed: boolean) => void
}

export const makeWindowState = (plan: WindowPlan): WindowState => {
  const { spec } = plan
  const { allowedLatenessMs, everyMs, paneMs, sizeMs } = spec
  let changed: Array<Pane> = []
  let revised = new Map<KeyPanes, Set<number>>()
  /** Windows that end at or before it have fired. */
  let fired = Number.NEGATIVE_INFINITY
  let closedAt = Number.NEGATIVE_INFINITY
  const resultOf = makeResult(plan)
  const store = makePaneStore(plan, () => schedule())
  const { buckets, keys } = store

  /** The first window end that has not fired and that a pane lies before. */
  const nextEnd = (): number => {
    for (const { start } of buckets) {
      const end = endAfter(spec, Math.max(start, fired))
      if (end <= lastEndOf(spec, start)) return end
    }
    return Number.POSITIVE_INFINITY
  }
  const schedule = () => {
    const oldest = buckets[0]
    const over = oldest === undefined ? Number.POSITIVE_INFINITY : lastEndOf(spec, oldest.start) + allowedLatenessMs
    state.nextAt = Math.min(nextEnd(), over)
  }

  /** What a window holds: its one pane, or its panes merged. */
  const cellsOf = ({ panes }: KeyPanes, end: number): Cells => {
    const inside = panes.filter(({ start }) => start >= end - sizeMs && start < end)
    if (inside.length === 1) return inside[0]!
    const merged = makeCells(plan.cells)
    for (const pane of inside) {
      merged.numbers[0]! += pane.numbers[0]!
      for (const accumulator of plan.accumulators) accumulator.merge(merged, pane)
    }
    return merged
  }
  const emitWindow = (keyed: KeyPanes, end: number, revision: number, emit: EmitResult, cells = cellsOf(keyed, end)) =>
    emit(resultOf(keyed.key, end, revision, cells), end)

  /** A record that came after its window's end. Only revisions are remembered: a window with records gave its first result. */
  const revise = (keyed: KeyPanes, end: number, emit: EmitResult) => {
    const cells = cellsOf(keyed, end)
    if (cells.numbers[0] === 1) return emitWindow(keyed, end, 0, emit, cells)
    const revisions = (keyed.revisions ??= new Map<number, number>())
    const revision = (revisions.get(end) ?? 0) + 1
    revisions.set(end, revision)
    revised.set(keyed, (revised.get(keyed) ?? new Set()).add(end))
    emitWindow(keyed, end, revision, emit, cells)
  }

  /** Keys with records in the window, in order. */
  const keysIn = (end: number): ReadonlyArray<KeyPanes> => {
    const found: Array<KeyPanes> = []
    for (const { panes, start } of buckets) {
      if (start < end - sizeMs || start >= end) continue
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
      for (const keyed of keysIn(end)) emitWindow(keyed, end, 0, emit)
    }
    fired = Math.max(fired, watermark)
    store.drop(watermark)
    schedule()
  }

  const state: WindowState = {
    name: plan.name,
    nextAt: Number.POSITIVE_INFINITY,
    refusal: undefined,
    paneOf: (key, eventTime, watermark) => {
      const start = Math.floor(eventTime / paneMs) * paneMs
      const time = Math.max(watermark, closedAt)
      state.refusal = undefined
      // no window of the pane ends before the pane
      if (start + paneMs + allowedLatenessMs <= time) {
        if (lastEndOf(spec, start) + allowedLatenessMs <= time) {
          state.refusal = "late"
          return undefined
        }
        if (endAfter(spec, start) + allowedLatenessMs <= time) state.refusal = "dropped"
      }
      // a pane opened now must not fire again what `update` is about to give
      if (watermark > fired) fired = watermark
      const pane = store.pane(key, start)
      if (pane === undefined) {
        state.refusal = "evicted"
        return undefined
      }
      pane.numbers[0]!++
      if (!pane.changed) {
        pane.changed = true
        changed.push(pane)
      }
      return pane
    },
    update: (pane, watermark, emit) => {
      for (let end = pane.firstEnd; end <= watermark && end <= pane.lastEnd; end += everyMs) {
        if (end + allowedLatenessMs > watermark) revise(pane.keyed, end, emit)
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
      for (const pane of changed) pane.changed = false
      changed = []
      revised = new Map()
      return delta
    },
    sweepAndEncode: () =>
      encodePanes(
        plan,
        buckets.flatMap(({ panes }) => panes),
        Array.from(keys.values(), (keyed) => [keyed, keyed.revisions?.keys() ?? []] as const)
      ),
    load: (entries) =>
      decodePanes(plan, entries, store.openPane, (key, end, revision) => {
        const keyed = keys.get(key)
        if (keyed !== undefined) (keyed.revisions ??= new Map<number, number>()).set(end, revision)
      }),
    restored: (watermark, closed) => {
      fired = watermark
      if (closed) closedAt = Number.POSITIVE_INFINITY
      store.drop(Math.max(watermark, closedAt))
      schedule()
    },
    size: () => keys.size
  }
  return state
}
