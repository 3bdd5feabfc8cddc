/**
 * Snapshots and the references to them (specification, "Snapshots", "Snapshot References").
 *
 * A snapshot is the table's whole content at one moment: a manifest list, and a summary that readers show and that the
 * landing keeps its marks in.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonObject } from "./Json.ts"
import {
  readInt,
  readList,
  readLong,
  readObject,
  readOptional,
  readSafeInteger,
  readString,
  readStringMap,
  stringMapToJson,
  type Read,
  type StringMap
} from "./JsonRead.ts"
import { inlineList, manifestsInline } from "./ManifestsInline.ts"

export interface Snapshot {
  /** 63 random bits. */
  readonly snapshotId: bigint
  /** Null for the first of its line. Java rejects `null` in JSON: it is left out there. */
  readonly parentSnapshotId: bigint | null
  readonly sequenceNumber: bigint
  readonly timestampMs: number
  /** URI of the manifest list; of version 1 it may be one that holds the manifests' names (`ManifestsInline.ts`). */
  readonly manifestList: string
  /** `append`, `replace`, `overwrite` or `delete`; readers (DuckDB) insist on it. */
  readonly operation: string
  /** The rest of the summary: totals and whatever the writer adds, all text. */
  readonly summary: StringMap
  readonly schemaId: number | null
  /** Of format version 3: the first row id that it gives, and how many it may give at most. */
  readonly firstRowId?: bigint
  readonly addedRows?: bigint
}

export interface SnapshotRef {
  readonly snapshotId: bigint
  readonly type: "branch" | "tag"
  readonly minSnapshotsToKeep: number | null
  readonly maxSnapshotAgeMs: bigint | null
  readonly maxRefAgeMs: bigint | null
}

/** The branch that readers read unless told otherwise. */
export const mainBranch = "main"

/** A branch at `snapshotId` that follows the table's retention. */
export const branchAt = (snapshotId: bigint): SnapshotRef => ({
  snapshotId,
  type: "branch",
  minSnapshotsToKeep: null,
  maxSnapshotAgeMs: null,
  maxRefAgeMs: null
})

const listToJson = (manifestList: string): JsonObject => {
  const manifests = manifestsInline(manifestList)
  return manifests === undefined ? { "manifest-list": manifestList } : { manifests }
}

const readManifestList: Read<string> = (value, where) => {
  const { "manifest-list": list, manifests } = readObject(value, where)
  return (list === undefined || list === null) && manifests !== undefined
    ? inlineList(readList(manifests, `${where}.manifests`, readString))
    : readString(list, `${where}.manifest-list`)
}

export const snapshotToJson = (snapshot: Snapshot): JsonObject => ({
  "sequence-number": snapshot.sequenceNumber,
  "snapshot-id": snapshot.snapshotId,
  ...(snapshot.parentSnapshotId === null ? {} : { "parent-snapshot-id": snapshot.parentSnapshotId }),
  "timestamp-ms": snapshot.timestampMs,
  summary: { operation: snapshot.operation, ...stringMapToJson(snapshot.summary) },
  ...listToJson(snapshot.manifestList),
  ...(snapshot.schemaId === null ? {} : { "schema-id": snapshot.schemaId }),
  ...(snapshot.firstRowId === undefined ? {} : { "first-row-id": snapshot.firstRowId }),
  ...(snapshot.addedRows === undefined ? {} : { "added-rows": snapshot.addedRows })
})

export const snapshotFromJson: Read<Snapshot> = (value, where) => {
  const object = readObject(value, where)
  const summary = new Map(readOptional(object["summary"], `${where}.summary`, readStringMap) ?? [])
  const operation = summary.get("operation") ?? "append"
  summary.delete("operation")
  const firstRowId = readOptional(object["first-row-id"], `${where}.first-row-id`, readLong)
  const addedRows = readOptional(object["added-rows"], `${where}.added-rows`, readLong)
  return {
    snapshotId: readLong(object["snapshot-id"], `${where}.snapshot-id`),
    parentSnapshotId: readOptional(object["parent-snapshot-id"], `${where}.parent-snapshot-id`, readLong) ?? null,
    sequenceNumber: readOptional(object["sequence-number"], `${where}.sequence-number`, readLong) ?? 0n,
    timestampMs: readSafeInteger(object["timestamp-ms"], `${where}.timestamp-ms`),
    manifestList: readManifestList(object, where),
    operation,
    summary,
    schemaId: readOptional(object["schema-id"], `${where}.schema-id`, readInt) ?? null,
    ...(firstRowId === undefined ? {} : { firstRowId }),
    ...(addedRows === undefined ? {} : { addedRows })
  }
}

export const refToJson = (ref: SnapshotRef): JsonObject => ({
  "snapshot-id": ref.snapshotId,
  type: ref.type,
  ...(ref.minSnapshotsToKeep === null ? {} : { "min-snapshots-to-keep": ref.minSnapshotsToKeep }),
  ...(ref.maxSnapshotAgeMs === null ? {} : { "max-snapshot-age-ms": ref.maxSnapshotAgeMs }),
  ...(ref.maxRefAgeMs === null ? {} : { "max-ref-age-ms": ref.maxRefAgeMs })
})

export const refFromJson: Read<SnapshotRef> = (value, where) => {
  const object = readObject(value, where)
  const type = readString(object["type"], `${where}.type`).toLowerCase()
  return {
    snapshotId: readLong(object["snapshot-id"], `${where}.snapshot-id`),
    type: type === "branch" || type === "tag" ? type : corrupt(`${where}.type`, "neither branch nor tag"),
    minSnapshotsToKeep:
      readOptional(object["min-snapshots-to-keep"], `${where}.min-snapshots-to-keep`, readInt) ?? null,
    maxSnapshotAgeMs: readOptional(object["max-snapshot-age-ms"], `${where}.max-snapshot-age-ms`, readLong) ?? null,
    maxRefAgeMs: readOptional(object["max-ref-age-ms"], `${where}.max-ref-age-ms`, readLong) ?? null
  }
}
