/**
 * Deletion vectors of a scan: read when it is planned, and anti-joined as SQL (specification, "Deletion Vectors").
 *
 * A vector lies in a Puffin file, which DuckDB does not read: its positions stand in the relation's text, runs as two numbers.
 * **Bounds**: a vector of more than `vectorBytesMax` is refused by the reader of files; its text is below 20 bytes a run.
 */
import { Effect } from "effect"
import { FileIO } from "../io/FileIO.ts"
import { sqlText } from "../io/DuckDb.ts"
import type { RowPositions } from "../io/puffin/RowPositions.ts"
import { LakeError } from "../LakeError.ts"
import { isVector, type DeleteFile } from "../spec/DataFile.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import type { DeleteEntry } from "./DeletesOf.ts"

/** By entry, the rows that its vector means. */
export type Vectors = ReadonlyMap<ManifestEntry, RowPositions>

const readsMax = 8

const damaged = (entry: ManifestEntry, what: string): LakeError =>
  new LakeError({ reason: "Corrupt", message: `data file ${entry.dataFile.filePath}: ${what}` })

const readVector = Effect.fnUntraced(function* (entry: ManifestEntry, [vector, ...others]: ReadonlyArray<DeleteFile>) {
  if (vector === undefined || others.length > 0) {
    return yield* damaged(entry, `${others.length + 1} deletion vectors mean it where one may`)
  }
  const positions = yield* (yield* FileIO).readDeletionVector(vector)
  if (BigInt(positions.end) <= entry.dataFile.recordCount) return [entry, positions] as const
  return yield* damaged(entry, `its deletion vector means row ${positions.end - 1} of ${entry.dataFile.recordCount}`)
})

export const readVectors = Effect.fnUntraced(function* (
  deletes: ReadonlyMap<ManifestEntry, ReadonlyArray<DeleteEntry>>
): Effect.fn.Return<Vectors, LakeError, FileIO> {
  const wanted = Array.from(
    deletes,
    ([entry, of]) => [entry, of.map(({ dataFile }) => dataFile).filter(isVector)] as const
  ).filter(([, vectors]) => vectors.length > 0)
  const read = yield* Effect.forEach(wanted, ([entry, vectors]) => readVector(entry, vectors), {
    concurrency: readsMax
  })
  return new Map(read)
})

/** `5,7:9`: single positions, and runs with the position after their last. */
const textOf = ({ bounds }: RowPositions): string => {
  const runs: Array<string> = []
  for (let i = 0; i < bounds.length; i += 2) {
    runs.push(bounds[i + 1]! - bounds[i]! === 1 ? String(bounds[i]) : `${bounds[i]}:${bounds[i + 1]}`)
  }
  return runs.join(",")
}

/** `vectors` in the order in which the scan `d` reads the data files; undefined of a file that has none. */
export const vectorAntiJoin = (vectors: ReadonlyArray<RowPositions | undefined>, alias: string): string => {
  const texts = vectors.flatMap((positions, i) =>
    positions === undefined ? [] : [`(${i}, ${sqlText(textOf(positions))})`]
  )
  const runs = `SELECT i, string_split(unnest(string_split(t, ',')), ':') AS r FROM (VALUES ${texts.join(", ")}) AS v(i, t)`
  const rows = `SELECT i, unnest(range(r[1]::BIGINT, coalesce(r[2]::BIGINT, r[1]::BIGINT + 1))) AS row FROM (${runs})`
  return `ANTI JOIN (${rows}) AS ${alias} ON ${alias}.i = d.file_index AND ${alias}.row = d.file_row_number`
}
