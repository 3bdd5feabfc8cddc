/**
 * Contract of `alerts`: what rules found, each with what explains it.
 *
 * `packages/rules` makes them. An alert is the same after a replay: `alert_id` is a hash of the rule, the key and what it
 * matched; a window that is revised keeps its id and counts up its `revision`.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])

const Source = Schema.Struct({ topic: Schema.String, partition: Schema.Finite, offset: Schema.Finite })

class Alert extends Schema.Opaque<Alert>()(
  Schema.Struct({
    alert_id: Field.text({ lengthMax: 64 }),
    rule_id: Field.text({ lengthMax: 64 }),
    rule_version: Field.int({ min: 1 }),
    severity: Field.oneOf(["low", "medium", "high", "critical"]),
    key: Field.text(),
    /** Of the record, or the end of the window. */
    event_timestamp: Field.timestamp,
    window_start: Field.optional(Field.timestamp),
    window_end: Field.optional(Field.timestamp),
    revision: Field.int({ min: 0 }),
    outcome: Field.optional(Field.text()),
    score: Field.optional(Field.int()),
    /** What the condition read, by name: decimals and times as text. Personal data is masked. */
    values: Field.json(Schema.Record(Schema.String, Value)),
    message: Field.text(),
    /** At most 100; `sources_count` is how many there are. */
    sources: Field.json(Schema.Array(Source)),
    sources_count: Field.int({ min: 0 })
  })
) {}

export const Alerts = Topic.make("alerts", { schema: Alert, key: "key", eventTime: "event_timestamp" })
