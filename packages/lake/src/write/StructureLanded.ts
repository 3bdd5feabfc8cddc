/**
 * Whether a commit without a snapshot is in the table: asked after an outcome that nobody knows.
 *
 * A snapshot is found by its id; a change of structure has none, nor has a picked snapshot that became the head as it is. It is in when the table is as the change wanted it, whoever
 * made it so. Pure.
 */
import { schemaToJson } from "../spec/Schema.ts"
import { printJson, type JsonValue } from "../spec/Json.ts"
import { partitionFieldsToJson } from "../spec/PartitionSpec.ts"
import { refToJson } from "../spec/Snapshot.ts"
import { sortOrderToJson } from "../spec/SortOrder.ts"
import {
  ancestorsOf,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  snapshotById,
  type TableMetadata
} from "../spec/TableMetadata.ts"
import type { TableAction } from "./TableAction.ts"

const refText = (metadata: TableMetadata, name: string): JsonValue => {
  const ref = metadata.refs.get(name)
  return ref === undefined ? null : refToJson(ref)
}

/** What of the table the action is about. */
const aspectOf = (metadata: TableMetadata, branch: string, action: TableAction): JsonValue => {
  switch (action._tag) {
    case "UpdateSchema":
      return schemaToJson({ ...currentSchema(metadata), schemaId: 0 })
    case "UpdatePartitionSpec":
      return partitionFieldsToJson(defaultSpec(metadata))
    case "ReplaceSortOrder":
      return sortOrderToJson({ ...defaultSortOrder(metadata), orderId: 0 })
    case "SetProperties":
      return [...action.properties.keys(), ...action.removed].map((name) => metadata.properties.get(name) ?? null)
    case "SetRef":
    case "RemoveRef":
      return refText(metadata, action.name)
    case "Rollback":
      return refText(metadata, branch)
    case "CherryPick": {
      const line = Array.from(ancestorsOf(metadata, metadata.refs.get(branch)?.snapshotId ?? null))
      // beneath what came after it, too
      return line.some(({ snapshotId }) => snapshotId === action.snapshotId) || refText(metadata, branch)
    }
    case "RemoveSnapshots":
      return [
        ...action.snapshotIds.map((id) => snapshotById(metadata, id) !== undefined),
        ...action.refs.map((name) => refText(metadata, name))
      ]
    case "SetStatistics":
    case "RemoveStatistics":
      return [...metadata.statistics, ...metadata.partitionStatistics]
    case "UpgradeFormat":
      return metadata.formatVersion
    case "Append":
    case "RewriteFiles":
    case "ChangeRows":
    case "RewriteManifests":
    case "RepairManifests":
      return null
  }
}

/** `wanted` is what the commit would have made of its base. */
export const structureLanded = (
  found: TableMetadata,
  wanted: TableMetadata,
  branch: string,
  actions: ReadonlyArray<TableAction>
): boolean =>
  actions.every((action) => printJson(aspectOf(found, branch, action)) === printJson(aspectOf(wanted, branch, action)))
