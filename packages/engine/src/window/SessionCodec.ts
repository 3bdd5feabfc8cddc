/**
 * The durable form of sessions: JSON that costs what changed.
 *
 * Deltas and snapshots have the same form. Removals are not in it: a session takes the place of all that lie in it, and the
 * watermark says what is over.
 */
import { Schema } from "effect"
import { decodeCells, encodeCells, otherShape } from "./CellsCodec.ts"
import type { Session } from "./Session.ts"
import type { WindowPlan } from "./WindowPlan.ts"

const Place = Schema.Tuple([
  Schema.String.annotate({ description: "key" }),
  Schema.Finite.annotate({ description: "first record" }),
  Schema.Finite.annotate({ description: "last record" }),
  Schema.Finite.annotate({ description: "results given" }),
  Schema.Boolean.annotate({ description: "the last of them stands" })
])
const Sessions = Schema.Struct({
  shape: Schema.String,
  /** Where it lies, then its records and each aggregate. */
  sessions: Schema.Array(Schema.Tuple([Place, Schema.Array(Schema.Unknown)]))
})

export type EncodedSessions = typeof Sessions.Type

const readSessions = Schema.decodeUnknownSync(Sessions)

export const encodeSessions = (plan: WindowPlan, sessions: Iterable<Session>): EncodedSessions => ({
  shape: plan.shape,
  sessions: Array.from(sessions, (session) => [
    [session.keyed.key, session.start, session.last, session.given, session.stands],
    encodeCells(plan, session)
  ])
})

/** What of the entries is of one key; those of another shape as they are, for `decodeSessions` to refuse. */
export const sessionsOfKey = (plan: WindowPlan, entries: unknown, key: string): unknown => {
  const { sessions, shape } = entries as EncodedSessions // made by encodeSessions, here or before
  return shape === plan.shape ? { shape, sessions: sessions.filter(([[of]]) => of === key) } : entries
}

/** Calls back for a session in each place. Throws when the entries are of another shape, or are none. */
export const decodeSessions = (
  plan: WindowPlan,
  entries: unknown,
  put: (key: string, start: number, last: number) => Session
): void => {
  const { sessions, shape } = readSessions(entries)
  if (shape !== plan.shape) throw otherShape(plan)
  for (const [[key, start, last, given, stands], values] of sessions) {
    const session = put(key, start, last)
    session.given = given
    session.stands = stands
    decodeCells(plan, session, values)
  }
}
