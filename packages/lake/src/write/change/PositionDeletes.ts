/**
 * Writes position delete files: which rows of which data file are gone (specification, "Position Delete Files").
 *
 * One for each data file, as its readers need no other then. Rows that an earlier delete file means are left out, so that
 * counts tell rows.
 */
import { join } from "node:path"
import { Storage } from "@frazil/core"
import { Effect } from "effect"
import { sqlText, type DuckDbConnection } from "../../io/DuckDb.ts"
import { randomUuid } from "../../io/RandomIds.ts"
import { fromFormat, type LakeError } from "../../LakeError.ts"
import type { ScanPlan } from "../../read/PlanScan.ts"
import { type DeleteFile, deletePathId, deletePositionId } from "../../spec/DataFile.ts"
import { dataFolder } from "../../spec/Locations.ts"
import type { ManifestEntry } from "../../spec/Manifest.ts"
import { fullMetrics } from "../../spec/MetricsMode.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import { specById } from "../../spec/TableMetadata.ts"
import { dataFileUri } from "../parquet/DataFileUri.ts"
import { footerMetrics } from "../parquet/Metrics.ts"
import { fromDuckDbError, fromFileError, fromStorageError, type ParquetError } from "../parquet/ParquetError.ts"
import { footerRowCount } from "../parquet/ParquetFooter.ts"
import { PartFile } from "../parquet/PartFile.ts"

/** The columns of such a file, both with reserved ids. */
const deleteSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: deletePathId, name: "file_path", required: true, type: { _tag: "string" } },
    { id: deletePositionId, name: "pos", required: true, type: { _tag: "long" } }
  ]
}

export interface PositionDeletesRequest {
  readonly plan: ScanPlan
  readonly entry: ManifestEntry
  /** SELECT of the positions, in a column `pos`. */
  readonly positions: string
}

/** Writes one file of the entry's deleted rows; nothing is committed. `folder` is for the file in the making. */
export const writePositionDeletes = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  folder: string,
  { entry, plan, positions }: PositionDeletesRequest
): Effect.fn.Return<DeleteFile, LakeError | ParquetError, Storage> {
  const storage = yield* Storage
  const { metadata } = plan
  const { dataFile } = entry
  const name = `delete-${yield* randomUuid}`
  const path = join(folder, `${name}.parquet`)
  const copy = `COPY (SELECT ${sqlText(dataFile.filePath)} AS file_path, pos::BIGINT AS pos FROM (${positions}) ORDER BY pos)
    TO ${sqlText(path)} (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, USE_TMP_FILE false,
    FIELD_IDS {file_path: ${deletePathId}, pos: ${deletePositionId}})`
  yield* Effect.mapError(connection.run(copy, "writing a delete file"), fromDuckDbError)
  const footer = yield* Effect.uninterruptible(
    Effect.tryPromise({ try: async () => (await PartFile.start(path)).finish(), catch: fromFileError })
  )
  const { spec, metrics } = yield* Effect.try({
    try: () => ({
      spec: specById(metadata, dataFile.specId),
      metrics: footerMetrics(footer, deleteSchema, () => fullMetrics)
    }),
    catch: fromFormat("delete file of", metadata.location)
  })
  const uri = dataFileUri(dataFolder(metadata), spec, dataFile.partition, name)
  const stored = yield* Effect.mapError(storage.writeNewFromFile(uri, path), fromStorageError)
  return {
    filePath: stored.uri,
    fileFormat: "PARQUET",
    content: "position-deletes",
    specId: dataFile.specId,
    partition: dataFile.partition,
    recordCount: BigInt(footerRowCount(footer)),
    fileSizeInBytes: BigInt(stored.sizeBytes),
    ...metrics,
    sortOrderId: null,
    equalityIds: [],
    referencedDataFile: dataFile.filePath,
    contentOffset: null,
    contentSizeInBytes: null
  }
})
