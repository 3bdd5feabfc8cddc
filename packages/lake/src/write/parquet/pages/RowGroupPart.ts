/**
 * A row group's pages, compressed, as a part of a file: the bytes of its body, and the footer of a file that is it alone
 * (parquet.thrift's PageHeader, ColumnMetaData, RowGroup, FileMetaData).
 */
import type { WrittenColumn } from "../ColumnPlan.ts"
import { Codec, Encoding, PageType } from "../ParquetEnums.ts"
import { parquetMagic, type ParquetFooter } from "../ParquetFooter.ts"
import { ThriftType, thriftToBytes, type ThriftField, type ThriftStruct } from "../Thrift.ts"
import { binary, flag, i32, i64, listOf, nested, struct } from "../ThriftFields.ts"
import type { ColumnPages, Page, Statistics } from "./ColumnPages.ts"
import { compress } from "./Compress.ts"
import { physicalType, schemaElements } from "./Elements.ts"

/** A part of a file that lies in memory. */
export interface MemoryPart {
  /** What stands between the magic and the footer. */
  readonly pieces: ReadonlyArray<Uint8Array>
  /** Offsets as in a file that is this part alone. */
  readonly footer: ParquetFooter
}

const createdBy = "frazil version 0.1.0"

/** The body as it grows. */
interface Body {
  readonly pieces: Array<Uint8Array>
  at: number
  uncompressed: number
}

const putPage = async (body: Body, bytes: Uint8Array, level: number, type: number, details: ThriftField) => {
  const compressed = await compress(bytes, level)
  const header = thriftToBytes(
    struct({
      1: i32(type),
      2: i32(bytes.length),
      3: i32(compressed.length),
      [type === PageType.data ? 5 : 7]: details
    })
  )
  body.pieces.push(header, compressed)
  body.at += header.length + compressed.length
  body.uncompressed += header.length + bytes.length
}

const encodingOf = ({ indexed }: Page): number => (indexed ? Encoding.rleDictionary : Encoding.plain)

const dataPage = (page: Page): ThriftField =>
  nested({ 1: i32(page.rows), 2: i32(encodingOf(page)), 3: i32(Encoding.rle), 4: i32(Encoding.rle) })

const statisticsOf = (statistics: Statistics | undefined, nulls: number): ThriftField => {
  const { exact, max, min } = statistics ?? { exact: true, min: undefined, max: undefined }
  return nested({
    3: i64(nulls),
    5: max === undefined ? undefined : binary(max),
    6: min === undefined ? undefined : binary(min),
    7: max === undefined ? undefined : flag(exact),
    8: min === undefined ? undefined : flag(exact)
  })
}

/** How many pages of each kind: readers may then trust that a dictionary has every value. */
const pageCounts = (pages: ReadonlyArray<Page>): ThriftField => {
  const indexed = pages.filter((page) => page.indexed).length
  const counts = [
    [PageType.dictionary, Encoding.plain, indexed > 0 ? 1 : 0],
    [PageType.data, Encoding.rleDictionary, indexed],
    [PageType.data, Encoding.plain, pages.length - indexed]
  ] as const
  return listOf(
    ThriftType.Struct,
    counts
      .filter(([, , count]) => count > 0)
      .map(([type, encoding, count]) => struct({ 1: i32(type), 2: i32(encoding), 3: i32(count) }))
  )
}

/** Writes a column's pages; gives its ColumnChunk. */
const putChunk = async (
  body: Body,
  { field }: WrittenColumn,
  column: ColumnPages,
  rows: number,
  level: number
): Promise<ThriftStruct> => {
  const [start, before] = [body.at, body.uncompressed]
  const pages = column.finish()
  const indexed = pages.some((page) => page.indexed)
  if (indexed) {
    const { bytes, values } = column.dictionary
    await putPage(body, bytes, level, PageType.dictionary, nested({ 1: i32(values), 2: i32(Encoding.plain) }))
  }
  const dataAt = body.at
  for (const page of pages) await putPage(body, page.bytes, level, PageType.data, dataPage(page))
  const encodings = [Encoding.rle, Encoding.plain, ...(indexed ? [Encoding.rleDictionary] : [])]
  const metadata = nested({
    1: i32(physicalType(field.type)),
    2: listOf(ThriftType.I32, encodings),
    3: listOf(ThriftType.Binary, [binary(field.name).value]),
    4: i32(Codec.zstd),
    5: i64(rows),
    6: i64(body.uncompressed - before),
    7: i64(body.at - start),
    9: i64(dataAt),
    11: indexed ? i64(start) : undefined,
    12: statisticsOf(column.statistics, column.nullCount),
    13: pageCounts(pages)
  })
  return struct({ 2: i64(0), 3: metadata })
}

/** Ends the columns' pages and compresses them. The columns may be cleared when it is done. */
export const rowGroupPart = async (
  written: ReadonlyArray<WrittenColumn>,
  columns: ReadonlyArray<ColumnPages>,
  rows: number,
  level: number
): Promise<MemoryPart> => {
  const body: Body = { pieces: [], at: parquetMagic.length, uncompressed: 0 }
  const chunks: Array<ThriftStruct> = []
  for (const [i, column] of written.entries()) chunks.push(await putChunk(body, column, columns[i]!, rows, level))
  const rowGroup = struct({
    1: listOf(ThriftType.Struct, chunks),
    2: i64(body.uncompressed),
    3: i64(rows),
    5: i64(parquetMagic.length),
    6: i64(body.at - parquetMagic.length),
    7: { type: ThriftType.I16, value: 0 }
  })
  const typeOrder = struct({ 1: nested({}) })
  const metadata = struct({
    1: i32(1),
    2: schemaElements(written),
    3: i64(rows),
    4: listOf(ThriftType.Struct, [rowGroup]),
    6: binary(createdBy),
    // bounds are by the order of each type: readers do not trust them where this is not said
    7: listOf(
      ThriftType.Struct,
      written.map(() => typeOrder)
    )
  })
  return { pieces: body.pieces, footer: { metadata, rowGroups: [rowGroup] } }
}
