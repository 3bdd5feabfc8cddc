/**
 * The open sessions of a window operator, found by key and time, with when each is due to be looked at; in memory.
 *
 * `SessionState` opens, joins and forgets them. **Bounds**: sessions a key and in all; keys without sessions are forgotten.
 * `StoredSessions.ts` has those on disk.
 */
import { DueHeap } from "../lookup/DueHeap.ts"
import { type Capture, type CaptureKind, ChangeList, inPieces } from "../state/Capture.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { indexAfter, type KeySessions, makeSession, type Session } from "./Session.ts"
import { openMaxDefault, openPerKeyMaxDefault, type SessionSpec } from "./Window.ts"

export interface SessionStore {
  /** Of a key; whoever changes some of them in place calls `changed` or `remove` for these before the next call. */
  readonly find: (key: string) => KeySessions | undefined
  /** Undefined when that would be one too many. */
  readonly open: (key: string, time: number) => Session | undefined
  /** Puts a session where it was, whatever the bounds, in place of all that overlap it. */
  readonly put: (key: string, start: number, last: number) => Session
  readonly remove: (session: Session) => void
  /** It is part of the next delta; it may be changed in place up to the next call. */
  readonly changed: (session: Session) => void
  /** Those that changed since the last call and are there. */
  readonly takeChanged: () => ReadonlyArray<Session>
  readonly capture: (kind: CaptureKind, encode: (sessions: ReadonlyArray<Session>) => unknown) => Capture
  /** After the last `put`: forgets those that are over by the watermark. */
  readonly restored: (isOver: (session: Session) => boolean, watermark: number) => void
  /** To be called when `dueAt` says another time of the session. */
  readonly schedule: (session: Session) => void
  /** Nothing is due before. */
  readonly nextAt: () => number
  /** Takes what is due at the watermark one by one, by time and key. Schedule each again, or remove it, before the next one. */
  readonly takeDue: (watermark: number) => Iterable<Session>
  /** Nothing that is over at the watermark is asked for again. */
  readonly forget: (watermark: number) => void
  readonly size: () => number
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

const byKey = (a: Session, b: Session): number => (a.keyed.key < b.keyed.key ? -1 : 1)

/** `dueAt`: which watermark does something to a session. It grows with each record, so looking early is enough. */
export const makeSessionStore = (
  spec: SessionSpec,
  cells: number,
  dueAt: (session: Session) => number
): SessionStore => {
  const { openMax = openMaxDefault, openPerKeyMax = openPerKeyMaxDefault } = spec
  const keys = new Map<string, KeySessions>()
  const heap = new DueHeap<Session>()
  const since = new ChangeList<Session>((session) => !session.gone)
  let changed: Array<Session> = []
  let open = 0

  const insert = (keyed: KeySessions, start: number, last: number): Session => {
    const session = makeSession(keyed, start, last, cells)
    keyed.sessions.splice(indexAfter(keyed, start), 0, session)
    open++
    return session
  }
  const keyedOf = (key: string): KeySessions => {
    const known = keys.get(key)
    if (known !== undefined) return known
    const keyed: KeySessions = { key, sessions: [], dueAt: Number.POSITIVE_INFINITY }
    keys.set(key, keyed)
    return keyed
  }
  const remove = (session: Session) => {
    const { key, sessions } = session.keyed
    session.gone = true
    sessions.splice(sessions.indexOf(session), 1)
    open--
    if (sessions.length === 0) keys.delete(key)
  }

  const schedule = (session: Session) => {
    const at = dueAt(session)
    if (at >= session.dueAt) return
    session.dueAt = at
    heap.add(session, at)
  }
  /** Those that are due at the moment when the heap's first are. */
  const takeFirst = (at: number): Array<Session> => {
    const found: Array<Session> = []
    for (let next = heap.take(at); next !== undefined; next = heap.take(at)) {
      // it was put in again for an earlier time, or is gone
      if (next.gone || next.dueAt !== at) continue
      next.dueAt = Number.POSITIVE_INFINITY
      if (dueAt(next) > at) schedule(next)
      else found.push(next)
    }
    return found
  }
  function* takeDue(watermark: number): Iterable<Session> {
    while (heap.length() > 0 && heap.nextAtMs() <= watermark) yield* takeFirst(heap.nextAtMs()).sort(byKey)
  }

  return {
    find: (key) => keys.get(key),
    open: (key, time) => {
      if (open >= openMax || (keys.get(key)?.sessions.length ?? 0) >= openPerKeyMax) return undefined
      return insert(keyedOf(key), time, time)
    },
    put: (key, start, last) => {
      for (const other of keys.get(key)?.sessions.slice() ?? []) {
        if (other.start <= last && other.last >= start) remove(other)
      }
      return insert(keyedOf(key), start, last)
    },
    remove,
    changed: (session) => {
      if (session.changed) return
      session.changed = true
      changed.push(session)
    },
    takeChanged: () => {
      const taken = changed
      for (const session of taken) {
        session.changed = false
        since.add(session)
      }
      changed = []
      return taken.filter((session) => !session.gone)
    },
    capture: (kind, encode) => {
      const listed = since.take()
      if (kind === "base")
        return inPieces(keys.values(), keys.size, (some) => encode(some.flatMap(({ sessions }) => sessions)))
      // one that is gone is part of another that changed, or over
      return inPieces(listed, listed.length, (some) => encode(some.filter((session) => !session.gone)))
    },
    restored: (isOver) => {
      for (const { sessions } of Array.from(keys.values())) {
        for (const session of sessions.slice()) {
          if (isOver(session)) remove(session)
          else schedule(session)
        }
      }
    },
    schedule,
    nextAt: () => heap.nextAtMs(),
    takeDue,
    forget: () => {},
    size: () => keys.size
  }
}
