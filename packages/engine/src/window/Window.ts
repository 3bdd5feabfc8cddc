/**
 * Windows as values: how long, how often, and how long a window that ended still takes late records.
 *
 * `Flow.window` takes one. Windows lie on the epoch in UTC: a day begins at 00:00Z, whatever the place. Event-time windows
 * fire by the watermark; processing-time ones answer differently each time they run, so they must be declared operational.
 */
import { durationMs, type DurationText } from "@frazil/core"

export interface WindowBounds {
  /** Panes or sessions that one key may have open; a record that needs one more goes to the ledger as `evicted`. Default 10,000, on disk none. */
  readonly windowsOpenPerKeyMax?: number
  /** Those that all keys of a partition may have open together, likewise. Default 1,000,000, on disk none. */
  readonly windowsOpenMax?: number
}

export interface EventWindowOptions extends WindowBounds {
  /** So long after its end by the watermark a window still takes records, each with an updated result. `"0s"`: not at all. */
  readonly allowedLateness: DurationText
  /** One result of each window, when the lateness has passed, instead of one at its end and revisions: for what must not count a window twice. */
  readonly once?: true
}

export interface FixedWindowOptions extends EventWindowOptions {
  /**
   * Results before the end, so often by the watermark, of windows that records came for since the last one. Such a result
   * has `early: true`; the window's next is a revision of it.
   */
  readonly early?: DurationText
}

export interface SessionOptions extends EventWindowOptions {
  /** From its first record to its last a session is at most so long: a record that would make it longer begins another. */
  readonly max: DurationText
  readonly early?: never
}

interface CommonSpec {
  readonly allowedLatenessMs: number
  /** The first result waits until the lateness has passed, and is the only one. */
  readonly once: boolean
  /** As they were given. */
  readonly openPerKeyMax: number | undefined
  readonly openMax: number | undefined
}

/** Windows that lie where the clock says. A pane is the longest piece that all of them are made of. */
export interface FixedSpec extends CommonSpec {
  readonly _tag: "Fixed"
  readonly sizeMs: number
  /** A window begins at each multiple of it. */
  readonly everyMs: number
  readonly paneMs: number
  /** Only windows whose newest records lie in their last `everyMs` give results. */
  readonly rolling: boolean
  /** Undefined: no results before the end. */
  readonly earlyMs: number | undefined
  /** By the clock; `because` says why that is good enough. Undefined: by event time. */
  readonly processing: { readonly because: string | undefined } | undefined
}

/** Windows that lie where the records of a key say. */
export interface SessionSpec extends CommonSpec {
  readonly _tag: "Session"
  readonly gapMs: number
  readonly maxMs: number
}

/** What the engine reads of a window. */
export type WindowSpec = FixedSpec | SessionSpec

/**
 * What results a window gives: `final` ones and their revisions; `early` ones besides, marked by a field `early`; or
 * `retractable` ones, which a field `retracted` takes back when the window becomes part of another.
 */
export type Results = "final" | "early" | "retractable"

/** The fields beside the revision that only results of such a window have. */
export const markOf = (spec: WindowSpec): ReadonlyArray<"early" | "retracted"> => {
  if (spec._tag === "Session") return spec.once ? [] : ["retracted"]
  return spec.earlyMs === undefined ? [] : ["early"]
}

/** A window by event time, or by the clock. */
export interface Window<out Time extends "event" | "processing", out Given extends Results = "final"> {
  readonly time: Time
  readonly results: Given
  readonly spec: WindowSpec
}

/** Of state in memory. */
export const openPerKeyMaxDefault = 10_000
export const openMaxDefault = 1_000_000

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

const boundsOf = (bounds: WindowBounds) => ({
  openPerKeyMax: bounds.windowsOpenPerKeyMax,
  openMax: bounds.windowsOpenMax
})

const specOf = (sizeMs: number, everyMs: number, allowedLatenessMs: number, bounds: WindowBounds): FixedSpec => ({
  _tag: "Fixed",
  sizeMs,
  everyMs,
  paneMs: gcd(sizeMs, everyMs),
  allowedLatenessMs,
  once: false,
  rolling: false,
  earlyMs: undefined,
  ...boundsOf(bounds),
  processing: undefined
})

