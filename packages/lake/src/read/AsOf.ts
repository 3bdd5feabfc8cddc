/**
 * Which snapshot of a table is meant: the current one, an earlier one by id or time, or what a branch or tag points to.
 *
 * Pure. Time follows the snapshot log, as the specification and Spark have it: what was current at that moment.
 */
import { Result } from "effect"
import { LakeError } from "../LakeError.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { currentSchema, currentSnapshot, snapshotById, type TableMetadata } from "../spec/TableMetadata.ts"
import type { TableSchema } from "../spec/Schema.ts"

export type AsOf =
  | { readonly _tag: "Current" }
  | { readonly _tag: "SnapshotId"; readonly snapshotId: bigint }
  /** What was current at this moment: the last snapshot at or before it, epoch milliseconds. */
  | { readonly _tag: "Timestamp"; readonly timestampMs: number }
  /** A branch or tag. */
  | { readonly _tag: "Ref"; readonly name: string }

/** A moment of a table: its snapshot, and the schema that its rows are read with. */
export interface TableMoment {
  /** Undefined: the table had no snapshot, hence no rows. */
  readonly snapshot: Snapshot | undefined
  readonly schema: TableSchema
}

const missing = (message: string): Result.Result<never, LakeError> =>
  Result.fail(new LakeError({ reason: "SnapshotMissing", message }))

/** The past is read with the schema of the past. */
const past = (metadata: TableMetadata, snapshot: Snapshot): Result.Result<TableMoment, LakeError> => {
  if (snapshot.schemaId === null) return Result.succeed({ snapshot, schema: currentSchema(metadata) })
  const schema = metadata.schemas.find((each) => each.schemaId === snapshot.schemaId)
  if (schema !== undefined) return Result.succeed({ snapshot, schema })
  const message = `table ${metadata.location}: snapshot ${snapshot.snapshotId} has schema ${snapshot.schemaId}, which is not in its metadata`
  return Result.fail(new LakeError({ reason: "Corrupt", message }))
}

/** What there is instead of a snapshot that is not there. */
const present = ({ snapshots }: TableMetadata): string => {
  const newest = snapshots.at(-1)
  if (newest === undefined) return "it has none"
  const count = snapshots.length === 1 ? "1 snapshot" : `${snapshots.length} snapshots`
  return `it has ${count}, the newest ${newest.snapshotId} of ${new Date(newest.timestampMs).toISOString()}`
}

const momentById = (metadata: TableMetadata, id: bigint, what: string): Result.Result<TableMoment, LakeError> => {
  const snapshot = snapshotById(metadata, id)
  return snapshot === undefined
    ? missing(
        `snapshot ${id} (${what}) is not in table ${metadata.location}: it never was, or it has expired; ${present(metadata)}`
      )
    : past(metadata, snapshot)
}

const momentAt = (metadata: TableMetadata, timestampMs: number): Result.Result<TableMoment, LakeError> => {
  const entry = metadata.snapshotLog.findLast((each) => each.timestampMs <= timestampMs)
  const time = new Date(timestampMs).toISOString()
  if (entry !== undefined) return momentById(metadata, entry.snapshotId, `current at ${time}`)
  const first = metadata.snapshotLog[0]
  const since =
    first === undefined ? "it has none" : `its history begins at ${new Date(first.timestampMs).toISOString()}`
  return missing(`table ${metadata.location} has no snapshot at or before ${time}: ${since}`)
}

const momentOfRef = (metadata: TableMetadata, name: string): Result.Result<TableMoment, LakeError> => {
  const ref = metadata.refs.get(name)
  if (ref === undefined) {
    const known = Array.from(metadata.refs.keys()).sort().join(", ")
    return missing(`table ${metadata.location} has no branch or tag ${name}: it has ${known === "" ? "none" : known}`)
  }
  const moment = momentById(metadata, ref.snapshotId, `of ${name}`)
  // A branch is a present of its own: read with the table's schema. A tag is a past.
  return ref.type === "tag"
    ? moment
    : Result.map(moment, ({ snapshot }) => ({ snapshot, schema: currentSchema(metadata) }))
}

/** Finds the moment; SnapshotMissing says what there is instead. */
export const resolveAsOf = (metadata: TableMetadata, asOf: AsOf): Result.Result<TableMoment, LakeError> => {
  switch (asOf._tag) {
    case "Current":
      return Result.succeed({ snapshot: currentSnapshot(metadata), schema: currentSchema(metadata) })
    case "SnapshotId":
      return momentById(metadata, asOf.snapshotId, "by id")
    case "Timestamp":
      return momentAt(metadata, asOf.timestampMs)
    case "Ref":
      return momentOfRef(metadata, asOf.name)
  }
}
