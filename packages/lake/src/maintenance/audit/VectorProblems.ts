/**
 * What manifests say of deletion vectors, against the Puffin files that they lie in: where, how many rows, of which data file
 * (specification, "Deletion Vectors"; Puffin specification, `deletion-vector-v1`).
 */
import { normaliseUri } from "@frazil/core"
import { Effect } from "effect"
import { FileIO } from "../../io/FileIO.ts"
import { type ReadBlob, vectorBlobType } from "../../io/puffin/PuffinFile.ts"
import type { LakeError } from "../../LakeError.ts"
import { type ContentFile, type DataFile, type DeleteFile, isVector } from "../../spec/DataFile.ts"
import type { FactKind, FactProblem } from "./FactProblem.ts"

type Problems = ReadonlyArray<FactProblem>

/** Rows of the snapshot's data files, by path. */
export type RowsOf = ReadonlyMap<string, bigint>

export const rowsOfFiles = (files: ReadonlyArray<DataFile>): RowsOf =>
  new Map(files.map(({ filePath, recordCount }) => [normaliseUri(filePath), recordCount]))

export const areVectors = (files: ReadonlyArray<ContentFile>): ReadonlyArray<DeleteFile> =>
  files.filter((file): file is DeleteFile => "content" in file && isVector(file as DeleteFile)) // those of deletes have a content

const problem = (file: DeleteFile, kind: FactKind, what: string): FactProblem => ({
  kind,
  where: file.filePath,
  message: `the deletion vector of ${file.referencedDataFile ?? "no file"}: ${what}`
})

const isOf = (file: DeleteFile, { properties, type }: ReadBlob): boolean => {
  const referenced = properties.get("referenced-data-file")
  return (
    type === vectorBlobType &&
    referenced !== undefined &&
    normaliseUri(referenced) === normaliseUri(file.referencedDataFile ?? "")
  )
}

const isThere = (file: DeleteFile, { length, offset }: ReadBlob): boolean =>
  offset === file.contentOffset && length === file.contentSizeInBytes

/** The vector with the place that its own file says; undefined when that says none, or several. */
const placed = (file: DeleteFile, blobs: ReadonlyArray<ReadBlob>): DeleteFile | undefined => {
  const [own, ...others] = blobs.filter((blob) => isOf(file, blob))
  if (own === undefined || others.length > 0) return undefined
  return { ...file, contentOffset: own.offset, contentSizeInBytes: own.length }
}

/** Each problem of a live vector. The file's size must be what it is. */
export const vectorProblems = Effect.fnUntraced(function* (
  file: DeleteFile,
  rowsOf: RowsOf
): Effect.fn.Return<Problems, LakeError, FileIO> {
  const fileIO = yield* FileIO
  const blobs = yield* fileIO.readPuffinBlobs(file)
  const own = placed(file, blobs)
  const there = blobs.find((blob) => isThere(file, blob))
  if (there === undefined || !isOf(file, there)) {
    const told = `its manifest says ${file.contentSizeInBytes} bytes from ${file.contentOffset}`
    return own === undefined
      ? [problem(file, "vector", `${told}, where its file has no such vector`)]
      : [problem(file, "vector-place", `${told}, its file ${own.contentSizeInBytes} from ${own.contentOffset}`)]
  }
  const positions = yield* fileIO.readDeletionVector(file, "counted")
  const rows = rowsOf.get(normaliseUri(file.referencedDataFile ?? ""))
  const beyond = rows !== undefined && BigInt(positions.end) > rows
  return [
    ...(BigInt(positions.count) === file.recordCount
      ? []
      : [problem(file, "record-count", `its manifest says ${file.recordCount} rows, it has ${positions.count}`)]),
    ...(beyond ? [problem(file, "vector", `it means row ${positions.end - 1} of ${rows}`)] : [])
  ]
})

/** A data file has at most one vector. */
export const doubledVectors = (vectors: ReadonlyArray<DeleteFile>): Problems => {
  const byFile = Map.groupBy(vectors, ({ referencedDataFile }) => normaliseUri(referencedDataFile ?? ""))
  return Array.from(byFile.values()).flatMap(([first, ...others]) =>
    first === undefined || others.length === 0
      ? []
      : [problem(first, "vector", `there are ${others.length + 1} of them where one may be`)]
  )
}

/** What is to be said of a vector, by its own file. */
export const vectorFacts = Effect.fnUntraced(function* (
  file: DeleteFile
): Effect.fn.Return<Partial<DeleteFile>, LakeError, FileIO> {
  const fileIO = yield* FileIO
  const blobs = yield* fileIO.readPuffinBlobs(file)
  const right = blobs.some((blob) => isThere(file, blob) && isOf(file, blob)) ? file : placed(file, blobs)
  if (right === undefined) return {}
  const { contentOffset, contentSizeInBytes } = right
  const positions = yield* fileIO.readDeletionVector(right, "counted")
  return { contentOffset, contentSizeInBytes, recordCount: BigInt(positions.count) }
})
