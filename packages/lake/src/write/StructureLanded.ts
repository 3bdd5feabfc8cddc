/**
 * Whether a commit without a snapshot is in the table: asked after an outcome that nobody knows.
 *
 * A snapshot is found by its id; a change of structure has none, nor has a picked snapshot that became the head as it is. It is
 * in when the table is as the change wanted it, whoever made it so; a branch also when others have committed to it since: it
 * would otherwise be moved once more, and lose what they did. Pure.
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

/** Whether a ref is where it was wanted, or was since: then it went on from there. */
const refLanded = (found: TableMetadata, { base, wanted }: Offered, name: string): boolean => {
  if (printJson(refText(found, name)) === printJson(refText(wanted, name))) return true
  const [now, then, before] = [found, wanted, base].map(({ refs }) => refs.get(name))
  if (now?.type !== "branch" || then === undefined) return false
  if (printJson(refToJson({ ...now, snapshotId: then.snapshotId })) !== printJson(refToJson(then))) return false
  const leadsTo = (metadata: TableMetadata, from: bigint, to: bigint): boolean =>
    Array.from(ancestorsOf(metadata, from)).some(({ snapshotId }) => snapshotId === to)
  if (!leadsTo(found, now.snapshotId, then.snapshotId)) return false
  if (before === undefined || before.snapshotId === then.snapshotId) return true
  // as it does of a branch that was taken back and never was: that one leads to its old head too
  return !leadsTo(base, before.snapshotId, then.snapshotId) || !leadsTo(found, now.snapshotId, before.snapshotId)
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
    case "RemoveRef":
      return refText(metadata, action.name)
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
    case "SetRef":
    case "Rollback":
      return null
  }
}

/** A commit that nobody answered. */
export interface Offered {
  readonly base: TableMetadata
  readonly actions: ReadonlyArray<TableAction>
  /** What it would have made of its base. */
  readonly wanted: TableMetadata
}

export const structureLanded = (found: TableMetadata, offered: Offered, branch: string): boolean =>
  found.tableUuid === offered.base.tableUuid &&
  offered.actions.every((action) => {
    if (action._tag === "Rollback") return refLanded(found, offered, branch)
    if (action._tag === "SetRef") return refLanded(found, offered, action.name)
    return printJson(aspectOf(found, branch, action)) === printJson(aspectOf(offered.wanted, branch, action))
  })
