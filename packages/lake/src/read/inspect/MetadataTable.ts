/**
 * The metadata tables of an Iceberg table: their names, columns, and which of them have a moment.
 *
 * Pure. Names and columns are those of Java (Spark, Trino) and PyIceberg's `inspect`.
 */
import {
  type Column,
  contentColumns,
  type FileColumns,
  metricsColumn,
  partitionColumn,
  structOf
} from "./FileColumns.ts"

export const metadataTables = [
  "snapshots",
  "history",
  "refs",
  "metadata_log_entries",
  "files",
  "data_files",
  "delete_files",
  "manifests",
  "partitions",
  "entries"
] as const

export type MetadataTable = (typeof metadataTables)[number]

const names: ReadonlySet<string> = new Set(metadataTables)

export const isMetadataTable = (name: string): name is MetadataTable => names.has(name)

const ofWholeTable: ReadonlySet<MetadataTable> = new Set(["snapshots", "history", "refs", "metadata_log_entries"])

/** Whether it tells of one snapshot; the others tell of the table as it is now, and have no other moment. */
export const hasMoment = (name: MetadataTable): boolean => !ofWholeTable.has(name)

const instant = "TIMESTAMP WITH TIME ZONE"

const summaries = `${structOf([
  ["contains_null", "BOOLEAN"],
  ["contains_nan", "BOOLEAN"],
  ["lower_bound", "VARCHAR"],
  ["upper_bound", "VARCHAR"]
])}[]`

const partitionsColumns = (columns: FileColumns): ReadonlyArray<Column> => [
  ...partitionColumn(columns),
  ...(columns.partition.length === 0 ? [] : [["spec_id", "INTEGER"] as const]),
  ["record_count", "BIGINT"],
  ["file_count", "INTEGER"],
  ["total_data_file_size_in_bytes", "BIGINT"],
  ["position_delete_record_count", "BIGINT"],
  ["position_delete_file_count", "INTEGER"],
  ["equality_delete_record_count", "BIGINT"],
  ["equality_delete_file_count", "INTEGER"],
  ["last_updated_at", instant],
  ["last_updated_snapshot_id", "BIGINT"]
]

const manifestsColumns: ReadonlyArray<Column> = [
  ["content", "INTEGER"],
  ["path", "VARCHAR"],
  ["length", "BIGINT"],
  ["partition_spec_id", "INTEGER"],
  ["added_snapshot_id", "BIGINT"],
  ["added_data_files_count", "INTEGER"],
  ["existing_data_files_count", "INTEGER"],
  ["deleted_data_files_count", "INTEGER"],
  ["added_delete_files_count", "INTEGER"],
  ["existing_delete_files_count", "INTEGER"],
  ["deleted_delete_files_count", "INTEGER"],
  ["partition_summaries", summaries]
]

const wholeColumns: Readonly<Record<"snapshots" | "history" | "refs" | "metadata_log_entries", ReadonlyArray<Column>>> =
  {
    snapshots: [
      ["committed_at", instant],
      ["snapshot_id", "BIGINT"],
      ["parent_id", "BIGINT"],
      ["operation", "VARCHAR"],
      ["manifest_list", "VARCHAR"],
      ["summary", "MAP(VARCHAR, VARCHAR)"]
    ],
    history: [
      ["made_current_at", instant],
      ["snapshot_id", "BIGINT"],
      ["parent_id", "BIGINT"],
      ["is_current_ancestor", "BOOLEAN"]
    ],
    refs: [
      ["name", "VARCHAR"],
      ["type", "VARCHAR"],
      ["snapshot_id", "BIGINT"],
      ["max_reference_age_in_ms", "BIGINT"],
      ["min_snapshots_to_keep", "INTEGER"],
      ["max_snapshot_age_in_ms", "BIGINT"]
    ],
    metadata_log_entries: [
      ["timestamp", instant],
      ["file", "VARCHAR"],
      ["latest_snapshot_id", "BIGINT"],
      ["latest_schema_id", "INTEGER"],
      ["latest_sequence_number", "BIGINT"]
    ]
  }

export const columnsOf = (name: MetadataTable, columns: FileColumns): ReadonlyArray<Column> => {
  switch (name) {
    case "snapshots":
    case "history":
    case "refs":
    case "metadata_log_entries":
      return wholeColumns[name]
    case "files":
    case "data_files":
    case "delete_files":
      return [...contentColumns(columns), ...metricsColumn(columns)]
    case "manifests":
      return manifestsColumns
    case "partitions":
      return partitionsColumns(columns)
    case "entries":
      return [
        // 0: existing, 1: added, 2: deleted
        ["status", "INTEGER"],
        ["snapshot_id", "BIGINT"],
        ["sequence_number", "BIGINT"],
        ["file_sequence_number", "BIGINT"],
        ["data_file", structOf(contentColumns(columns))],
        ...metricsColumn(columns)
      ]
  }
}
