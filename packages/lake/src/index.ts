export { days, Landing, landingShard, type LandingOptions } from "./landing/Landing.ts"
export { runLanding } from "./landing/RunLanding.ts"
export type { LandingRun } from "./landing/LandingOptions.ts"
export { type LandingMonitor, type LandingStatus, makeLandingMonitor } from "./landing/LandingStatus.ts"
export { LakeError } from "./LakeError.ts"
export { Catalog, identifierFromText, identifierText, type Table, type TableIdentifier } from "./catalog/Catalog.ts"
export { layerSqliteCatalog, type SqliteCatalogOptions } from "./catalog/SqliteCatalog.ts"
export { layerRestCatalog } from "./catalog/rest/RestCatalog.ts"
export { openRestClient, type RestClient } from "./catalog/rest/RestClient.ts"
export {
  restPatienceDefault,
  type RestAccess,
  type RestCatalogOptions,
  type RestPatience
} from "./catalog/rest/RestOptions.ts"
export type { View, ViewDefinition, ViewText, ViewVersion } from "./catalog/rest/RestView.ts"
export { makePointerCatalog } from "./catalog/PointerCatalog.ts"
export type { TablePointers } from "./catalog/TablePointers.ts"
export { FileIO } from "./io/FileIO.ts"
export { Recent } from "./io/Recent.ts"
export { checkCells } from "./write/parquet/CellCheck.ts"
export { DataFileWriter } from "./write/DataFileWriter.ts"
export { readRowFile, rowFileWriter, type StoredRow } from "./write/rows/RowFileWriter.ts"
export { rowFileRewriter } from "./write/rows/RowFileRewriter.ts"
export { DuckDb } from "./io/DuckDb.ts"
export { planScan, type ScanOptions, type ScanPlan } from "./read/PlanScan.ts"
export { isLocal, localPaths, withLocalFiles } from "./read/LocalFiles.ts"
export type { AppendsOptions } from "./read/incremental/PlanAppends.ts"
export { type ChangesOptions, readAppends, readChanges } from "./read/incremental/ReadIncremental.ts"
export type { Between } from "./read/incremental/SnapshotsBetween.ts"
export { tableRelation } from "./read/TableRelation.ts"
export { checkFiles, type FileCheck, fileChecks, runChecks } from "./read/CheckFiles.ts"
export { commitTable } from "./write/CommitTable.ts"
export {
  append,
  cherryPick,
  removeRef,
  removeStatistics,
  replaceSortOrder,
  rollback,
  setProperties,
  setRef,
  setStatistics,
  updatePartitionSpec,
  updateSchema,
  upgradeFormat
} from "./write/TableAction.ts"
export {
  appendRows,
  overwritePartitions,
  overwriteRows,
  type RowsOptions,
  upsertRows
} from "./write/change/AppendRows.ts"
export { type DeleteOptions, deleteRows } from "./write/change/DeleteRows.ts"
export type { SchemaChange } from "./spec/SchemaChange.ts"
export type { PartitionChange } from "./spec/PartitionChange.ts"
export { readTable, type JsonRow, type ReadOptions, type TableRows } from "./read/ReadTable.ts"
export { streamTable } from "./read/StreamTable.ts"
export { listHistory, listSnapshots, type HistoryRow, type SnapshotRow } from "./read/TableHistory.ts"
export { hasMoment, isMetadataTable, type MetadataTable, metadataTables } from "./read/inspect/MetadataTable.ts"
export {
  metadataRelation,
  type MetadataRelation,
  type MetadataTableOptions,
  readMetadataTable
} from "./read/inspect/ReadMetadataTable.ts"
export type { AsOf } from "./read/AsOf.ts"
export type { Filter, Operator } from "./read/Filter.ts"
export { auditFacts, type FactsReport } from "./maintenance/audit/AuditFacts.ts"
export { type FactProblem, isRepairable } from "./maintenance/audit/FactProblem.ts"
export { repairFacts, type RepairReport } from "./maintenance/audit/RepairFacts.ts"
export { auditTable, type AuditOptions } from "./landing/Audit.ts"
export type { AuditReport, OffsetFigures, OffsetSample, PartitionAudit } from "./landing/AuditReport.ts"
export { landingProgress, type LandingProgress } from "./landing/LandingProgress.ts"
export { readMarks } from "./landing/Mark.ts"
export { partitionPath } from "./spec/PartitionSpec.ts"
export { currentSchema, currentSnapshot, defaultSpec, specById } from "./spec/TableMetadata.ts"
export { transformToText } from "./spec/Transform.ts"
export type { DataFile } from "./spec/DataFile.ts"
export type { TableSchema } from "./spec/Schema.ts"
export { type Type, typeToJson } from "./spec/Type.ts"
export { FileRewriter } from "./maintenance/FileRewriter.ts"
export { compactTable } from "./maintenance/Compact.ts"
export { compactManifests } from "./maintenance/CompactManifests.ts"
export { expireSnapshots } from "./maintenance/Expire.ts"
export { removeOrphans } from "./maintenance/RemoveOrphans.ts"
export type { MaintenanceAction, MaintenanceReport } from "./maintenance/MaintenanceReport.ts"
