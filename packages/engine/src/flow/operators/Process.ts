/** `Flow.process`: code over the states and timers of a key. */
import type { Types } from "effect"
import type { FiredTimer, ProcessingTimers, ProcessSpec, TimerSetter } from "../../keyed/ProcessSpec.ts"
import type { State } from "../../keyed/State.ts"
import { type Flow, fromNode } from "../Flow.ts"
import type { Keyed } from "../Refusals.ts"
import { type KeysKept, keysKept } from "../Store.ts"

type States = Readonly<Record<string, State<unknown>>>

/** Answers that differ from run to run are good enough, and why. */
interface Operational {
  readonly because: string
}

export type ProcessDeclaration<S extends States, O extends Operational | undefined> = KeysKept & {
  /** The operator's stable name: its state is found again by it after a restart. */
  readonly name: string
  readonly states: S
  /** Allows timers by the clock, which fire differently each time the job runs. */
  readonly operational?: O
  /** Timers of a key, in both domains. Default 100. */
  readonly timersPerKeyMax?: number
  /** Timers of a partition, which are in memory wherever states are. Default 1,000,000. */
  readonly timersMax?: number
}

type HandleOf<T> = T extends State<infer H> ? H : never

export interface ProcessContext<K, S extends States, O extends Operational | undefined> {
  readonly key: K
  /** The record's event time, or the timer's; of a timer by the clock, the watermark. Epoch milliseconds. */
  readonly eventTime: number
  /** Before the record, or the timer's time. Epoch milliseconds; −Infinity at the start. */
  readonly watermark: number
  readonly states: { readonly [P in keyof S]: HandleOf<S[P]> }
  readonly timers: { readonly event: TimerSetter } & (undefined extends O
    ? Record<never, never>
    : { readonly processing: ProcessingTimers })
}

/** What `onTimer` is told. */
export type TimerOf<O extends Operational | undefined> = undefined extends O
  ? FiredTimer & { readonly domain: "event" }
  : FiredTimer

export interface Handlers<A, K, S extends States, O extends Operational | undefined, B extends object> {
  readonly onRecord: (record: A, context: ProcessContext<K, S, O>) => Iterable<B>
  readonly onTimer?: (timer: TimerOf<O>, context: ProcessContext<K, S, O>) => Iterable<B>
}

const timersPerKeyMaxDefault = 100
const timersMaxDefault = 1_000_000

/**
 * Runs code for each record of a key, over states of that key, and for each timer that it sets; what it gives flows on.
 *
 * A timer in event time fires when the watermark has come to it, in the order of (time, key), before the next record; one
 * that is set for a time that has come, right behind its record. A timer by the clock fires at the task's first turn at or
 * after its time; a restart fires those that came due meanwhile. A timer is set once for each key and time, and fires once.
 * At the end of a bounded input those in event time fire; what they set then does not, and those by the clock stay.
 *
 * Late records come like all others; `context.watermark` tells. What code throws at goes to the dead letter as
 * `operator_failed`, and what it wrote and set before is taken back.
 *
 * **Delivery**: what code gives is there once, in the epoch of the record or of the time that brought it. **Order**: that of
 * the log; of timers (time, key). **Bounds**: `entriesMax` of lists and maps and `timersPerKeyMax`, one more throws;
 * `timersMax` likewise; `keysMax`, on disk none; each state's `ttl`, by event time, judged when read. **Gotchas**: code must be a pure
 * function of its arguments, and leave values that it reads as they are; handles are of use only while it runs.
 */
export const process =
  <A, E, R, K, const S extends States, B extends object, const O extends Operational | undefined = undefined>(
    declaration: ProcessDeclaration<S, O> & Keyed<K>,
    handlers: Handlers<NoInfer<A>, NoInfer<K>, NoInfer<S>, NoInfer<O>, B>
  ) =>
  (self: Flow<A, E, R, K>): Flow<Types.Simplify<B>, E, R> => {
    const { name, operational, states, timersMax, timersPerKeyMax } = declaration
    const { keysMax, ...kept } = keysKept(declaration)
    const spec: ProcessSpec = {
      states: Object.entries(states).map(([state, { spec }]) => [state, spec] as const),
      timersPerKeyMax: timersPerKeyMax ?? timersPerKeyMaxDefault,
      timersMax: timersMax ?? timersMaxDefault,
      keysMax,
      operational,
      // records, keys and states are held untyped; `self` and the declaration say what they are
      onRecord: handlers.onRecord as unknown as ProcessSpec["onRecord"],
      onTimer: handlers.onTimer as unknown as ProcessSpec["onTimer"] // likewise
    }
    return fromNode({ op: "process", name, inputs: [self.node], spec, ...kept })
  }
