/**
 * Rewrites files of rows, as `FileRewriter` does files of Parquet: for the simulated world, provided in its place.
 *
 * Rows keep their order. **Guarantee**: as many rows as the manifests promised, else it fails.
 */
import { faultPoint, Storage } from "@frazil/core"
import { Effect } from "effect"
import { randomUuid } from "../../io/RandomIds.ts"
import { fromFormat, LakeError } from "../../LakeError.ts"
import { rangesOf, type RewriteRequest } from "../../maintenance/FileRewriter.ts"
import type { DataFile } from "../../spec/DataFile.ts"
import { dataFolder } from "../../spec/Locations.ts"
import { specById } from "../../spec/TableMetadata.ts"
import { dataFileUri } from "../parquet/DataFileUri.ts"
import { fromStorageError } from "../parquet/ParquetError.ts"
import { encodeRows, readRowFile, rowDataFile, type StoredRow } from "./RowFileWriter.ts"

const rewrite = Effect.fnUntraced(function* ({ group, plan, publish }: RewriteRequest) {
  const storage = yield* Storage
  const { metadata } = plan
  const [first] = group.files
  if (first === undefined) return []
  const rows: Array<StoredRow> = []
  for (const { filePath } of group.files) {
    const bytes = yield* Effect.mapError(storage.read(filePath), fromStorageError)
    rows.push(...(yield* Effect.try({ try: () => readRowFile(bytes), catch: fromFormat("file of rows", filePath) })))
  }
  const promised = group.files.reduce((sum, file) => sum + Number(file.recordCount), 0)
  if (promised !== rows.length) {
    return yield* new LakeError({
      reason: "Corrupt",
      message: `table ${metadata.location}: files to be rewritten hold ${rows.length} rows where their manifests promise ${promised}; nothing was replaced`
    })
  }
  const spec = yield* Effect.try({
    try: () => specById(metadata, first.specId),
    catch: fromFormat("table metadata", metadata.location)
  })
  return yield* Effect.forEach(rangesOf(rows.length, group.pieces), (range) =>
    Effect.gen(function* () {
      yield* faultPoint("before-lake-file")
      const bytes = encodeRows(rows.slice(range.from, range.from + range.rows))
      const uri = dataFileUri(dataFolder(metadata), spec, first.partition, `compact-${yield* randomUuid}`)
      yield* faultPoint("mid-lake-file")
      if (publish) yield* Effect.mapError(storage.writeNew(uri, bytes), fromStorageError)
      yield* faultPoint("after-lake-file")
      return rowDataFile(uri, spec.specId, first.partition, range.rows, bytes.length) satisfies DataFile
    })
  )
})

/** The rewriter, to be provided as `FileRewriter`. It needs no DuckDB. */
export const rowFileRewriter = { rewrite } as const
