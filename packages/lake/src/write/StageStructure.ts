/**
 * Stages what changes a table's structure on a base: schema, partition spec, sort order, properties, refs, statistics.
 *
 * Called by the commit loop for each attempt. Pure: nothing is written. A change that cannot be made fails with Invalid, and
 * the message says which column, field or ref.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { LakeError } from "../LakeError.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { evolvePartitionSpec, PartitionChangeRefused } from "../spec/PartitionChange.ts"
import { partitionProblems } from "../spec/PartitionSpec.ts"
import { fieldByName, fieldEntries, ofVersion3, type TableSchema } from "../spec/Schema.ts"
import { evolveSchema, SchemaChangeRefused } from "../spec/SchemaChange.ts"
import { mainBranch } from "../spec/Snapshot.ts"
import { sortProblems, type SortField, type SortOrder } from "../spec/SortOrder.ts"
import { lastAdded } from "../spec/StructureUpdate.ts"
import {
  ancestorsOf,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  snapshotById,
  type TableMetadata
} from "../spec/TableMetadata.ts"
import { type Transform, transformToText } from "../spec/Transform.ts"
import type {
  ReplaceSortOrder,
  Rollback,
  SetRef,
  SetStatistics,
  StructureAction,
  UpdatePartitionSpec,
  UpdateSchema
} from "./TableAction.ts"

class Refused extends Error {}

const refuse = (message: string): never => {
  throw new Refused(message)
}

const refuseProblems = (problems: ReadonlyArray<string>): void => {
  if (problems.length > 0) refuse(problems.join("; "))
}

/** Ids of columns that were dates and are timestamps. */
const widenedDates = (before: TableSchema, after: TableSchema): ReadonlyArray<number> => {
  const dates = new Set(fieldEntries(before).flatMap(({ id, type }) => (type._tag === "date" ? [id] : [])))
  return fieldEntries(after).flatMap(({ id, type }) => (type._tag !== "date" && dates.has(id) ? [id] : []))
}

/** Files keep their partition values: those of a timestamp must be what they were of the date (specification, "Schema Evolution"). */
const refuseOtherPartitions = ({ partitionSpecs }: TableMetadata, widened: ReadonlyArray<number>): void => {
  const same: ReadonlySet<Transform["_tag"]> = new Set(["year", "month", "day", "void"])
  const other = partitionSpecs
    .flatMap(({ fields }) => fields)
    .find(({ sourceId, transform }) => widened.includes(sourceId) && !same.has(transform._tag))
  if (other !== undefined) {
    refuse(
      `a column that partition field ${other.name} (${transformToText(other.transform)}) is made of cannot become a timestamp`
    )
  }
}

const stageSchema = (metadata: TableMetadata, { changes }: UpdateSchema): ReadonlyArray<MetadataUpdate> => {
  const { lastColumnId, schemas } = metadata
  const evolved = evolveSchema(schemas, currentSchema(metadata), lastColumnId, changes)
  const { schema } = evolved
  const widened = widenedDates(currentSchema(metadata), schema)
  const later = ofVersion3(schema) ?? (widened.length > 0 ? "a date that becomes a timestamp" : undefined)
  if (metadata.formatVersion < 3 && later !== undefined) {
    refuse(`${later} needs format version 3, and it has ${metadata.formatVersion}: commit upgradeFormat(3) first`)
  }
  refuseOtherPartitions(metadata, widened)
  // what new files are divided and sorted by must still be there
  refuseProblems([
    ...partitionProblems(defaultSpec(metadata), schema),
    ...sortProblems(defaultSortOrder(metadata), schema)
  ])
  const known = schemas.some(({ schemaId }) => schemaId === schema.schemaId)
  if (known) return [{ _tag: "SetCurrentSchema", schemaId: schema.schemaId }]
  return [
    { _tag: "AddSchema", schema, lastColumnId: evolved.lastColumnId },
    { _tag: "SetCurrentSchema", schemaId: lastAdded }
  ]
}

const stageSpec = (metadata: TableMetadata, { changes }: UpdatePartitionSpec): ReadonlyArray<MetadataUpdate> => {
  const { lastPartitionId, partitionSpecs } = metadata
  const base = {
    specs: partitionSpecs,
    current: defaultSpec(metadata),
    schema: currentSchema(metadata),
    lastPartitionId
  }
  const { spec } = evolvePartitionSpec(base, changes)
  const known = partitionSpecs.some(({ specId }) => specId === spec.specId)
  if (known) return [{ _tag: "SetDefaultSpec", specId: spec.specId }]
  return [
    { _tag: "AddPartitionSpec", spec },
    { _tag: "SetDefaultSpec", specId: lastAdded }
  ]
}

const fieldsText = ({ fields }: SortOrder): string =>
  fields
    .map((field) => [field.sourceId, transformToText(field.transform), field.direction, field.nullOrder].join(" "))
    .join(",")

