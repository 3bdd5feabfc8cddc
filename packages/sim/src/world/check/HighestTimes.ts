/**
 * How far event time must have come at each offset of a job's sources, from their records alone: the highest time before it,
 * where a record that is an hour or more ahead counts only as the third in a row, with the least of the three.
 */
import { Decoder, type Topic } from "@frazil/core"
import { Job } from "@frazil/engine"
import { packKept } from "../log/KeptRecord.ts"
import type { LogState } from "../log/LogState.ts"

/** The highest event time before `offset`; null before the first record, undefined of topics that have none. */
export type HighestTime = (topic: string, partition: number, offset: number) => number | null | undefined

const leadMs = 3_600_000
const leadsInRow = 3

interface Progress {
  /** By offset. */
  readonly highest: Array<number | null>
  leads: Array<number>
}

const advance = (progress: Progress, time: number | undefined): void => {
  const before = progress.highest.at(-1) ?? null
  let after = before
  if (time !== undefined) {
    if (before === null || time < before + leadMs) {
      after = Math.max(before ?? time, time)
      progress.leads = []
    } else {
      progress.leads.push(time)
      if (progress.leads.length === leadsInRow) {
        after = Math.min(...progress.leads)
        progress.leads = []
      }
    }
  }
  progress.highest.push(after)
}

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
        advance(progress, time)
      }
    }
    return progress.highest[offset]
  }
}
