/**
 * Contract of `security-alerts`: what attempts to log in look like an attack, each alert once.
 *
 * The security job writes them. What is about a user rather than an address has no address, and is keyed by the user.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

class SecurityAlert extends Schema.Opaque<SecurityAlert>()(
  Schema.Struct({
    kind: Field.oneOf(["failed_logins", "failed_logins_then_success"]),
    ip: Field.optional(Field.text({ lengthMax: 45 })),
    /** Who was tried last. */
    user_id: Field.text(),
    /** That the pattern counted: it looks no further. */
    failed_attempts: Field.int({ min: 0 }),
    /** From the first attempt on, as long as the pattern looks: `09:15-09:25`, in UTC. */
    time_window: Field.text({ lengthMax: 11 }),
    severity: Field.oneOf(["low", "medium", "high", "critical"]),
    /** Of the last attempt. */
    event_timestamp: Field.timestamp
  })
) {}

export const SecurityAlerts = Topic.make("security-alerts", {
  schema: SecurityAlert,
  key: { field: "ip", else: "user_id" },
  eventTime: "event_timestamp"
})