const stageSortOrder = (metadata: TableMetadata, { by }: ReplaceSortOrder): ReadonlyArray<MetadataUpdate> => {
  const schema = currentSchema(metadata)
  const fields = by.map(({ column, direction, nullOrder, transform }): SortField => {
    const source = fieldByName(schema, column) ?? refuse(`the table has no column ${column}`)
    return { sourceId: source.id, transform, direction, nullOrder }
  })
  const orders = metadata.sortOrders
  const same = orders.find((order) => fieldsText(order) === fieldsText({ orderId: 0, fields }))
  if (same !== undefined) return [{ _tag: "SetDefaultSortOrder", sortOrderId: same.orderId }]
  const orderId = fields.length === 0 ? 0 : 1 + Math.max(...orders.map((order) => order.orderId))
  const sortOrder = { orderId, fields }
  refuseProblems(sortProblems(sortOrder, schema))
  return [
    { _tag: "AddSortOrder", sortOrder },
    { _tag: "SetDefaultSortOrder", sortOrderId: lastAdded }
  ]
}

const stageRef = (metadata: TableMetadata, { name, ref }: SetRef): ReadonlyArray<MetadataUpdate> => {
  if (name === "") refuse("a branch or tag needs a name")
  if (snapshotById(metadata, ref.snapshotId) === undefined) refuse(`it has no snapshot ${ref.snapshotId}`)
  const before = metadata.refs.get(name)
  if (before !== undefined && before.type !== ref.type)
    refuse(`${name} is a ${before.type} and cannot become a ${ref.type}`)
  if (name === mainBranch && ref.type === "tag") refuse(`${mainBranch} is a branch`)
  return [{ _tag: "SetSnapshotRef", name, ref }]
}

const stageRollback = (
  metadata: TableMetadata,
  branch: string,
  { snapshotId }: Rollback
): ReadonlyArray<MetadataUpdate> => {
  const ref = metadata.refs.get(branch) ?? refuse(`it has no branch ${branch}`)
  const line = Array.from(ancestorsOf(metadata, ref.snapshotId))
  if (!line.some((snapshot) => snapshot.snapshotId === snapshotId)) {
    refuse(`snapshot ${snapshotId} is no ancestor of ${branch}: set the branch to it if that is what you want`)
  }
  return [{ _tag: "SetSnapshotRef", name: branch, ref: { ...ref, snapshotId } }]
}

const updatesOf = (metadata: TableMetadata, branch: string, action: StructureAction): ReadonlyArray<MetadataUpdate> => {
  switch (action._tag) {
    case "UpdateSchema":
      return stageSchema(metadata, action)
    case "UpdatePartitionSpec":
      return stageSpec(metadata, action)
    case "ReplaceSortOrder":
      return stageSortOrder(metadata, action)
    case "SetProperties":
      return [
        { _tag: "SetProperties", properties: action.properties },
        { _tag: "RemoveProperties", names: action.removed }
      ]
    case "SetRef":
      return stageRef(metadata, action)
    case "RemoveRef":
      if (action.name === mainBranch) refuse(`${mainBranch} cannot be removed`)
      if (!metadata.refs.has(action.name)) refuse(`it has no branch or tag ${action.name}`)
      return [{ _tag: "RemoveSnapshotRef", name: action.name }]
    case "Rollback":
      return stageRollback(metadata, branch, action)
    case "SetStatistics":
      return stageStatistics(metadata, action)
    case "RemoveStatistics":
      return [
        { _tag: "RemoveStatistics", snapshotId: action.snapshotId },
        { _tag: "RemovePartitionStatistics", snapshotId: action.snapshotId }
      ]
    case "UpgradeFormat":
      if (action.formatVersion < metadata.formatVersion) {
        refuse(`it has format version ${metadata.formatVersion}, which does not go back to ${action.formatVersion}`)
      }
      return [{ _tag: "UpgradeFormatVersion", formatVersion: action.formatVersion }]
    case "RemoveSnapshots":
      return [
        ...action.refs.map((name): MetadataUpdate => ({ _tag: "RemoveSnapshotRef", name })),
        { _tag: "RemoveSnapshots", snapshotIds: action.snapshotIds }
      ]
  }
}

/** Statistics are of a snapshot that the table has, and say which file. */
const stageStatistics = (metadata: TableMetadata, { of, statistics }: SetStatistics): ReadonlyArray<MetadataUpdate> => {
  const { "snapshot-id": id, "statistics-path": path, "file-size-in-bytes": size } = statistics
  if ((typeof id !== "bigint" && typeof id !== "number") || typeof path !== "string" || size === undefined) {
    return refuse("statistics must say their snapshot-id, statistics-path and file-size-in-bytes")
  }
  if (snapshotById(metadata, BigInt(id)) === undefined) return refuse(`statistics: it has no snapshot ${id}`)
  return of === "table"
    ? [{ _tag: "SetStatistics", statistics }]
    : [{ _tag: "SetPartitionStatistics", partitionStatistics: statistics }]
}

const isRefused = (cause: unknown): cause is Error =>
  cause instanceof Refused || cause instanceof SchemaChangeRefused || cause instanceof PartitionChangeRefused

/** The updates that the action makes of this base. */
export const stageStructure = (
  { identifier, metadata }: Table,
  branch: string,
  action: StructureAction
): Effect.Effect<ReadonlyArray<MetadataUpdate>, LakeError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(updatesOf(metadata, branch, action))
    } catch (cause) {
      if (!isRefused(cause)) throw cause
      return Effect.fail(
        new LakeError({ reason: "Invalid", message: `table ${identifierText(identifier)}: ${cause.message}`, cause })
      )
    }
  })
