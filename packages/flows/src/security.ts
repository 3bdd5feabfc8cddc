/**
 * Attempts to log in (system S4's third example): the border that each crosses, and the sequences that look like guessing.
 *
 * Three failed ones from an address within ten minutes are an alert, and so are the next three; three that a success follows
 * within the same time are a worse one, told once. Attempts are put in the order of their times first, so what one system
 * reports late still counts in its place.
 */
import { expr, type Timestamp } from "@frazil/core"
import { Flow, Job, Pattern } from "@frazil/engine"
import { Authentication, type Login, SecurityAlerts } from "@frazil/model"

const minuteMs = 60_000
const withinMinutes = 10
const failuresMin = 3

const failed = Pattern.on(Authentication).begin("failed", expr("result == 'failed'")).times(failuresMin)

const guessing = failed.within(`${withinMinutes}m`, { skip: "skipPastLastEvent" })

const guessed = failed
  .followedBy("success", expr("result == 'success'"))
  .within(`${withinMinutes}m`, { skip: "skipPastLastEvent" })

/** `09:15`, in UTC. */
const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16)

/** The alert of these attempts, the last of which made it one. */
const alert = (
  kind: "failed_logins" | "failed_logins_then_success",
  severity: "high" | "critical",
  failures: ReadonlyArray<Login>,
  last: Login
) => {
  const from: Timestamp = (failures[0] ?? last).timestamp
  return {
    kind,
    ip: last.ip,
    user_id: last.user_id,
    failed_attempts: failures.length,
    time_window: `${clock(from)}-${clock(from + withinMinutes * minuteMs)}`,
    severity,
    event_timestamp: last.timestamp
  }
}

const logins = Flow.from(Authentication)
const byAddress = logins.pipe(Flow.keyBy("ip"))

export const security = Job.make("security", [
  logins.pipe(Flow.validate),
  byAddress.pipe(
    Flow.pattern(guessing, { name: "failed-logins" }),
    Flow.map(({ steps }) => alert("failed_logins", "high", steps.failed, steps.failed.at(-1)!)), // a match has them all
    Flow.to(SecurityAlerts)
  ),
  byAddress.pipe(
    Flow.pattern(guessed, { name: "failed-logins-then-success" }),
    Flow.map(({ steps }) => alert("failed_logins_then_success", "critical", steps.failed, steps.success)),
    Flow.to(SecurityAlerts, { name: "guessed-alerts" })
  )
])
