/**
 * Whether a table's marks can be trusted: asked at the start, when idle, and of every base an attempt swaps against.
 *
 * Pure. Each answer is a rule of the commit protocol (13 to 15); a table that fails one is not written to, because rows
 * would be doubled or lost.
 */
import type { PartitionBounds, TopicInfo } from "@frazil/engine"
import { ancestorsOf, type TableMetadata } from "../spec/TableMetadata.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { type Marks, readMarks, sameMarks } from "./Mark.ts"

/** What the landing last knew of its table, kept in its record in force. */
export interface LandedState {
  readonly tableUuid: string
  /** The snapshot that the last swap made, as text. */
  readonly snapshotId: string
}

const stop = (reason: LandingError["reason"], message: string) => new LandingError({ reason, message })

const wayOut = (landing: Landing) =>
  `Look at "frazil tables snapshots ${landing.table}" and restore the table's catalog entry and the log to the same moment`

/** A table that was landed into and that the catalog no longer has. */
export const tableGone = (landing: Landing): LandingError =>
  stop(
    "TableReplaced",
    `table ${landing.table} is not in the catalog any more: it was dropped, or another catalog is in the place of the one that was landed into. ${wayOut(landing)}`
  )

/** The marks in force of a table, if the history in its metadata bears them out (rule 15); `marksBorneOut` looks further. */
export const marksInForce = (landing: Landing, metadata: TableMetadata): Marks | LandingError => {
  const marks = readMarks(landing.uid, landing.branch, metadata.properties)
  if (marks === undefined) {
    return stop(
      "TableRolledBack",
      `table ${landing.table}: a landing mark among its properties cannot be read. ${wayOut(landing)}`
    )
  }
  for (const snapshot of ancestorsOf(metadata, metadata.currentSnapshotId)) {
    const carried = readMarks(landing.uid, landing.branch, snapshot.summary)
    if (carried !== undefined && carried.size === 0) continue
    if (carried !== undefined && sameMarks(carried, marks)) return marks
    return stop(
      "TableRolledBack",
      `table ${landing.table}: its marks are not those of its newest landed snapshot ${snapshot.snapshotId}: the table was rolled back, or a mark was edited. ${wayOut(landing)}`
    )
  }
  // nothing landed yet: as the table was made
  if ([...marks.values()].every((mark) => mark.next === 0)) return marks
  return stop(
    "TableRolledBack",
    `table ${landing.table}: no snapshot of its history carries the landing's marks. ${wayOut(landing)}`
  )
}

/** Whether the table is the one that was landed into last, and not older (design: TableReplaced, TableRolledBack). */
export const checkIdentity = (
  landing: Landing,
  metadata: TableMetadata,
  last: LandedState | undefined
): LandingError | undefined => {
  if (last === undefined) return undefined
  if (metadata.tableUuid !== last.tableUuid) {
    return stop(
      "TableReplaced",
      `table ${landing.table} is another table (uuid ${metadata.tableUuid}, landed into ${last.tableUuid}): it was dropped and made anew. ${wayOut(landing)}`
    )
  }
  const line = Array.from(ancestorsOf(metadata, metadata.currentSnapshotId))
  if (line.some((snapshot) => String(snapshot.snapshotId) === last.snapshotId)) return undefined
  const landed = metadata.snapshots.find((snapshot) => String(snapshot.snapshotId) === last.snapshotId)
  // an expired snapshot is no ancestor any more, and nothing to stop for; its marks were checked before
  if (landed === undefined && metadata.currentSnapshotId !== null) return undefined
  // a tag may keep it where the line down to it has expired: nobody can tell any more, and the marks tell enough
  const oldest = line.at(-1)
  const cut = oldest !== undefined && oldest.parentSnapshotId !== null
  if (landed !== undefined && cut && oldest.sequenceNumber > landed.sequenceNumber) return undefined
  return stop(
    "TableRolledBack",
    `table ${landing.table}: branch ${landing.branch} no longer descends from snapshot ${last.snapshotId}, the last that was landed. ${wayOut(landing)}`
  )
}

/** Whether the marks fit the log: its topic, its bounds, and no lower than where the landing already was (rule 13). */
export const checkAgainstLog = (
  landing: Landing,
  marks: Marks,
  topic: TopicInfo,
  bounds: ReadonlyArray<PartitionBounds>,
  positions: ReadonlyMap<number, number>
): LandingError | undefined => {
  for (const { end, partition, start } of bounds) {
    const mark = marks.get(partition)
    if (mark === undefined) {
      if (start === 0) continue
      return stop(
        "MarkAheadOfLog",
        `table ${landing.table}: partition ${partition} of ${topic.name} has no mark, but its log no longer starts at 0`
      )
    }
    if (mark.topicId !== topic.id) {
      return stop(
        "TopicRecreated",
        `table ${landing.table} was landed from a topic ${topic.name} with id ${mark.topicId}; this log's has id ${topic.id}. ${wayOut(landing)}`
      )
    }
    if (mark.next > end || mark.next < start) {
      return stop(
        "MarkAheadOfLog",
        `table ${landing.table}: its mark for partition ${partition} of ${topic.name} is ${mark.next}, the log holds ${start} to ${end}: log and table are not of the same moment. ${wayOut(landing)}`
      )
    }
    const position = positions.get(partition) ?? 0
    if (mark.next < position) {
      return stop(
        "TableRolledBack",
        `table ${landing.table}: its mark for partition ${partition} is ${mark.next}, but ${position} had landed: an older catalog was restored. ${wayOut(landing)}`
      )
    }
  }
  return undefined
}
