/**
 * Data files and delete files as manifests describe them (Iceberg specification, "Data File Fields").
 *
 * The Parquet writer makes the former from what it wrote; the append action puts it into a manifest. What another engine, or
 * a deletion here, says of rows that are gone comes as the latter.
 */

/** What files of both kinds have. */
export interface ContentFile {
  /** Full URI, `file:///…`. */
  readonly filePath: string
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

export interface DataFile extends ContentFile {
  readonly fileFormat: "PARQUET"
  /** Of format version 3: the id of its first row; the others follow. Absent where rows have none, or none yet. */
  readonly firstRowId?: bigint
}

/** Rows that are gone: by file and position, or by what they equal. */
export interface DeleteFile extends ContentFile {
  readonly content: "position-deletes" | "equality-deletes"
  /** `PUFFIN`: a deletion vector, a range of a Puffin file. */
  readonly fileFormat: "PARQUET" | "PUFFIN"
  /** Field ids whose values make a row equal; empty for position deletes. */
  readonly equalityIds: ReadonlyArray<number>
  /** The one data file that all positions are of; null when there may be several. */
  readonly referencedDataFile: string | null
  /** Where a deletion vector lies in its file. */
  readonly contentOffset: bigint | null
  readonly contentSizeInBytes: bigint | null
}

/** A deletion vector: it means rows of one data file, and is the only delete file that means positions of it. */
export const isVector = ({ fileFormat }: Pick<DeleteFile, "fileFormat">): boolean => fileFormat === "PUFFIN"

/** What tells files apart: several deletion vectors lie in one file. */
export const contentKey = (file: DataFile | DeleteFile): string =>
  "contentOffset" in file ? `${file.filePath}@${String(file.contentOffset)}` : file.filePath

/** Columns of a file of position deletes (specification, "Reserved Field IDs"). */
export const deletePathId = 2_147_483_546
export const deletePositionId = 2_147_483_545

export type PartitionValue = number | bigint | string | boolean | Uint8Array | null
