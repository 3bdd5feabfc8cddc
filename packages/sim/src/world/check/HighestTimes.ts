/**
 * How far event time must have come at each offset of a job's sources, from their records alone: the highest time before it,
 * where a record that is an hour or more ahead counts only as the third in a row, or as the hundredth when all have one key,
 * with the least of the last three.
 */
import { type ColumnBatch, Decoder, type Topic } from "@frazil/core"
import { Job } from "@frazil/engine"
import { packKept } from "../log/KeptRecord.ts"
import type { LogState } from "../log/LogState.ts"

/** The highest event time before `offset`; null before the first record, undefined of topics that have none. */
export type HighestTime = (topic: string, partition: number, offset: number) => number | null | undefined

const leadMs = 3_600_000
const leadsInRow = 3
const leadsOfOneKey = 100

interface Progress {
  /** By offset. */
  readonly highest: Array<number | null>
  leads: Array<{ readonly time: number; readonly key: string | undefined }>
}

const advance = (progress: Progress, time: number | undefined, key: string | undefined): void => {
  const before = progress.highest.at(-1) ?? null
  let after = before
  if (time !== undefined) {
    if (before === null || time < before + leadMs) {
      after = Math.max(before ?? time, time)
      progress.leads = []
    } else {
      progress.leads.push({ time, key })
      const alone = key !== undefined && progress.leads.every((lead) => lead.key === key)
      if (progress.leads.length >= (alone ? leadsOfOneKey : leadsInRow)) {
        after = Math.min(...progress.leads.slice(-leadsInRow).map((lead) => lead.time))
        progress.leads = []
      }
    }
  }
  progress.highest.push(after)
}

const decoder = new TextDecoder()
const keyOf = ({ source: { bytes, keyEnds, keyStarts } }: ColumnBatch, row: number): string | undefined =>
  keyStarts[row]! < 0 ? undefined : decoder.decode(bytes.subarray(keyStarts[row], keyEnds[row]))

export const highestTimes = (job: Job.Job<string, unknown>, log: LogState): HighestTime => {
  const ownTime = job.graph.operators.some(({ node }) => node.op === "eventTime")
  const readers = new Map(
    Job.sources(job).flatMap((topic) => {
      const field = topic.eventTime === undefined ? undefined : topic.shape.byName.get(topic.eventTime)
      if (field === undefined || ownTime) return []
      const decoder = Decoder.make(topic as unknown as Topic<unknown>) // read through its shape only
      return [[topic.name, { field, decoder, progress: new Map<number, Progress>() }] as const]
    })
  )
  return (topic, partition, offset) => {
    const reader = readers.get(topic)
    const records = log.topics.get(topic)?.partitions[partition]?.records
    if (reader === undefined || records === undefined) return undefined
    const progress = reader.progress.get(partition) ?? { highest: [null], leads: [] }
    reader.progress.set(partition, progress)
    const from = progress.highest.length - 1
    if (records.length > from) {
      const batch = reader.decoder.decode(packKept(records.slice(from)))
      const column = batch.columns[reader.field.index]!
      for (let row = 0; row < batch.length; row++) {
        const time = batch.valid[row] === 1 && column._tag !== "Bytes" ? column.values[row] : undefined
        advance(progress, time, keyOf(batch, row))
      }
    }
    return progress.highest[offset]
  }
}
