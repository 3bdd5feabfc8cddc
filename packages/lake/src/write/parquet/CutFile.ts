/**
 * Cuts a finished local Parquet file into files near a size: between row groups, whose bytes stay as they are.
 *
 * For what DuckDB writes as one file whatever its size: a partition, and sorted rows. **Guarantee**: every row group is in exactly
 * one piece, with its bloom filters, and pieces follow one another as its rows did. Page indexes, which DuckDB does not write, are
 * left out. **Bounds**: a mebibyte in memory, two files open.
 */
import { open, unlink, type FileHandle } from "node:fs/promises"
import { corrupt } from "../../spec/FormatError.ts"
import { readAt, readFooter, writeAt } from "./PartFile.ts"
import {
  footerToBytes,
  movedRowGroup,
  numberAt,
  parquetMagic,
  type ParquetFooter,
  splitOffsets,
  structAt,
  structsAt
} from "./ParquetFooter.ts"
import { type ThriftStruct, ThriftType } from "./Thrift.ts"
import { i64, listOf, structField } from "./ThriftFields.ts"

// parquet.thrift's field ids
const RowGroup = { columns: 1 } as const
const Chunk = {
  metadata: 3,
  offsetIndexOffset: 4,
  offsetIndexLength: 5,
  columnIndexOffset: 6,
  columnIndexLength: 7
} as const
const Column = { compressedBytes: 7, bloomFilterOffset: 14, bloomFilterLength: 15 } as const

const copyBytes = 1024 * 1024

/** Where a row group's pages lie. */
interface Range {
  readonly from: number
  readonly to: number
}

const columnsOf = (rowGroup: ThriftStruct): ReadonlyArray<ThriftStruct> =>
  structsAt(rowGroup, RowGroup.columns, "columns")

const metadataOf = (chunk: ThriftStruct): ThriftStruct =>
  structAt(chunk, Chunk.metadata) ?? corrupt("Parquet footer", "no column metadata")

/** Row groups lie one after another, and so do the pages of their columns. */
const rangesOf = (footer: ParquetFooter): ReadonlyArray<Range> => {
  const starts = splitOffsets(footer)
  return footer.rowGroups.map((rowGroup, i) => {
    const from = starts[i]!
    const bytes = columnsOf(rowGroup).map((chunk) => numberAt(metadataOf(chunk), Column.compressedBytes) ?? 0)
    return { from, to: bytes.reduce((sum, each) => sum + each, from) }
  })
}

const piecesIn = (bytes: number, bytesTarget: number): number => Math.max(1, Math.round(bytes / bytesTarget))

/** Which row groups become which piece: neighbours together, pieces about equal. */
const piecesOf = (ranges: ReadonlyArray<Range>, bytesTarget: number): ReadonlyArray<ReadonlyArray<number>> => {
  const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  const pieces = piecesIn(total, bytesTarget)
  let before = 0
  const piece = ranges.map(({ from, to }) => {
    const middle = before + (to - from) / 2
    before += to - from
    return Math.floor((middle * pieces) / total)
  })
  return Array.from(Map.groupBy(ranges.keys(), (i) => piece[i]).values())
}

/** Gives where the bytes end. */
const copyRange = async (source: FileHandle, target: FileHandle, { from, to }: Range, at: number): Promise<number> => {
  for (let done = from; done < to; done += copyBytes) {
    await writeAt(target, at + done - from, await readAt(source, done, Math.min(copyBytes, to - done)))
  }
  return at + to - from
}

/** The chunk without page indexes, which stay behind, and with its bloom filter at `filterAt`, if it has one. */
const withFilter = (chunk: ThriftStruct, filterAt: number | undefined): ThriftStruct => {
  const metadata = new Map(metadataOf(chunk))
  if (filterAt !== undefined) metadata.set(Column.bloomFilterOffset, i64(filterAt))
  else for (const id of [Column.bloomFilterOffset, Column.bloomFilterLength]) metadata.delete(id)
  const out = new Map(chunk).set(Chunk.metadata, structField(metadata))
  for (const id of [
    Chunk.offsetIndexOffset,
    Chunk.offsetIndexLength,
    Chunk.columnIndexOffset,
    Chunk.columnIndexLength
  ]) {
    out.delete(id)
  }
  return out
}

const filterRange = (chunk: ThriftStruct): Range | undefined => {
  const from = numberAt(metadataOf(chunk), Column.bloomFilterOffset) ?? 0
  const length = numberAt(metadataOf(chunk), Column.bloomFilterLength) ?? 0
  return from > 0 && length > 0 ? { from, to: from + length } : undefined
}

const writePiece = async (
  source: FileHandle,
  path: string,
  { metadata }: ParquetFooter,
  rowGroups: ReadonlyArray<ThriftStruct>,
  range: Range
): Promise<void> => {
  const target = await open(path, "wx")
  try {
    await writeAt(target, 0, parquetMagic)
    let end = await copyRange(source, target, range, parquetMagic.length)
    const written: Array<ThriftStruct> = []
    for (const [ordinal, rowGroup] of rowGroups.entries()) {
      const moved = movedRowGroup(rowGroup, parquetMagic.length - range.from, ordinal)
      const chunks: Array<ThriftStruct> = []
      for (const [column, chunk] of columnsOf(rowGroup).entries()) {
        // filters lie behind all row groups, and so they do in the piece
        const filter = filterRange(chunk)
        chunks.push(withFilter(columnsOf(moved)[column]!, filter === undefined ? undefined : end))
        if (filter !== undefined) end = await copyRange(source, target, filter, end)
      }
      written.push(new Map(moved).set(RowGroup.columns, listOf(ThriftType.Struct, chunks)))
    }
    await writeAt(target, end, footerToBytes({ metadata, rowGroups: written }))
  } finally {
    await target.close()
  }
}

/** Paths of the pieces, in order; the file itself where it is not much larger than the target, else it is removed. */
export const cutFile = async (path: string, bytesTarget: number): Promise<ReadonlyArray<string>> => {
  const source = await open(path, "r")
  const pieces: Array<string> = []
  try {
    // most files are small: their footers are not read for it
    if (piecesIn((await source.stat()).size, bytesTarget) < 2) return [path]
    const { footer } = await readFooter(source)
    const ranges = rangesOf(footer)
    const divided = piecesOf(ranges, bytesTarget)
    if (divided.length < 2) return [path]
    for (const [i, groups] of divided.entries()) {
      const piece = `${path}.${i}`
      const range = { from: ranges[groups[0]!]!.from, to: ranges[groups.at(-1)!]!.to }
      const rowGroups = groups.map((group) => footer.rowGroups[group]!)
      await writePiece(source, piece, footer, rowGroups, range)
      pieces.push(piece)
    }
  } finally {
    await source.close()
  }
  await unlink(path)
  return pieces
}
