/**
 * Query 11: how many bids a bidder made in each session, which ends with a pause of more than 10 seconds.
 *
 * As Flink has sessions: a bid is late when the session that it would be in is over, however late it is itself.
 * `Window.session` drops a bid by its own time instead, so that sessions do not depend on the order of arrival.
 */
import { Field, Timestamp, Topic } from "@frazil/core"
import { Flow, State } from "@frazil/engine"
import { Schema } from "effect"
import type { Query } from "../Query.ts"
import { recordsMax, span } from "../Span.ts"

class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    bidder: Field.int(),
    bid_count: Field.int(),
    starttime: Field.timestamp,
    endtime: Field.timestamp
  })
) {}
const Rows = Topic.make("nexmark-q11", { schema: Row, key: undefined, partitions: 1 })

const gapMs = 10_000

const Session = Schema.Struct({ start: Schema.Finite, end: Schema.Finite, bids: Schema.Finite })
type Session = typeof Session.Type

const declaration = {
  name: "sessions",
  states: {
    open: State.value({
      schema: Schema.Array(Session),
      initial: (): ReadonlyArray<Session> => [],
      ttl: span
    })
  },
  timersPerKeyMax: recordsMax,
  timersMax: recordsMax,
  keysMax: recordsMax
} as const

/** Two that only touch are one. */
const joined = (sessions: ReadonlyArray<Session>, one: Session): readonly [Session, ReadonlyArray<Session>] => {
  let all = one
  const others: Array<Session> = []
  for (const each of sessions) {
    if (each.start > one.end || each.end < one.start) others.push(each)
    else
      all = {
        start: Math.min(all.start, each.start),
        end: Math.max(all.end, each.end),
        bids: all.bids + each.bids
      }
  }
  return [all, others]
}

export const q11: Query = {
  name: "q11",
  asks: "bids of each session of a bidder",
  keyedBy: "person",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.keyBy("person"),
      Flow.process(declaration, {
        onRecord: (_bid, { eventTime, states: { open }, timers, watermark }): ReadonlyArray<Row> => {
          const sessions = open.get()
          const [session, others] = joined(sessions, { start: eventTime, end: eventTime + gapMs, bids: 1 })
          if (session.end <= watermark) return []
          for (const { end } of sessions) timers.event.delete(end)
          open.set([...others, session])
          for (const { end } of [...others, session]) timers.event.set(end)
          return []
        },
        onTimer: ({ time }, { key, states: { open } }): ReadonlyArray<Row> => {
          const sessions = open.get()
          open.set(sessions.filter(({ end }) => end > time))
          return sessions
            .filter(({ end }) => end <= time)
            .map(({ bids, end, start }) => ({
              bidder: key.person,
              bid_count: bids,
              starttime: Timestamp.make(start),
              endtime: Timestamp.make(end)
            }))
        }
      }),
      Flow.to(Rows)
    )
}
