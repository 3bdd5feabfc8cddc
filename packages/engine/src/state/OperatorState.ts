/**
 * What every kind of keyed state can do for epochs and snapshots: `KeyedState` (values), `WindowState` (panes).
 *
 * Entries are JSON; only the state that made them reads them.
 */
import type { StoredCounts } from "../store/StoredMap.ts"
import type { RawBytes } from "./RawBytes.ts"
import type { Capture, CaptureKind } from "./Capture.ts"

export interface OperatorState {
  /** The operator's: its state is found again by it. */
  readonly name: string
  /**
   * What changed since the last call. Values are absolute, so that the last one of an entry is what it is. Bytes of records may go
   * into `raw`, where they lie as they are.
   */
  readonly takeDelta: (raw: RawBytes) => unknown
  /**
   * Begins to give what a snapshot holds; `Capture.ts` has the contract. Called at an epoch's end, when `takeDelta` has given
   * all changes. Of an entry that is over at `watermark` nothing is given, and it may be forgotten.
   */
  readonly capture: (kind: CaptureKind, watermark: number) => Capture
  /** Applies what `takeDelta` or a capture gave on top of what is loaded; `raw`: what the delta had beside it. */
  readonly load: (entries: unknown, raw?: Uint8Array) => void
  /** What of such entries is of the key with that text: who reads one key need not hold the others. */
  readonly entriesOf?: (entries: unknown, key: string) => unknown
  /** Of state on disk: what it takes there and in memory. */
  readonly stored?: () => StoredCounts
  /** Lets go what it has on disk; it is not asked again. */
  readonly discard?: () => void
  /** Keys. */
  readonly size: () => number
  /**
   * What it holds of the key with that text, as JSON for people; undefined when that is nothing. What is over by the watermark
   * is left out. What records and code put into it stands under `record`, `value`, `values` and `key` alone, so that these can
   * be masked.
   */
  readonly read?: (key: string, watermark: number) => object | undefined
}

/** State of another window or other aggregates than the operator has now; the message says what to do. */
export class StateShapeError extends Error {
  override readonly name = "StateShapeError"
}
