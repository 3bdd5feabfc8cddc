/**
 * What every kind of keyed state can do for epochs and snapshots: `KeyedState` (values), `WindowState` (panes).
 *
 * Entries are JSON; only the state that made them reads them.
 */
export interface OperatorState {
  /** The operator's: its state is found again by it. */
  readonly name: string
  /** What changed since the last call. */
  readonly takeDelta: () => unknown
  /** Everything still alive at `watermark`; forgets the rest. */
  readonly sweepAndEncode: (watermark: number) => unknown
  /** Applies what `takeDelta` or `sweepAndEncode` gave on top of what is loaded. */
  readonly load: (entries: unknown) => void
  /** Keys. */
  readonly size: () => number
}

/** State of another window or other aggregates than the operator has now; the message says what to do. */
export class StateShapeError extends Error {
  override readonly name = "StateShapeError"
}
