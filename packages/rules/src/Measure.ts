/**
 * How good rules are, by records whose truth is known: labelled ones belong to a fraud, the others do not.
 *
 * `frazil rules measure` prints it over what the generator made. Rules cannot read the label; this does, afterwards.
 */
import type { PlacedRecord } from "./Evaluate.ts"
import type { AlertRecord } from "./Trace.ts"

/** Alerts of one rule, or of all. */
export interface Precision {
  /** Undefined: all rules together. */
  readonly rule: string | undefined
  readonly alerts: number
  /** Alerts that name at least one labelled record. */
  readonly right: number
  /** Records that the alerts name, each counted once. */
  readonly records: number
  /** Of these, labelled ones. */
  readonly labelled: number
}

export interface Recall {
  /** Undefined: all labels together. */
  readonly label: string | undefined
  readonly records: number
  /** Records that some alert names. */
  readonly found: number
}

export interface Measured {
  readonly precision: ReadonlyArray<Precision>
  readonly recall: ReadonlyArray<Recall>
}

const keyOf = ({ offset, partition }: { readonly offset: number; readonly partition: number }) =>
  `${partition}/${offset}`

/** Holds alerts against the labels in `field` of the records that they were made of. */
export const measure = (
  records: ReadonlyArray<PlacedRecord>,
  alertsOf: ReadonlyArray<readonly [rule: string, alerts: ReadonlyArray<AlertRecord>]>,
  field: string
): Measured => {
  const labels = new Map<string, string>()
  for (const { place, record } of records) {
    const label = record[field]
    if (typeof label === "string") labels.set(keyOf(place), label)
  }
  const precisionOf = (rule: string | undefined, alerts: ReadonlyArray<AlertRecord>): Precision => {
    const named = new Set(alerts.flatMap(({ sources }) => sources.map(keyOf)))
    return {
      rule,
      alerts: alerts.length,
      right: alerts.filter(({ sources }) => sources.some((source) => labels.has(keyOf(source)))).length,
      records: named.size,
      labelled: [...named].filter((each) => labels.has(each)).length
    }
  }
  const all = alertsOf.flatMap(([, alerts]) => alerts)
  const named = new Set(all.flatMap(({ sources }) => sources.map(keyOf)))
  const recallOf = (label: string | undefined): Recall => {
    const those = [...labels].filter(([, each]) => label === undefined || each === label)
    return { label, records: those.length, found: those.filter(([each]) => named.has(each)).length }
  }
  return {
    precision: [...alertsOf.map(([rule, alerts]) => precisionOf(rule, alerts)), precisionOf(undefined, all)],
    recall: [...[...new Set(labels.values())].sort().map(recallOf), recallOf(undefined)]
  }
}
