/**
 * Windows that give one result each, when no record can come for them any more: what a window without lateness gives, by a
 * time that is behind the stage's by the allowed lateness.
 *
 * As `suppress(untilWindowCloses)` of Kafka Streams. The record is judged late by the same moment as with revisions.
 */
import type { PanesByBytes, WindowState } from "./WindowState.ts"

/** `inner` takes no late records itself. */
export const makeOnceState = (inner: WindowState, latenessMs: number): WindowState => ({
  name: inner.name,
  get nextAt() {
    return inner.nextAt + latenessMs
  },
  get refusal() {
    return inner.refusal
  },
  paneOf: (key, eventTime, watermark) => inner.paneOf(key, eventTime, watermark - latenessMs),
  ...(inner.byBytes === undefined ? {} : { byBytes: byBytesBehind(inner.byBytes, latenessMs) }),
  update: (watermark, emit) => inner.update(watermark - latenessMs, emit),
  fire: (watermark, emit) => inner.fire(watermark - latenessMs, emit),
  close: inner.close,
  restored: (watermark, closed) => inner.restored(watermark - latenessMs, closed),
  takeDelta: inner.takeDelta,
  capture: (kind, watermark) => inner.capture(kind, watermark - latenessMs),
  load: inner.load,
  size: inner.size,
  ...(inner.read === undefined ? {} : { read: readBehind(inner.read, latenessMs) }),
  ...(inner.entriesOf === undefined ? {} : { entriesOf: inner.entriesOf }),
  ...(inner.stored === undefined ? {} : { stored: inner.stored }),
  ...(inner.discard === undefined ? {} : { discard: inner.discard })
})

const byBytesBehind = (inner: PanesByBytes, latenessMs: number): PanesByBytes => ({
  paneOf: (bytes, start, end, eventTime, watermark) =>
    inner.paneOf(bytes, start, end, eventTime, watermark - latenessMs),
  remember: inner.remember
})

const readBehind =
  (read: NonNullable<WindowState["read"]>, latenessMs: number): NonNullable<WindowState["read"]> =>
  (key, watermark) =>
    read(key, watermark - latenessMs)
