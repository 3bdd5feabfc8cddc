/**
 * The open sessions of a window operator on disk: those of a key as one entry, and when each key is looked at next.
 *
 * What is due lies in a second store by pieces of time (`store/DueKeys.ts`). **Bounds**: the stores'; the keys that are due
 * within one piece of time, a 64th of the gap.
 */
import type { DiskStore } from "../flow/Node.ts"
import { makeDueKeys, shareOfDue, sumOfCounts } from "../store/DueKeys.ts"
import { EmbeddedStore } from "../store/EmbeddedStore.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { StoredMap } from "../store/StoredMap.ts"
import { indexAfter, type KeySessions, makeSession, type Session } from "./Session.ts"
import type { SessionStore } from "./SessionStore.ts"
import { readStoredCells, storeCells, type StoredCells } from "./StoredCells.ts"
import type { SessionSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** Beside its text: a key's object, its list, a session of a dozen fields and its numbers. */
const keyBytes = 620
const piecesPerGap = 64

type EncodedSession = readonly [
  start: number,
  last: number,
  given: number,
  stands: boolean,
  changed: boolean,
  cells: StoredCells
]
/** Null: no session of it is due. */
type EncodedKey = readonly [key: string, dueAt: number | null, sessions: ReadonlyArray<EncodedSession>]

const encodeKey = (plan: WindowPlan, { dueAt, key, sessions }: KeySessions): EncodedKey => [
  key,
  Number.isFinite(dueAt) ? dueAt : null,
  sessions.map((session): EncodedSession => {
    const { changed, given, last, stands, start } = session
    return [start, last, given, stands, changed, storeCells(plan, session)]
  })
]

const decodeKey = (plan: WindowPlan, [key, dueAt, sessions]: EncodedKey): KeySessions => {
  const keyed: KeySessions = { key, sessions: [], dueAt: dueAt ?? Number.POSITIVE_INFINITY }
  for (const [start, last, given, stands, changed, cells] of sessions) {
    const session = makeSession(keyed, start, last, plan.cells)
    readStoredCells(plan, session, cells)
    keyed.sessions.push(Object.assign(session, { given, stands, changed }))
  }
  return keyed
}

const openMaps = (plan: WindowPlan, { gapMs }: SessionSpec, { cacheBytesMax }: DiskStore, open: OpenStore) => {
  let forgottenAt = Number.NEGATIVE_INFINITY
  const share = shareOfDue(cacheBytesMax)
  return {
    keys: new StoredMap<KeySessions>({
      store: new EmbeddedStore({ ...open(plan.name), over: (time) => time < forgottenAt }),
      cacheBytesMax: share.keys,
      encode: (keyed) => encodeKey(plan, keyed),
      decode: (encoded) => decodeKey(plan, encoded as EncodedKey), // of encodeKey
      entryBytes: keyBytes
    }),
    due: makeDueKeys({
      name: `${plan.name} due`,
      open,
      cacheBytesMax: share.due,
      pieceMs: Math.max(1, Math.floor(gapMs / piecesPerGap))
    }),
    isForgotten: (time: number) => time < forgottenAt,
    forget: (watermark: number) => {
      forgottenAt = Math.max(forgottenAt, watermark)
    }
  }
}

export interface StoredSessionParts {
  readonly dueAt: (session: Session) => number
  readonly open: OpenStore
  readonly store: DiskStore
}

export const makeStoredSessions = (
  plan: WindowPlan,
  spec: SessionSpec,
  { dueAt, open: openStore, store }: StoredSessionParts
): SessionStore => {
  const { allowedLatenessMs, gapMs, openMax, openPerKeyMax } = spec
  const maps = openMaps(plan, spec, store, openStore)
  const { due } = maps
  let changed = new Set<string>()
  let open = 0

  const find = (key: string): KeySessions | undefined => {
    const keyed = maps.keys.get(key)?.value
    return keyed === undefined || keyed.sessions.length === 0 ? undefined : keyed
  }
  /** From then on none of them is there; never earlier than of what it replaces. */
  const overAt = ({ sessions }: KeySessions, before = Number.NEGATIVE_INFINITY) =>
    sessions.reduce((most, { last }) => Math.max(most, last + gapMs + allowedLatenessMs), before)
  const write = (keyed: KeySessions, before?: number) => maps.keys.set(keyed.key, keyed, overAt(keyed, before))

  const insert = (key: string, start: number, last: number): Session => {
    const keyed = find(key) ?? { key, sessions: [], dueAt: Number.POSITIVE_INFINITY }
    const session = makeSession(keyed, start, last, plan.cells)
    keyed.sessions.splice(indexAfter(keyed, start), 0, session)
    open++
    write(keyed)
    return session
  }
  const remove = (session: Session) => {
    const { keyed } = session
    const before = overAt(keyed)
    session.gone = true
    keyed.sessions.splice(keyed.sessions.indexOf(session), 1)
    open--
    write(keyed, before)
  }
  const lookAt = (keyed: KeySessions, at: number) => {
    if (at >= keyed.dueAt) return
    keyed.dueAt = at
    write(keyed)
    due.add(keyed.key, at)
  }
  const schedule = (session: Session) => lookAt(session.keyed, dueAt(session))

  function* takeDue(watermark: number): Iterable<Session> {
    for (let taken = due.take(watermark); taken !== undefined; taken = due.take(watermark)) {
      for (const key of taken.keys) {
        const keyed = find(key)
        // it was put in again for an earlier time, or is gone
        if (keyed === undefined || keyed.dueAt !== taken.at) continue
        keyed.dueAt = Number.POSITIVE_INFINITY
        write(keyed)
        const { at } = taken
        yield* keyed.sessions.filter((session) => dueAt(session) <= at)
        for (const session of find(key)?.sessions.slice() ?? []) if (dueAt(session) > at) schedule(session)
      }
    }
  }

  return {
    find,
    open: (key, time) => {
      if (openMax !== undefined && open >= openMax) return undefined
      if (openPerKeyMax !== undefined && (find(key)?.sessions.length ?? 0) >= openPerKeyMax) return undefined
      return insert(key, time, time)
    },
    put: (key, start, last) => {
      for (const other of find(key)?.sessions.slice() ?? [])
        if (other.start <= last && other.last >= start) remove(other)
      const session = insert(key, start, last)
      // whether its result stands is told later: looking early is enough
      schedule(session)
      return session
    },
    remove,
    changed: (session) => {
      session.changed = true
      changed.add(session.keyed.key)
      write(session.keyed)
    },
    takeChanged: () => {
      const taken: Array<Session> = []
      for (const key of changed) {
        for (const session of find(key)?.sessions ?? []) {
          if (session.changed) taken.push(session)
          session.changed = false
        }
        // what it takes is known when it is told
        maps.keys.told(key)
      }
      changed = new Set()
      return taken
    },
    capture: (kind, encode) => {
      const give = (entries: ReadonlyArray<readonly [key: string, keyed: KeySessions | undefined, time: number]>) => {
        const living = entries.filter(([, , time]) => !maps.isForgotten(time))
        const sessions = living.flatMap(([, keyed]) => keyed?.sessions ?? [])
        return sessions.length === 0 ? undefined : encode(sessions)
      }
      return maps.keys.capture(kind, { ofStore: give, ofCache: give })
    },
    restored: (isOver, watermark) => {
      const open: Array<Session> = []
      // what is over gave its results; of these no change tells, since it is forgotten
      for (const session of takeDue(watermark)) {
        if (isOver(session)) remove(session)
        else open.push(session)
      }
      for (const { keyed, start } of open)
        for (const session of find(keyed.key)?.sessions.slice() ?? []) if (session.start === start) schedule(session)
      maps.forget(watermark)
    },
    schedule,
    nextAt: due.nextAt,
    takeDue,
    forget: maps.forget,
    size: () => open,
    stored: () => sumOfCounts(maps.keys.counts(), due.counts()),
    discard: () => {
      maps.keys.close()
      due.close()
    }
  }
}
