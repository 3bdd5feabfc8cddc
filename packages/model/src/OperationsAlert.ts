/**
 * Contract of `operations-alerts`: something of the system itself left its bounds, or came back into them.
 *
 * Watchers of running jobs write it; a webhook may carry it on.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

class OperationsAlert extends Schema.Opaque<OperationsAlert>()(
  Schema.Struct({
    /** A job, a topic or a table. */
    subject: Field.text(),
    kind: Field.oneOf(["lag", "watermark_delay", "dead_letters", "breaker_open", "checkpoint_age"]),
    state: Field.oneOf(["firing", "cleared"]),
    value: Field.double(),
    threshold: Field.double(),
    /** When this state began. */
    since: Field.timestamp
  })
) {}

export const OperationsAlerts = Topic.make("operations-alerts", {
  schema: OperationsAlert,
  key: "subject",
  eventTime: "since"
})
