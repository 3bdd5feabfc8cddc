/**
 * Windows as values: how long, how often, and how long a window that ended still takes late records.
 *
 * `Flow.window` takes one. Windows lie on the epoch in UTC: a day begins at 00:00Z, whatever the place. Event-time windows
 * fire by the watermark; processing-time ones answer differently each time they run, so they must be declared operational.
 */
import { durationMs, type DurationText } from "@frazil/core"

export interface WindowBounds {
  /** Panes that one key may have open; a record that needs one more goes to the ledger as `evicted`. Default 10,000. */
  readonly windowsOpenPerKeyMax?: number
  /** Panes that all keys of a partition may have open together, likewise. Default 1,000,000. */
  readonly windowsOpenMax?: number
}

export interface EventWindowOptions extends WindowBounds {
  /** So long after its end by the watermark a window still takes records, each with an updated result. `"0s"`: not at all. */
  readonly allowedLateness: DurationText
}

/** What the engine reads of a window. A pane is the longest piece that all windows are made of. */
export interface WindowSpec {
  readonly sizeMs: number
  /** A window begins at each multiple of it. */
  readonly everyMs: number
  readonly paneMs: number
  readonly allowedLatenessMs: number
  readonly openPerKeyMax: number
  readonly openMax: number
  /** By the clock; `because` says why that is good enough. Undefined: by event time. */
  readonly processing: { readonly because: string | undefined } | undefined
}

/** A window by event time, or by the clock. */
export interface Window<out Time extends "event" | "processing"> {
  readonly time: Time
  readonly spec: WindowSpec
}

const openPerKeyMaxDefault = 10_000
const openMaxDefault = 1_000_000

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

const specOf = (sizeMs: number, everyMs: number, allowedLatenessMs: number, bounds: WindowBounds): WindowSpec => ({
  sizeMs,
  everyMs,
  paneMs: gcd(sizeMs, everyMs),
  allowedLatenessMs,
  openPerKeyMax: bounds.windowsOpenPerKeyMax ?? openPerKeyMaxDefault,
  openMax: bounds.windowsOpenMax ?? openMaxDefault,
  processing: undefined
})

/** One window after the other: `Window.tumbling("5 minutes", { allowedLateness: "5 minutes" })`. */
const tumbling = (size: DurationText, options: EventWindowOptions): Window<"event"> => {
  const sizeMs = durationMs(size)
  return { time: "event", spec: specOf(sizeMs, sizeMs, durationMs(options.allowedLateness), options) }
}

/** A window of `size` begins every `every`: an hour of history, anew every five minutes. */
const hopping = (
  size: DurationText,
  options: EventWindowOptions & { readonly every: DurationText }
): Window<"event"> => ({
  time: "event",
  spec: specOf(durationMs(size), durationMs(options.every), durationMs(options.allowedLateness), options)
})

/** One window after the other by the clock. Only for operations: see `operational`. */
const processingTumbling = (size: DurationText, bounds: WindowBounds = {}): Window<"processing"> => {
  const sizeMs = durationMs(size)
  return {
    time: "processing",
    spec: { ...specOf(sizeMs, sizeMs, 0, bounds), processing: { because: undefined } }
  }
}

/** Declares that answers which differ from run to run are good enough, and why. */
const operational = (window: Window<"processing">, { because }: { readonly because: string }): Window<"event"> => ({
  time: "event",
  spec: { ...window.spec, processing: { because } }
})

export const Window = { tumbling, hopping, processing: { tumbling: processingTumbling }, operational } as const
