/**
 * Contract of `session-summaries`: what a user did in one session, once it is over.
 *
 * The sessions job makes it.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

const Names = Schema.Array(Schema.String)

class SessionSummary extends Schema.Opaque<SessionSummary>()(
  Schema.Struct({
    user_id: Field.text(),
    /** Of the first click and of the last. */
    session_start_time: Field.timestamp,
    session_end_time: Field.timestamp,
    clicks: Field.int({ min: 1 }),
    /** Each once, in the order they were come to. */
    products: Field.json(Names),
    categories: Field.json(Names),
    duration_ms: Field.int({ min: 0 })
  })
) {}

export const SessionSummaries = Topic.make("session-summaries", {
  schema: SessionSummary,
  key: "user_id",
  eventTime: "session_end_time"
})
