/**
 * When a figure of the system is an alert: it fires above its threshold and clears well below it, so that a figure that
 * trembles at the threshold is one alert and not hundreds. Pure.
 *
 * `WatchSystem` judges each look at the system and commits what came of it.
 */

export type AlertKind = "lag" | "watermark_delay" | "dead_letters" | "breaker_open" | "checkpoint_age"

/** One figure at one moment. */
export interface Reading {
  /** A job, a topic or a table. */
  readonly subject: string
  readonly kind: AlertKind
  readonly value: number
  readonly threshold: number
}

/** A figure that is beyond its threshold since then. */
export interface Firing {
  readonly subject: string
  readonly kind: AlertKind
  readonly sinceMs: number
}

export interface Change extends Reading {
  readonly state: "firing" | "cleared"
  readonly sinceMs: number
}

/** What fires clears when its figure is at most this share of its threshold. */
const clearsAtShare = 0.8

const keyOf = ({ kind, subject }: Pick<Reading, "kind" | "subject">) => `${kind} ${subject}`

/** What changed, and what fires now. What fires and is not read any more (a job that was taken out) goes on firing. */
export const judge = (
  firing: ReadonlyArray<Firing>,
  readings: ReadonlyArray<Reading>,
  nowMs: number
): { readonly changes: ReadonlyArray<Change>; readonly firing: ReadonlyArray<Firing> } => {
  const now = new Map(firing.map((each) => [keyOf(each), each]))
  const changes: Array<Change> = []
  for (const reading of readings) {
    const key = keyOf(reading)
    const { kind, subject, threshold, value } = reading
    if (!now.has(key) && value > threshold) {
      now.set(key, { subject, kind, sinceMs: nowMs })
      changes.push({ ...reading, state: "firing", sinceMs: nowMs })
    } else if (now.has(key) && value <= threshold * clearsAtShare) {
      now.delete(key)
      changes.push({ ...reading, state: "cleared", sinceMs: nowMs })
    }
  }
  return { changes, firing: [...now.values()] }
}
