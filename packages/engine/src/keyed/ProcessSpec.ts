/** A process function as the engine reads it: its states, its code, its bounds. `Flow.process` makes it. */
import type { AnyRecord } from "../flow/Node.ts"
import type { StateSpec } from "./State.ts"

/** When a timer was set for. */
export interface FiredTimer {
  readonly domain: "event" | "processing"
  /** Epoch milliseconds. */
  readonly time: number
}

/** What sets timers of the key, in one domain of time; times are epoch milliseconds. */
export interface TimerSetter {
  /** A timer that is set already stays one. Throws when the key, or the partition, would have too many. */
  readonly set: (time: number) => void
  readonly delete: (time: number) => void
}

export interface ProcessingTimers extends TimerSetter {
  /** The clock at the task's turn: records of one batch see one time. */
  readonly now: () => number
}

/** What the code of a process function is given. */
export interface ProcessContextShape {
  readonly key: AnyRecord
  readonly eventTime: number
  readonly watermark: number
  readonly states: Readonly<Record<string, unknown>>
  readonly timers: { readonly event: TimerSetter; readonly processing: ProcessingTimers }
}

export interface ProcessSpec {
  readonly states: ReadonlyArray<readonly [name: string, StateSpec]>
  readonly timersPerKeyMax: number
  readonly timersMax: number
  readonly keysMax: number
  /** It goes by the clock, and why that is good enough. */
  readonly operational: { readonly because: string } | undefined
  readonly onRecord: (record: AnyRecord, context: ProcessContextShape) => Iterable<AnyRecord>
  readonly onTimer: ((timer: FiredTimer, context: ProcessContextShape) => Iterable<AnyRecord>) | undefined
}
