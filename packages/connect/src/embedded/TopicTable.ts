/**
 * Topics and partitions of an embedded log: making, finding, deleting them, and the bounds of their partitions.
 *
 * Called by `EmbeddedLog` and the other tables, inside `LogFile`'s transactions. A topic's number is never given again,
 * so `<log id>.<number>` names one life of a topic (protocol, rule 13).
 */
import { LogError, type PartitionBounds, type TopicDeclaration, type TopicInfo } from "@frazil/engine"
import type { Database } from "./Database.ts"

/** More partitions than this is a mistake, not a topic. */
const partitionsMax = 10_000

/** A topic as its row has it. */
export interface TopicRow {
  readonly number: number
  readonly name: string
  readonly partitions: number
  readonly created_at: number
}

interface PartitionRow {
  readonly partition: number
  readonly start_offset: number
  readonly end_offset: number
  readonly appended_at: number
}

const describe = (logId: string, row: TopicRow): TopicInfo => ({
  name: row.name,
  id: `${logId}.${row.number}`,
  partitions: row.partitions,
  createdAt: row.created_at
})

const lookUp = (db: Database, name: string): TopicRow | undefined =>
  db.first<TopicRow>("select number, name, partitions, created_at from topic where name = ?", name)

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
    "select partition, start_offset, end_offset, appended_at from partition where topic = ? and partition = ?",
    topic.number,
    partition
  )
  if (row !== undefined) return row
  throw new LogError({
    reason: "TopicDiffers",
    message: `topic ${topic.name} has ${topic.partitions} partitions, numbered from 0: there is no partition ${partition}`
  })
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
  db.run("insert into topic (name, partitions, created_at) values (?, ?, ?)", wanted.name, wanted.partitions, nowMs)
  const made = findTopic(db, wanted.name)
  for (let partition = 0; partition < wanted.partitions; partition++) {
    db.run("insert into partition values (?, ?, 0, 0, 0)", made.number, partition)
  }
  return describe(logId, made)
}

export const listTopics = (db: Database, logId: string): ReadonlyArray<TopicInfo> =>
  db
    .all<TopicRow>("select number, name, partitions, created_at from topic order by name")
    .map((row) => describe(logId, row))

export const topicInfo = (db: Database, logId: string, name: string): TopicInfo => describe(logId, findTopic(db, name))

/** Takes the topic out of sight; its records are removed bit by bit by `purgeRows`. */
export const deleteTopic = (db: Database, name: string): void => {
  const topic = findTopic(db, name)
  db.run("delete from topic where number = ?", topic.number)
  db.run("delete from partition where topic = ?", topic.number)
  db.run("delete from position where topic = ?", name)
  db.run("insert into removed_topic values (?)", topic.number)
}

export const topicBounds = (db: Database, name: string): ReadonlyArray<PartitionBounds> =>
  db
    .all<PartitionRow>(
      "select partition, start_offset, end_offset, appended_at from partition where topic = ? order by partition",
      findTopic(db, name).number
    )
    .map((row) => ({ partition: row.partition, start: row.start_offset, end: row.end_offset }))
