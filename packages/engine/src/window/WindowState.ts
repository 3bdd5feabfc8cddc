/**
 * What the running stage asks of the state of a window operator in one shard, whatever kind of window it is.
 *
 * It asks `paneOf` for each record and adds to what it gets; `fire` gives the results of windows that the watermark has
 * passed, in (end, key) order; epochs take its delta, snapshots its whole. Which windows are over follows from the watermark
 * alone, so deltas hold no removals, and a restore forgets what the run had forgotten.
 */
import type { AnyRecord } from "../flow/Node.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { Cells } from "./Cells.ts"
import { makeFixedState } from "./FixedState.ts"
import { makeOnceState } from "./OnceState.ts"
import { makeSessionState } from "./SessionState.ts"
import { makeStoredFixedState } from "./StoredFixedState.ts"
import type { WindowSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** What became of a record instead of, or (`dropped`) beside, going into its pane. */
export type Refusal = "late" | "dropped" | "evicted"

/** Takes a window's result; `end` is the window's. */
export type EmitResult = (record: AnyRecord, end: number) => void

/** Where a record goes. */
export interface TakenPane extends Cells {
  /** With this watermark, `update` has something to give. */
  readonly firstEnd: number
}

/** Finds panes by the bytes of their key, a text in UTF-8: `paneOf` without making the text. */
export interface PanesByBytes {
  /** As `paneOf` of the key's text; undefined when only that can tell, and nothing has happened yet. */
  readonly paneOf: (
    bytes: DataView,
    start: number,
    end: number,
    eventTime: number,
    watermark: number
  ) => TakenPane | undefined
  /** The last pane that `paneOf` gave is of the key with these bytes. */
  readonly remember: (bytes: DataView, start: number, end: number) => void
}

export interface WindowState extends OperatorState {
  /** `fire` has nothing to do below this watermark. */
  nextAt: number
  /** What the last `paneOf` has for the ledger; undefined when all is well. */
  refusal: Refusal | undefined
  /**
   * The pane of a record, which it now counts; undefined when no window takes it. After adding, call `update` if
   * `pane.firstEnd <= watermark`.
   */
  readonly paneOf: (key: string, eventTime: number, watermark: number) => TakenPane | undefined
  /** Only of windows for which `foundByBytes` holds. */
  readonly byBytes?: PanesByBytes
  /** What the record of the last `paneOf` changes of results: of each window of the pane that has ended and still takes records. */
  readonly update: (watermark: number, emit: EmitResult) => void
  /** The results of windows that end at or before the watermark; forgets panes that no window takes records for any more. */
  readonly fire: (watermark: number, emit: EmitResult) => void
  /** The end of input is the end of time: as `fire`, and whatever comes later is late. */
  readonly close: (emit: EmitResult) => void
  /** After the last `load`: how far time had come, and whether it had ended. */
  readonly restored: (watermark: number, closed: boolean) => void
}

/** Whether the state of the window has `byBytes`, wherever it is made. */
export const foundByBytes = ({ spec, store }: Pick<WindowPlan, "spec" | "store">): boolean =>
  spec._tag !== "Session" && store === undefined

/** `open` makes the store of a window that keeps its state on disk; without it state is in memory whatever is declared. */
export const makeWindowState = (plan: WindowPlan, open?: OpenStore): WindowState => {
  const { spec, store } = plan
  if (spec.once) {
    const strict: WindowSpec = { ...spec, allowedLatenessMs: 0, once: false }
    return makeOnceState(makeWindowState({ ...plan, spec: strict }, open), spec.allowedLatenessMs)
  }
  if (spec._tag === "Session") return makeSessionState(plan, spec, open)
  return store === undefined || open === undefined
    ? makeFixedState(plan, spec)
    : makeStoredFixedState(plan, spec, store, open)
}