type TakenBackBy<O> = O extends { readonly once: true } ? "final" : "retractable"
type GivenBy<O> = O extends { readonly early: DurationText } ? "early" : "final"

const fixed = <const O extends FixedWindowOptions>(
  sizeMs: number,
  everyMs: number,
  options: O,
  rolling = false
): Window<"event", GivenBy<O>> => ({
  time: "event",
  // what the type says of the same options
  results: (options.early === undefined ? "final" : "early") as GivenBy<O>,
  spec: {
    ...specOf(sizeMs, everyMs, durationMs(options.allowedLateness), options),
    rolling,
    once: options.once ?? false,
    earlyMs: options.early === undefined ? undefined : durationMs(options.early)
  }
})

/** One window after the other: `Window.tumbling("5 minutes", { allowedLateness: "5 minutes" })`. */
const tumbling = <const O extends FixedWindowOptions>(size: DurationText, options: O): Window<"event", GivenBy<O>> =>
  fixed(durationMs(size), durationMs(size), options)

/** A window of `size` begins every `every`: an hour of history, anew every five minutes. */
const hopping = <const O extends FixedWindowOptions & { readonly every: DurationText }>(
  size: DurationText,
  options: O
): Window<"event", GivenBy<O>> => fixed(durationMs(size), durationMs(options.every), options)

/**
 * Hopping windows that give a result only when records came for their last `every`: 30 days of history at the end of each
 * day on which something happened. So a record makes one result, where `hopping` makes one for each window it is in.
 */
const rolling = <const O extends FixedWindowOptions & { readonly every: DurationText }>(
  size: DurationText,
  options: O
): Window<"event", GivenBy<O>> => fixed(durationMs(size), durationMs(options.every), options, true)

/**
 * Records of a key with no pause longer than `gap` between them; it ends `gap` after its last record, which still belongs
 * to it when it comes at that very moment. Later records may prolong or join sessions that gave a result: see
 * `retracted` of the result.
 */
const session = <const O extends SessionOptions>(gap: DurationText, options: O): Window<"event", TakenBackBy<O>> => ({
  time: "event",
  // what the type says of the same options
  results: (options.once === true ? "final" : "retractable") as TakenBackBy<O>,
  spec: {
    _tag: "Session",
    gapMs: durationMs(gap),
    maxMs: durationMs(options.max),
    once: options.once ?? false,
    allowedLatenessMs: durationMs(options.allowedLateness),
    ...boundsOf(options)
  }
})

/** Whether windows lie and end by the clock. */
export const isClocked = (spec: WindowSpec): boolean => spec._tag === "Fixed" && spec.processing !== undefined

const processing = (sizeMs: number, everyMs: number, bounds: WindowBounds): Window<"processing"> => ({
  time: "processing",
  results: "final",
  spec: { ...specOf(sizeMs, everyMs, 0, bounds), processing: { because: undefined } }
})

/** One window after the other by the clock. Only for operations: see `operational`. */
const processingTumbling = (size: DurationText, bounds: WindowBounds = {}): Window<"processing"> =>
  processing(durationMs(size), durationMs(size), bounds)

/** A window of `size` begins every `every`, by the clock. Only for operations: see `operational`. */
const processingHopping = (
  size: DurationText,
  { every, ...bounds }: WindowBounds & { readonly every: DurationText }
): Window<"processing"> => processing(durationMs(size), durationMs(every), bounds)

/** Declares that answers which differ from run to run are good enough, and why. */
const operational = (window: Window<"processing">, { because }: { readonly because: string }): Window<"event"> => {
  const { spec } = window
  return {
    time: "event",
    results: "final",
    spec: spec._tag === "Fixed" ? { ...spec, processing: { because } } : spec
  }
}

export const Window = {
  tumbling,
  hopping,
  rolling,
  session,
  processing: { tumbling: processingTumbling, hopping: processingHopping },
  operational
} as const
