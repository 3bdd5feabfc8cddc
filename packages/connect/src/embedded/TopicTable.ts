/**
 * Topics and partitions of an embedded log: making, finding, deleting them, and the bounds of their partitions.
 *
 * Called by `EmbeddedLog` and the other tables, inside `LogFile`'s transactions. A topic's number is never given again,
 * so `<log id>.<number>` names one life of a topic (protocol, rule 13).
 */
import { LogError, type PartitionBounds, type TopicDeclaration, type TopicInfo } from "@frazil/engine"
import type { Database } from "./Database.ts"
import { damaged, valuesChecksum } from "./LogSchema.ts"

/** More partitions than this is a mistake, not a topic. */
const partitionsMax = 10_000

/** A topic as its row has it. */
export interface TopicRow {
  readonly number: number
  readonly name: string
  readonly partitions: number
  readonly created_at: number
  readonly checksum: number
}

interface PartitionRow {
  readonly partition: number
  readonly start_offset: number
  readonly end_offset: number
  readonly appended_at: number
  readonly checksum: number
}

const topicChecksum = ({ number, name, partitions, created_at }: Omit<TopicRow, "checksum">): number =>
  valuesChecksum(number, name, partitions, created_at)

const partitionChecksum = (topic: number, row: Omit<PartitionRow, "checksum">): number =>
  valuesChecksum(topic, row.partition, row.start_offset, row.end_offset, row.appended_at)

const verified = (db: Database, row: TopicRow): TopicRow => {
  if (topicChecksum(row) !== row.checksum) throw damaged(db, `topic ${row.number} does not match its checksum`)
  return row
}

const verifiedPartition = (db: Database, topic: TopicRow, row: PartitionRow): PartitionRow => {
  if (partitionChecksum(topic.number, row) === row.checksum) return row
  throw damaged(db, `the bounds of topic ${topic.name}, partition ${row.partition}, do not match their checksum`)
}

const describe = (logId: string, row: TopicRow): TopicInfo => ({
  name: row.name,
  id: `${logId}.${row.number}`,
  partitions: row.partitions,
  createdAt: row.created_at
})

const lookUp = (db: Database, name: string): TopicRow | undefined => {
  const row = db.first<TopicRow>(
    "select number, name, partitions, created_at, checksum from topic where name = ?",
    name
  )
  return row === undefined ? undefined : verified(db, row)
}

/** The topic's row; throws `TopicMissing`. */
export const findTopic = (db: Database, name: string): TopicRow => {
  const row = lookUp(db, name)
  if (row !== undefined) return row
  throw new LogError({
    reason: "TopicMissing",
    message: `topic ${name} does not exist in ${db.file}: it is made by the job that writes it, or was deleted`
  })
}

/** A partition's bounds; throws `TopicDiffers` when the topic has no such partition. */
export const findPartition = (db: Database, topic: TopicRow, partition: number): PartitionRow => {
  const row = db.first<PartitionRow>(
    "select partition, start_offset, end_offset, appended_at, checksum from partition where topic = ? and partition = ?",
    topic.number,
    partition
  )
  if (row !== undefined) return verifiedPartition(db, topic, row)
  if (Number.isInteger(partition) && partition >= 0 && partition < topic.partitions) {
    throw damaged(db, `the bounds of topic ${topic.name}, partition ${partition}, are missing`)
  }
  throw new LogError({
    reason: "TopicDiffers",
    message: `topic ${topic.name} has ${topic.partitions} partitions, numbered from 0: there is no partition ${partition}`
  })
}

/** Writes a partition's bounds; the caller has read them in the same transaction. */
export const writeBounds = (db: Database, topic: TopicRow, row: Omit<PartitionRow, "checksum">): void => {
  db.run(
    "insert or replace into partition values (?, ?, ?, ?, ?, ?)",
    topic.number,
    row.partition,
    row.start_offset,
    row.end_offset,
    row.appended_at,
    partitionChecksum(topic.number, row)
  )
}

/** The topic as declared; undefined when it is still to be made, `TopicDiffers` when it is another. */
export const declaredTopic = (db: Database, logId: string, wanted: TopicDeclaration): TopicInfo | undefined => {
  const { name, partitions } = wanted
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax || name === "") {
    throw new RangeError(`topic "${name}" with ${partitions} partitions: 1 to ${partitionsMax} and a name are needed`)
  }
  const found = lookUp(db, name)
  if (found !== undefined && found.partitions !== partitions) {
    throw new LogError({
      reason: "TopicDiffers",
      message: `topic ${name} has ${found.partitions} partitions, ${partitions} are declared: declare ${found.partitions}, or move the records to a new topic`
    })
  }
  return found === undefined ? undefined : describe(logId, found)
}

export const makeTopic = (db: Database, logId: string, wanted: TopicDeclaration, nowMs: number): TopicInfo => {
  // another process may have made it since
  const found = declaredTopic(db, logId, wanted)
  if (found !== undefined) return found
  const { name, partitions } = wanted
  const inserted = db.first<{ readonly number: number }>(
    "insert into topic (name, partitions, created_at, checksum) values (?, ?, ?, 0) returning number",
    name,
    partitions,
    nowMs
  )
  if (inserted === undefined) throw new Error(`topic ${name} got no number`)
  const { number } = inserted
  const made = { number, name, partitions, created_at: nowMs }
  const topic = { ...made, checksum: topicChecksum(made) }
  db.run("update topic set checksum = ? where number = ?", topic.checksum, number)
  for (let partition = 0; partition < partitions; partition++) {
    writeBounds(db, topic, { partition, start_offset: 0, end_offset: 0, appended_at: 0 })
  }
  return describe(logId, topic)
}

export const listTopics = (db: Database, logId: string): ReadonlyArray<TopicInfo> =>
  db
    .all<TopicRow>("select number, name, partitions, created_at, checksum from topic order by name")
    .map((row) => describe(logId, verified(db, row)))

export const topicInfo = (db: Database, logId: string, name: string): TopicInfo => describe(logId, findTopic(db, name))

/** Takes the topic out of sight; its records are removed bit by bit by `purgeRows`. */
export const deleteTopic = (db: Database, name: string): void => {
  const topic = findTopic(db, name)
  db.run("delete from topic where number = ?", topic.number)
  db.run("delete from partition where topic = ?", topic.number)
  db.run("insert into removed_topic values (?)", topic.number)
}

export const topicBounds = (db: Database, name: string): ReadonlyArray<PartitionBounds> => {
  const topic = findTopic(db, name)
  return Array.from({ length: topic.partitions }, (_, partition) => {
    const row = findPartition(db, topic, partition)
    return { partition, start: row.start_offset, end: row.end_offset }
  })
}
