/**
 * Requirements and updates as the REST catalog protocol writes them (OpenAPI: TableRequirement, TableUpdate). Pure.
 */
import type { JsonObject } from "../../spec/Json.ts"
import { stringMapToJson } from "../../spec/JsonRead.ts"
import type { MetadataUpdate } from "../../spec/MetadataUpdate.ts"
import { partitionSpecToJson } from "../../spec/PartitionSpec.ts"
import type { Requirement } from "../../spec/Requirement.ts"
import { schemaToJson } from "../../spec/Schema.ts"
import { refToJson, snapshotToJson } from "../../spec/Snapshot.ts"
import { sortOrderToJson } from "../../spec/SortOrder.ts"
import type { StructureUpdate } from "../../spec/StructureUpdate.ts"

export const requirementToJson = (requirement: Requirement): JsonObject => {
  switch (requirement._tag) {
    case "AssertTableUuid":
      return { type: "assert-table-uuid", uuid: requirement.tableUuid }
    case "AssertRefSnapshot":
      return { type: "assert-ref-snapshot-id", ref: requirement.ref, "snapshot-id": requirement.snapshotId }
    case "AssertLastAssignedFieldId":
      return { type: "assert-last-assigned-field-id", "last-assigned-field-id": requirement.fieldId }
    case "AssertCurrentSchemaId":
      return { type: "assert-current-schema-id", "current-schema-id": requirement.schemaId }
    case "AssertLastAssignedPartitionId":
      return { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": requirement.partitionId }
    case "AssertDefaultSpecId":
      return { type: "assert-default-spec-id", "default-spec-id": requirement.specId }
    case "AssertDefaultSortOrderId":
      return { type: "assert-default-sort-order-id", "default-sort-order-id": requirement.sortOrderId }
  }
}

const structureToJson = (update: StructureUpdate): JsonObject => {
  switch (update._tag) {
    case "AssignUuid":
      return { action: "assign-uuid", uuid: update.uuid }
    case "UpgradeFormatVersion":
      return { action: "upgrade-format-version", "format-version": update.formatVersion }
    case "AddSchema":
      return { action: "add-schema", schema: schemaToJson(update.schema), "last-column-id": update.lastColumnId }
    case "SetCurrentSchema":
      return { action: "set-current-schema", "schema-id": update.schemaId }
    case "AddPartitionSpec":
      return { action: "add-spec", spec: partitionSpecToJson(update.spec) }
    case "SetDefaultSpec":
      return { action: "set-default-spec", "spec-id": update.specId }
    case "AddSortOrder":
      return { action: "add-sort-order", "sort-order": sortOrderToJson(update.sortOrder) }
    case "SetDefaultSortOrder":
      return { action: "set-default-sort-order", "sort-order-id": update.sortOrderId }
    case "SetLocation":
      return { action: "set-location", location: update.location }
    case "SetStatistics":
      return { action: "set-statistics", statistics: update.statistics }
    case "RemoveStatistics":
      return { action: "remove-statistics", "snapshot-id": update.snapshotId }
    case "SetPartitionStatistics":
      return { action: "set-partition-statistics", "partition-statistics": update.partitionStatistics }
    case "RemovePartitionStatistics":
      return { action: "remove-partition-statistics", "snapshot-id": update.snapshotId }
    case "RemoveSchemas":
      return { action: "remove-schemas", "schema-ids": update.schemaIds }
    case "RemovePartitionSpecs":
      return { action: "remove-partition-specs", "spec-ids": update.specIds }
  }
}

const updateToJson = (update: MetadataUpdate): JsonObject => {
  switch (update._tag) {
    case "AddSnapshot":
      return { action: "add-snapshot", snapshot: snapshotToJson(update.snapshot) }
    case "SetSnapshotRef":
      return { action: "set-snapshot-ref", "ref-name": update.name, ...refToJson(update.ref) }
    case "SetProperties":
      return { action: "set-properties", updates: stringMapToJson(update.properties) }
    case "RemoveProperties":
      return { action: "remove-properties", removals: update.names }
    case "RemoveSnapshots":
      return { action: "remove-snapshots", "snapshot-ids": update.snapshotIds }
    case "RemoveSnapshotRef":
      return { action: "remove-snapshot-ref", "ref-name": update.name }
    default:
      return structureToJson(update)
  }
}

/** Updates that change nothing are left out: some servers reject them. */
export const updatesToJson = (updates: ReadonlyArray<MetadataUpdate>): ReadonlyArray<JsonObject> =>
  updates
    .filter(
      (update) =>
        !(update._tag === "SetProperties" && update.properties.size === 0) &&
        !(update._tag === "RemoveProperties" && update.names.length === 0) &&
        !(update._tag === "RemoveSnapshots" && update.snapshotIds.length === 0)
    )
    .map(updateToJson)
