/**
 * One data file as a manifest describes it (Iceberg specification, "Data File Fields").
 *
 * The Parquet writer makes it from what it wrote; the append action puts it into a manifest.
 */

export interface DataFile {
  /** Full URI, `file:///…`. */
  readonly filePath: string
  readonly fileFormat: "PARQUET"
  readonly specId: number
  /** One value per partition field, in the spec's order; days() gives days since 1970. */
  readonly partition: ReadonlyArray<PartitionValue>
  readonly recordCount: bigint
  readonly fileSizeInBytes: bigint
  /** By field id; nested leaf fields included. */
  readonly columnSizes: ReadonlyMap<number, bigint>
  readonly valueCounts: ReadonlyMap<number, bigint>
  readonly nullValueCounts: ReadonlyMap<number, bigint>
  readonly nanValueCounts: ReadonlyMap<number, bigint>
  /** Single-value serialisation (specification, appendix D), by field id. */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>
  readonly upperBounds: ReadonlyMap<number, Uint8Array>
  readonly splitOffsets: ReadonlyArray<bigint>
  readonly sortOrderId: number | null
}

export type PartitionValue = number | bigint | string | boolean | Uint8Array | null
