/**
 * The oracle of order: which records of a topic come in time for a pattern, by key and in the order of event time, and which
 * come too late for it.
 *
 * From records in the order of their offsets, with the engine's promises read once more and no code of it: the watermark is
 * the highest time before a record, less 5 s; one an hour or more ahead moves it only as the third in a row, or the hundredth
 * when all have one key.
 */

/** A record that decodes, where it stood. */
export interface Placed {
  readonly at: number
  readonly key: string
  /** `partition/offset`. */
  readonly place: string
}

export interface InTime<R> {
  readonly late: ReadonlyArray<R>
  /** By key; those of one time in the order of the log. */
  readonly byKey: ReadonlyArray<ReadonlyArray<R>>
}

const outOfOrdernessMs = 5_000
const leadMs = 3_600_000
const leadsInRow = 3
const leadsOfOneKey = 100

/** A record, and the watermark before it. */
export interface Arrived<R> {
  readonly record: R
  readonly watermark: number
}

type Partitions = ReadonlyArray<ReadonlyArray<{ readonly value: Uint8Array }>>

/** By partition, in the order of the log; with each the watermark after its last record. */
export const arrivals = <R extends Placed>(
  partitions: Partitions,
  read: (value: Uint8Array, place: string) => R | undefined
): ReadonlyArray<{ readonly arrived: ReadonlyArray<Arrived<R>>; readonly watermark: number }> =>
  partitions.map((records, partition) => {
    const arrived: Array<Arrived<R>> = []
    let highest: number | undefined
    let leads: Array<R> = []
    for (const [offset, { value }] of records.entries()) {
      const record = read(value, `${partition}/${offset}`)
      if (record === undefined) continue
      const { at } = record
      arrived.push({ record, watermark: (highest ?? Number.NEGATIVE_INFINITY) - outOfOrdernessMs })
      if (highest === undefined || at < highest + leadMs) {
        highest = Math.max(highest ?? at, at)
        leads = []
      } else {
        leads.push(record)
        const keys = new Set(leads.map(({ key }) => key))
        if (leads.length < (keys.size === 1 ? leadsOfOneKey : leadsInRow)) continue
        highest = Math.min(...leads.slice(-leadsInRow).map((each) => each.at))
        leads = []
      }
    }
    return { arrived, watermark: (highest ?? Number.NEGATIVE_INFINITY) - outOfOrdernessMs }
  })

/** `read`: what a record is, undefined when it does not decode. Keys lie in one partition each. */
export const inTime = <R extends Placed>(
  partitions: Partitions,
  read: (value: Uint8Array, place: string) => R | undefined
): InTime<R> => {
  const late: Array<R> = []
  const byKey = new Map<string, Array<R>>()
  for (const { arrived } of arrivals(partitions, read)) {
    for (const { record, watermark } of arrived) {
      if (record.at < watermark) late.push(record)
      else byKey.set(record.key, [...(byKey.get(record.key) ?? []), record])
    }
  }
  return { late, byKey: [...byKey.values()].map((records) => records.toSorted((left, right) => left.at - right.at)) }
}
