/**
 * A small table as values, for tests of the lake: schema, spec, metadata and data files.
 */
import type { DataFile, PartitionValue } from "../src/spec/DataFile.ts"
import { newTableMetadata } from "../src/spec/MetadataUpdate.ts"
import { partitionSpec } from "../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../src/spec/Schema.ts"
import { singleValueToBytes } from "../src/spec/SingleValue.ts"
import { unsorted } from "../src/spec/SortOrder.ts"
import type { TableMetadata } from "../src/spec/TableMetadata.ts"

export const eventSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "event_id", required: true, type: { _tag: "string" } },
    { id: 2, name: "event_timestamp", required: true, type: { _tag: "timestamptz" } },
    { id: 3, name: "amount", required: false, type: { _tag: "decimal", precision: 18, scale: 2 } },
    { id: 4, name: "source_offset", required: true, type: { _tag: "long" } }
  ]
}

export const eventSpec = partitionSpec(eventSchema, [{ column: "event_timestamp", transform: { _tag: "day" } }])

export const eventTable = (properties: ReadonlyMap<string, string> = new Map()): TableMetadata =>
  newTableMetadata({
    tableUuid: "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    location: "file:///warehouse/transactions/raw",
    schema: eventSchema,
    partitionSpec: eventSpec,
    sortOrder: unsorted,
    properties,
    createdMs: 1_700_000_000_000
  })

/** A data file that exists only in metadata: `rows` rows of offsets from `offset` on, in the partition of `day`. */
export const eventFile = (name: string, day: number, offset: number, rows: number): DataFile => {
  const long = (value: number) => singleValueToBytes({ _tag: "long" }, BigInt(value))
  const counts = (count: number) => new Map([1, 2, 3, 4].map((id) => [id, BigInt(count)]))
  const partition: ReadonlyArray<PartitionValue> = [day]
  return {
    filePath: `file:///warehouse/transactions/raw/data/${name}.parquet`,
    fileFormat: "PARQUET",
    specId: 0,
    partition,
    recordCount: BigInt(rows),
    fileSizeInBytes: 1000n,
    columnSizes: counts(100),
    valueCounts: counts(rows),
    nullValueCounts: counts(0),
    nanValueCounts: new Map(),
    lowerBounds: new Map([[4, long(offset)]]),
    upperBounds: new Map([[4, long(offset + rows - 1)]]),
    splitOffsets: [4n],
    sortOrderId: null
  }
}
