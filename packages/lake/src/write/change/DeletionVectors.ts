/**
 * Writes deletion vectors: which rows of data files are gone, in tables of format version 3 (specification, "Deletion Vectors").
 *
 * One Puffin file holds the vectors of a change. Each vector has every row that is gone, by whatever delete file, so that it
 * stands in the place of the data file's older vector and of position deletes that mean nothing else.
 */
import { Storage } from "@frazil/core"
import { Effect } from "effect"
import type { DuckDbConnection } from "../../io/DuckDb.ts"
import { encodeVector } from "../../io/puffin/DeletionVector.ts"
import { encodePuffin, vectorBlobType } from "../../io/puffin/PuffinFile.ts"
import { RowPositions } from "../../io/puffin/RowPositions.ts"
import { randomUuid } from "../../io/RandomIds.ts"
import type { LakeError } from "../../LakeError.ts"
import type { ScanPlan } from "../../read/PlanScan.ts"
import { positionsRelation, rowColumn } from "../../read/TableRelation.ts"
import { isVector, type DeleteFile } from "../../spec/DataFile.ts"
import { dataFolder } from "../../spec/Locations.ts"
import type { ManifestEntry } from "../../spec/Manifest.ts"
import { fromDuckDbError, fromStorageError, type ParquetError } from "../parquet/ParquetError.ts"
import { rowDataFile } from "../rows/RowFileWriter.ts"

/** The field that vectors are about: the position of a row (reserved field ids). */
const positionFieldId = 2_147_483_645

export interface WrittenVectors {
  readonly deletes: ReadonlyArray<DeleteFile>
  /** What the new ones stand in the place of. */
  readonly replaced: ReadonlyArray<DeleteFile>
}

/** What is left of the runs below `end`. */
const complement = (kept: RowPositions, end: number): RowPositions => RowPositions.fromRuns([0, ...kept.bounds, end])

/** Rows of the entry that are gone when those that the condition means go too. */
const goneRows = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  plan: ScanPlan,
  entry: ManifestEntry,
  condition: string
): Effect.fn.Return<RowPositions, LakeError | ParquetError> {
  const relation = yield* Effect.fromResult(positionsRelation({ ...plan, entries: [entry] }))
  const runs = `SELECT min(place)::DOUBLE AS a, max(place)::DOUBLE + 1 AS b FROM (
    SELECT ${rowColumn} AS place, ${rowColumn} - row_number() OVER (ORDER BY ${rowColumn}) AS run FROM (${relation}) WHERE (${condition}) IS NOT TRUE) GROUP BY run ORDER BY a`
  const reader = yield* Effect.mapError(connection.query(runs, "looking for rows that stay"), fromDuckDbError)
  return complement(RowPositions.fromRuns(reader.getRows().flat().map(Number)), Number(entry.dataFile.recordCount))
})

/** The entry's delete files that mean no other data file. */
const ownDeletes = (plan: ScanPlan, entry: ManifestEntry): ReadonlyArray<DeleteFile> =>
  (plan.deletes.get(entry) ?? [])
    .map(({ dataFile }) => dataFile)
    .filter((file) => isVector(file) || (file.content === "position-deletes" && file.referencedDataFile !== null))

/** Writes the vectors of the entries; nothing is committed. `condition` means the rows that are to go. */
export const writeDeletionVectors = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  plan: ScanPlan,
  entries: ReadonlyArray<ManifestEntry>,
  condition: string
): Effect.fn.Return<WrittenVectors, LakeError | ParquetError, Storage> {
  if (entries.length === 0) return { deletes: [], replaced: [] }
  const storage = yield* Storage
  const gone = yield* Effect.forEach(entries, (entry) => goneRows(connection, plan, entry, condition))
  const blobs = gone.map((positions, i) => ({
    type: vectorBlobType,
    fields: [positionFieldId],
    snapshotId: -1n,
    sequenceNumber: -1n,
    bytes: encodeVector(positions),
    properties: new Map([
      ["referenced-data-file", entries[i]!.dataFile.filePath],
      ["cardinality", String(positions.count)]
    ])
  }))
  const { bytes, offsets } = encodePuffin(blobs, new Map([["created-by", "frazil"]]))
  const filePath = `${dataFolder(plan.metadata)}/deletes-${yield* randomUuid}.puffin`
  yield* Effect.mapError(storage.writeNew(filePath, bytes), fromStorageError)
  const deletes = entries.map(({ dataFile }, i): DeleteFile => ({
    ...rowDataFile(filePath, dataFile.specId, dataFile.partition, gone[i]!.count, bytes.length),
    fileFormat: "PUFFIN",
    content: "position-deletes",
    equalityIds: [],
    referencedDataFile: dataFile.filePath,
    contentOffset: BigInt(offsets[i]!),
    contentSizeInBytes: BigInt(blobs[i]!.bytes.length)
  }))
  return { deletes, replaced: entries.flatMap((entry) => ownDeletes(plan, entry)) }
})
