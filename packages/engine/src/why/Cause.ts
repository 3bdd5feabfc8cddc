/** What `frazil jobs why` answers: causes, each a sentence, the most telling first. */

/** In the order in which they are told. */
const causeKinds = [
  "dead_letter",
  "failed",
  "late",
  "evicted",
  "dropped",
  "filtered",
  "never_seen",
  "not_read",
  "in_flight",
  "window_open",
  "partial_match",
  "waits_for_watermark",
  "lead",
  "no_result",
  "result",
  "written",
  "no_partial_match",
  "came_to"
] as const

export interface Cause {
  readonly kind: (typeof causeKinds)[number]
  /** The topic that the stage reads. */
  readonly stage: string
  readonly partition: number | null
  readonly operator: string | null
  /** Of the record, in the stage's topic. */
  readonly offset: number | null
  /** One line for people; without any value of a record unless they may be shown. */
  readonly text: string
}

const rank = ({ kind }: Cause): number => causeKinds.indexOf(kind)

export const mostTellingFirst = (causes: ReadonlyArray<Cause>): ReadonlyArray<Cause> =>
  causes.toSorted((left, right) => rank(left) - rank(right) || (left.offset ?? 0) - (right.offset ?? 0))

/** `2026-01-14T12:00:00Z`; without a fraction where there is none. */
export const timeText = (epochMs: number): string =>
  Number.isNaN(new Date(epochMs).getTime()) ? "an unknown time" : new Date(epochMs).toISOString().replace(".000Z", "Z")

const units: ReadonlyArray<readonly [ms: number, name: string]> = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
  [1, "ms"]
]

/** `1 h 5 min`: the two greatest units. */
export const spanText = (ms: number): string => {
  let left = Math.round(Math.abs(ms))
  const parts: Array<string> = []
  for (const [unit, name] of units) {
    const count = Math.floor(left / unit)
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`)
    left -= count * unit
  }
  return parts.join(" ") || "0 ms"
}
