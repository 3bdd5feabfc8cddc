/**
 * The open sessions of a window operator, found by key and time, with when each is due to be looked at.
 *
 * `SessionState` opens, joins and forgets them. **Bounds**: sessions a key and in all; keys without sessions are forgotten.
 */
import { DueHeap } from "../lookup/DueHeap.ts"
import { indexAfter, type KeySessions, makeSession, type Session } from "./Session.ts"
import type { SessionSpec } from "./Window.ts"

export interface SessionStore {
  readonly keys: ReadonlyMap<string, KeySessions>
  /** Undefined when that would be one too many. */
  readonly open: (key: string, time: number) => Session | undefined
  /** Puts a session where it was, whatever the bounds, in place of all that overlap it. */
  readonly put: (key: string, start: number, last: number) => Session
  readonly remove: (session: Session) => void
  /** To be called when `dueAt` says another time of the session. */
  readonly schedule: (session: Session) => void
  readonly nextAt: () => number
  /** Takes those that are due first, in the order of their keys; none when nothing is due at the watermark. Schedule them again. */
  readonly takeDue: (watermark: number) => ReadonlyArray<Session>
}

const byKey = (a: Session, b: Session): number => (a.keyed.key < b.keyed.key ? -1 : 1)

/** `dueAt`: which watermark does something to a session. It grows with each record, so looking early is enough. */
export const makeSessionStore = (
  spec: SessionSpec,
  cells: number,
  dueAt: (session: Session) => number
): SessionStore => {
  const keys = new Map<string, KeySessions>()
  const heap = new DueHeap<Session>()
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
    const keyed: KeySessions = { key, sessions: [] }
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

  return {
    keys,
    open: (key, time) => {
      if (open >= spec.openMax || (keys.get(key)?.sessions.length ?? 0) >= spec.openPerKeyMax) return undefined
      return insert(keyedOf(key), time, time)
    },
    put: (key, start, last) => {
      for (const other of keys.get(key)?.sessions.slice() ?? []) {
        if (other.start <= last && other.last >= start) remove(other)
      }
      return insert(keyedOf(key), start, last)
    },
    remove,
    schedule,
    nextAt: () => heap.nextAtMs(),
    takeDue: (watermark) => {
      while (heap.length() > 0 && heap.nextAtMs() <= watermark) {
        const found = takeFirst(heap.nextAtMs())
        if (found.length > 0) return found.sort(byKey)
      }
      return []
    }
  }
}
