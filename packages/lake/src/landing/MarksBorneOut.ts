/**
 * A landing's marks as the table's history bears them out, also where others expired it.
 *
 * Another engine's expiry does not know of marks: when a rewrite or an append of its own is the head, it may remove the snapshot
 * below that carries them (protocol, rule 15). Earlier metadata files, which the table's own log names, still have that
 * snapshot: they are asked before the landing stops. A table that was rolled back is told apart as before, since the nearest
 * ancestor with marks is the same one, wherever it is read. **Bounds**: as many files as the log names, newest first, only
 * until the line is whole again.
 */
import { Effect, Option } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import { ancestorsOf, type TableMetadata } from "../spec/TableMetadata.ts"
import { marksInForce } from "./CheckMarks.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { type Marks, readMarks } from "./Mark.ts"

/** Whether the line of snapshots ends where one was removed, and nothing above it carries marks of the landing. */
const isCut = (landing: Landing, metadata: TableMetadata): boolean => {
  const line = Array.from(ancestorsOf(metadata, metadata.currentSnapshotId))
  const carries = line.some(({ summary }) => readMarks(landing.uid, landing.branch, summary)?.size !== 0)
  return !carries && (line.at(-1)?.parentSnapshotId ?? null) !== null
}

const withSnapshotsOf = (metadata: TableMetadata, earlier: TableMetadata): TableMetadata => {
  const known = new Set(metadata.snapshots.map(({ snapshotId }) => snapshotId))
  const removed = earlier.snapshots.filter(({ snapshotId }) => !known.has(snapshotId))
  return { ...metadata, snapshots: [...metadata.snapshots, ...removed] }
}

/** As `marksInForce`, of a table whose older snapshots may have been removed by anyone. */
export const marksBorneOut = Effect.fnUntraced(function* (
  landing: Landing,
  { metadata }: Table
): Effect.fn.Return<Marks | LandingError, never, FileIO> {
  const marks = marksInForce(landing, metadata)
  if (!(marks instanceof LandingError) || !isCut(landing, metadata)) return marks
  const fileIO = yield* FileIO
  let whole = metadata
  for (const { metadataFile } of metadata.metadataLog.toReversed()) {
    const earlier = yield* Effect.option(fileIO.readTableMetadata(metadataFile))
    // files older than one that is gone are gone too
    if (Option.isNone(earlier) || earlier.value.tableUuid !== metadata.tableUuid) break
    whole = withSnapshotsOf(whole, earlier.value)
    if (!isCut(landing, whole)) return marksInForce(landing, whole)
  }
  return marks
})
