/**
 * Sessions by key: from the first record to the last, with no pause longer than the gap. Those of a key never overlap.
 */
import type { Listed } from "../state/Capture.ts"
import { type Cells, makeCells } from "./Cells.ts"
import type { SessionSpec } from "./Window.ts"

export interface Session extends Cells, Listed {
  readonly keyed: KeySessions
  /** Times of its first and last record. */
  start: number
  last: number
  /** Results given of the window that begins at its start, those that take another back included. */
  given: number
  /** The last of them stands: what it says is what the session holds. */
  stands: boolean
  /** −Infinity when the record that came last gives results, else Infinity. */
  firstEnd: number
  /** Since the last delta. */
  changed: boolean
  /** Part of another, or forgotten. */
  gone: boolean
  /** When the watermark is to be compared with it next. */
  dueAt: number
}

/** What one key has open, by start. */
export interface KeySessions {
  readonly key: string
  readonly sessions: Array<Session>
  /** On disk: when one of them is to be looked at next. */
  dueAt: number
}

export const makeSession = (keyed: KeySessions, start: number, last: number, cells: number): Session => ({
  ...makeCells(cells),
  keyed,
  start,
  last,
  given: 0,
  stands: false,
  firstEnd: Number.POSITIVE_INFINITY,
  changed: false,
  gone: false,
  listedIn: 0,
  dueAt: Number.POSITIVE_INFINITY
})

/** The index of the first session of the key that begins after a moment. */
export const indexAfter = ({ sessions }: KeySessions, time: number): number => {
  let from = 0
  let to = sessions.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (sessions[middle]!.start <= time) from = middle + 1
    else to = middle
  }
  return from
}

/** The sessions that a record belongs to: one that began before it, one that begins after it, both of them or neither. */
export interface Neighbours {
  readonly before: Session | undefined
  readonly after: Session | undefined
}

/** A record at exactly the end of a session still belongs to it, as in Flink and Kafka Streams. */
export const neighboursOf = (keyed: KeySessions, time: number, { gapMs, maxMs }: SessionSpec): Neighbours => {
  const at = indexAfter(keyed, time)
  const left = keyed.sessions[at - 1]
  const right = keyed.sessions[at]
  // inside a session, a record makes it no longer
  const before = left !== undefined && time - left.last <= gapMs && time - left.start <= maxMs ? left : undefined
  const after = right !== undefined && right.start - time <= gapMs && right.last - time <= maxMs ? right : undefined
  if (before !== undefined && after !== undefined && after.last - before.start > maxMs) {
    return { before, after: undefined }
  }
  return { before, after }
}
