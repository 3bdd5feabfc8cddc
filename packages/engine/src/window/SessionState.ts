/**
 * The sessions of one window operator in one shard: taking records in, joining sessions, giving results and taking them back.
 *
 * Lateness is judged by the record alone: late is what lies before the watermark less the allowed lateness (protocol, rule
 * 19). So a session is complete when the watermark is beyond its end, and over when it is beyond that by the lateness: then
 * no record on time can reach it. Its result is named by its key and start. A record that reaches a session which gave one
 * makes the next revision, when the session still begins there and is still complete; otherwise the result is taken back:
 * told once more, `retracted`.
 */
import { isoOf } from "../state/PlainJson.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { decodeSessions, encodeSessions, sessionsOfKey } from "./SessionCodec.ts"
import { makeSessionStore, type SessionStore } from "./SessionStore.ts"
import { neighboursOf, type Session } from "./Session.ts"
import { mergeCells } from "./Sliding.ts"
import { makeStoredSessions } from "./StoredSessions.ts"
import type { SessionSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"
import { makeResult, readCells } from "./WindowResult.ts"
import type { EmitResult, WindowState } from "./WindowState.ts"
import type { AnyRecord } from "../flow/Node.ts"

/** Beyond a moment, no further than the next that a timestamp can hold. */
const halfMicrosecondMs = 0.0005

/** `open` makes the store of sessions that are on disk; without it they are in memory whatever is declared. */
export const makeSessionState = (plan: WindowPlan, spec: SessionSpec, open?: OpenStore): WindowState => {
  const { allowedLatenessMs, gapMs } = spec
  const dueAt = ({ last, stands }: Session) => {
    const end = last + gapMs
    return (stands ? end + allowedLatenessMs : end) + halfMicrosecondMs
  }
  const store: SessionStore =
    plan.store === undefined || open === undefined
      ? makeSessionStore(spec, plan.cells, dueAt)
      : makeStoredSessions(plan, spec, { dueAt, open, store: plan.store })
  const resultOf = makeResult(plan)
  let closedAt = Number.NEGATIVE_INFINITY
  /** Where the last record went, and what it took back. */
  let taken: Session | undefined
  let takenBack: Array<{ readonly record: AnyRecord; readonly end: number }> = []

  const isComplete = ({ last }: Session, watermark: number) => last + gapMs < watermark
  const isOver = ({ last }: Session, watermark: number) => last + gapMs + allowedLatenessMs < watermark

  const markChanged = (session: Session) => store.changed(session)
  const schedule = (session: Session) => {
    store.schedule(session)
    state.nextAt = store.nextAt()
  }

  const nextResult = (session: Session, marked: boolean) => {
    const { keyed, last, start } = session
    const end = last + gapMs
    session.stands = !marked
    markChanged(session)
    return { record: resultOf(keyed.key, { start, end, revision: session.given++, marked }, session), end }
  }
  const give = (session: Session, emit: EmitResult) => {
    const { end, record } = nextResult(session, false)
    emit(record, end)
  }
  const takeBack = (session: Session) => {
    if (session.stands) takenBack.push(nextResult(session, true))
  }

  const absorb = (into: Session, from: Session) => {
    store.remove(from)
    mergeCells(plan, into, from)
    into.last = from.last
  }
  /** The session that a record goes into, prolonged or joined; undefined when it would be one too many. */
  const sessionOf = (key: string, time: number, watermark: number): Session | undefined => {
    const keyed = store.find(key)
    if (keyed === undefined) return store.open(key, time)
    const { after, before } = neighboursOf(keyed, time, spec)
    if (before === undefined && after === undefined) return store.open(key, time)
    if (before === undefined) {
      takeBack(after!)
      after!.start = time
      after!.given = 0
      return after
    }
    const last = Math.max(before.last, time, after?.last ?? time)
    if (last + gapMs >= watermark) takeBack(before)
    if (after !== undefined) {
      takeBack(after)
      absorb(before, after)
    }
    before.last = last
    return before
  }

  const fire = (watermark: number, emit: EmitResult) => {
    for (const session of store.takeDue(watermark)) {
      if (!session.stands) give(session, emit)
      if (isOver(session, watermark)) store.remove(session)
      else schedule(session)
    }
    store.forget(watermark)
    state.nextAt = store.nextAt()
  }

  const state: WindowState = {
    name: plan.name,
    nextAt: Number.POSITIVE_INFINITY,
    refusal: undefined,
    paneOf: (key, eventTime, watermark) => {
      state.refusal = undefined
      if (eventTime < Math.max(watermark, closedAt) - allowedLatenessMs) {
        state.refusal = "late"
        return undefined
      }
      const session = sessionOf(key, eventTime, watermark)
      if (session === undefined) {
        state.refusal = "evicted"
        return undefined
      }
      session.numbers[0]!++
      markChanged(session)
      const gives = takenBack.length > 0 || isComplete(session, watermark)
      session.firstEnd = gives ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
      schedule(session)
      return (taken = session)
    },
    update: (watermark, emit) => {
      for (const { end, record } of takenBack) emit(record, end)
      takenBack = []
      if (!isComplete(taken!, watermark)) return
      give(taken!, emit)
      schedule(taken!)
    },
    fire,
    close: (emit) => {
      fire(Number.POSITIVE_INFINITY, emit)
      closedAt = Number.POSITIVE_INFINITY
    },
    takeDelta: () => encodeSessions(plan, store.takeChanged()),
    capture: (kind) => store.capture(kind, (sessions) => encodeSessions(plan, sessions)),
    load: (entries) => decodeSessions(plan, entries, store.put),
    entriesOf: (entries, key) => sessionsOfKey(plan, entries, key),
    restored: (watermark, closed) => {
      if (closed) closedAt = Number.POSITIVE_INFINITY
      const time = Math.max(watermark, closedAt)
      store.restored((session) => isOver(session, time), time)
      state.nextAt = store.nextAt()
    },
    size: () => store.size(),
    read: (key) => {
      const keyed = store.find(key)
      if (keyed === undefined) return undefined
      const sessions = keyed.sessions.map((session) => ({
        start: isoOf(session.start),
        last: isoOf(session.last),
        results: session.given,
        ...readCells(plan, session)
      }))
      return { sessions }
    },
    ...(store.stored === undefined ? {} : { stored: store.stored }),
    ...(store.discard === undefined ? {} : { discard: store.discard })
  }
  return state
}
