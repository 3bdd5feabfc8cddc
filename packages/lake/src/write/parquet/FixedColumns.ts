/**
 * Columns of type `fixed`: DuckDB writes their values as byte arrays of any length, and this makes Parquet's fixed-length byte
 * arrays of them (specification, appendix A, "Parquet").
 *
 * Called for a finished local file that has such columns, before it is measured. Pages are decoded, lengths taken out, pages
 * encoded again; every other byte is copied. **Guarantee**: a value of another length fails. **Bounds**: a column of a row group
 * is in memory.
 */
import { open, rename, type FileHandle } from "node:fs/promises"
import * as zlib from "node:zlib"
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import { leafFields, type TableSchema } from "../../spec/Schema.ts"
import { Codec, Encoding, PageType, PhysicalType, Repetition } from "./ParquetEnums.ts"
import { readAt, readFooter, writeAt } from "./PartFile.ts"
import { footerToBytes, numberAt, parquetMagic, structAt, structsAt, type ParquetFooter } from "./ParquetFooter.ts"
import { thriftPrefix, thriftToBytes, ThriftType, type ThriftField, type ThriftStruct } from "./Thrift.ts"
import { i32, i64, listOf, structField } from "./ThriftFields.ts"

// parquet.thrift's field ids
const FileMetaData = { schema: 2 } as const
const Element = { type: 1, typeLength: 2, repetition: 3, childCount: 5, fieldId: 9 } as const
const RowGroup = { columns: 1, totalBytes: 2, fileOffset: 5, compressedBytes: 6 } as const
const Chunk = { fileOffset: 2, metadata: 3, offsetIndexOffset: 4 } as const
const Column = {
  type: 1,
  codec: 4,
  uncompressedBytes: 6,
  compressedBytes: 7,
  dataPageOffset: 9,
  dictionaryPageOffset: 11,
  bloomFilterOffset: 14,
  sizeStatistics: 16
} as const
const Page = { type: 1, uncompressedBytes: 2, compressedBytes: 3, crc: 4, data: 5 } as const

interface Compression {
  readonly decode: (bytes: Uint8Array) => Uint8Array
  readonly encode: (bytes: Uint8Array) => Uint8Array
}

const compressions: ReadonlyMap<number, Compression> = new Map([
  [Codec.none, { decode: (bytes: Uint8Array) => bytes, encode: (bytes: Uint8Array) => bytes }],
  [Codec.gzip, { decode: zlib.gunzipSync, encode: zlib.gzipSync }],
  // older runtimes have none
  ...(typeof zlib.zstdCompressSync === "function"
    ? [[Codec.zstd, { decode: zlib.zstdDecompressSync, encode: zlib.zstdCompressSync }] as const]
    : [])
])

const lengthsOf = (schema: TableSchema): ReadonlyMap<number, number> =>
  new Map(leafFields(schema).flatMap(({ id, type }) => (type._tag === "fixed" ? [[id, type.length] as const] : [])))

/** COPY's compression for files of the schema: one that this runtime has too, where pages are to be written anew. */
export const compressionSql = (schema: TableSchema, level: number): string =>
  lengthsOf(schema).size === 0 || compressions.has(Codec.zstd)
    ? `COMPRESSION zstd, COMPRESSION_LEVEL ${level}`
    : "COMPRESSION gzip"

/** A leaf of the file's schema that is to be of fixed length. */
interface FixedLeaf {
  readonly length: number
  /** Whether levels stand before a page's values. */
  readonly repeats: boolean
  readonly optional: boolean
}

/** Leaves in the order of a row group's columns, and the schema with those of fixed length as such. */
const planLeaves = (elements: ReadonlyArray<ThriftStruct>, lengths: ReadonlyMap<number, number>) => {
  const leaves: Array<FixedLeaf | undefined> = []
  const changed: Array<ThriftStruct> = []
  let at = 0
  const walk = (above: Omit<FixedLeaf, "length">, isRoot: boolean): void => {
    const element = elements[at++] ?? corrupt("Parquet footer", "its schema ends too early")
    const repetition = numberAt(element, Element.repetition) ?? Repetition.required
    const levels = isRoot
      ? above
      : {
          repeats: above.repeats || repetition === Repetition.repeated,
          optional: above.optional || repetition !== Repetition.required
        }
    const children = numberAt(element, Element.childCount) ?? 0
    const length = lengths.get(numberAt(element, Element.fieldId) ?? -1)
    const isFixed = children === 0 && length !== undefined
    changed.push(
      isFixed
        ? new Map(element).set(Element.type, i32(PhysicalType.fixed)).set(Element.typeLength, i32(length))
        : element
    )
    if (children === 0) leaves.push(isFixed ? { ...levels, length } : undefined)
    for (let i = 0; i < children; i++) walk(levels, false)
  }
  walk({ repeats: false, optional: false }, true)
  return { leaves, elements: changed }
}

/** Values without the lengths before them. */
const withoutLengths = (bytes: Uint8Array, length: number): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.length / (4 + length)
  if (!Number.isInteger(count)) corrupt("Parquet page", `its values are not all of ${length} bytes`)
  const out = new Uint8Array(count * length)
  for (let i = 0, from = 0; i < count; i++, from += 4 + length) {
    if (view.getUint32(from, true) !== length) corrupt("Parquet page", `a value has not ${length} bytes`)
    out.set(bytes.subarray(from + 4, from + 4 + length), i * length)
  }
  return out
}

/** Where a data page's values begin: behind its repetition and definition levels, each with its length before it. */
const valuesFrom = (bytes: Uint8Array, { optional, repeats }: FixedLeaf): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  for (const written of [repeats, optional]) if (written) at += 4 + view.getUint32(at, true)
  return at
}

const convertPage = (header: ThriftStruct, bytes: Uint8Array, leaf: FixedLeaf): Uint8Array => {
  if (numberAt(header, Page.type) === PageType.dictionary) return withoutLengths(bytes, leaf.length)
  if (numberAt(header, Page.type) !== PageType.data)
    return unsupported("a Parquet page of another kind than DuckDB writes")
  const encoding = numberAt(structAt(header, Page.data) ?? new Map<number, ThriftField>(), 2)
  if (encoding === Encoding.plainDictionary || encoding === Encoding.rleDictionary) return bytes
  if (encoding !== Encoding.plain) return unsupported("a Parquet page in another encoding than DuckDB writes")
  const from = valuesFrom(bytes, leaf)
  return Buffer.concat([bytes.subarray(0, from), withoutLengths(bytes.subarray(from), leaf.length)])
}

interface Converted {
  readonly bytes: Uint8Array
  readonly uncompressedBytes: number
  /** By where a page began in the old chunk, where it begins in the new one. */
  readonly pages: ReadonlyMap<number, number>
}

const convertChunk = (chunk: Uint8Array, codec: Compression, leaf: FixedLeaf): Converted => {
  const parts: Array<Uint8Array> = []
  const pages = new Map<number, number>()
  let [at, written, uncompressedBytes] = [0, 0, 0]
  while (at < chunk.length) {
    pages.set(at, written)
    const { length, struct } = thriftPrefix(chunk.subarray(at))
    const size = numberAt(struct, Page.compressedBytes) ?? corrupt("Parquet page", "no size")
    const body = chunk.subarray(at + length, at + length + size)
    const page = convertPage(struct, codec.decode(body), leaf)
    const encoded = codec.encode(page)
    const changed = new Map(struct)
      .set(Page.uncompressedBytes, i32(page.length))
      .set(Page.compressedBytes, i32(encoded.length))
    changed.delete(Page.crc)
    const header = thriftToBytes(changed)
    parts.push(header, encoded)
    at += length + size
    written += header.length + encoded.length
    uncompressedBytes += header.length + page.length
  }
  return { bytes: Buffer.concat(parts), uncompressedBytes, pages }
}

/** A column chunk to be converted, as the footer has it. */
interface Planned {
  readonly metadata: ThriftStruct
  readonly leaf: FixedLeaf
  readonly from: number
  readonly to: number
}

interface Moved extends Planned {
  readonly converted: Converted
  /** How much further on than before everything behind it lies. */
  readonly shift: number
  readonly newFrom: number
}

const metadataOf = (chunk: ThriftStruct): ThriftStruct =>
  structAt(chunk, Chunk.metadata) ?? corrupt("Parquet footer", "no column metadata")

const planChunks = (footer: ParquetFooter, leaves: ReadonlyArray<FixedLeaf | undefined>): ReadonlyArray<Planned> =>
  footer.rowGroups
    .flatMap((group) =>
      structsAt(group, RowGroup.columns, "columns").flatMap((chunk, i): ReadonlyArray<Planned> => {
        const leaf = leaves[i]
        if (leaf === undefined) return []
        const metadata = metadataOf(chunk)
        if ((numberAt(chunk, Chunk.offsetIndexOffset) ?? 0) > 0) unsupported("a Parquet file with an index of pages")
        const data = numberAt(metadata, Column.dataPageOffset) ?? corrupt("Parquet footer", "no data page offset")
        const dictionary = numberAt(metadata, Column.dictionaryPageOffset) ?? 0
        const from = dictionary > 0 ? Math.min(dictionary, data) : data
        const size = numberAt(metadata, Column.compressedBytes) ?? corrupt("Parquet footer", "no column size")
        return [{ metadata, leaf, from, to: from + size }]
      })
    )
    .sort((a, b) => a.from - b.from)

const copyBytes = 1024 * 1024

/** Writes the body anew, with the chunks converted. */
const writeBody = async (
  source: FileHandle,
  target: FileHandle,
  bodyEnd: number,
  planned: ReadonlyArray<Planned>
): Promise<{ readonly moved: ReadonlyArray<Moved>; readonly end: number }> => {
  const moved: Array<Moved> = []
  await writeAt(target, 0, parquetMagic)
  let [at, end] = [parquetMagic.length, parquetMagic.length]
  const copyTo = async (until: number) => {
    while (at < until) {
      const bytes = await readAt(source, at, Math.min(copyBytes, until - at))
      await writeAt(target, end, bytes)
      at += bytes.length
      end += bytes.length
    }
  }
  for (const each of planned) {
    await copyTo(each.from)
    const number = numberAt(each.metadata, Column.codec) ?? 0
    const codec = compressions.get(number) ?? unsupported(`Parquet's codec ${number} in a column of fixed length`)
    const converted = convertChunk(await readAt(source, each.from, each.to - each.from), codec, each.leaf)
    const newFrom = end
    await writeAt(target, end, converted.bytes)
    at = each.to
    end += converted.bytes.length
    moved.push({ ...each, converted, newFrom, shift: end - at })
  }
  await copyTo(bodyEnd)
  return { moved, end }
}

/** Where a place of the old file is in the new one. */
const mover =
  (moved: ReadonlyArray<Moved>) =>
  (offset: number): number => {
    const before = moved.findLast(({ from }) => from <= offset)
    if (before === undefined) return offset
    const inside = offset < before.to ? before.converted.pages.get(offset - before.from) : undefined
    return inside === undefined ? offset + before.shift : before.newFrom + inside
  }

const withOffsets = (struct: ThriftStruct, ids: ReadonlyArray<number>, place: (offset: number) => number) => {
  const out = new Map(struct)
  for (const id of ids) {
    const field = struct.get(id)
    // 0 stands for offsets that are left out
    if (typeof field?.value === "number" && field.value > 0) out.set(id, { ...field, value: place(field.value) })
  }
  return out
}

const movedFooter = (
  footer: ParquetFooter,
  elements: ReadonlyArray<ThriftStruct>,
  moved: ReadonlyArray<Moved>
): ParquetFooter => {
  const place = mover(moved)
  const ofMetadata = new Map(moved.map((each) => [each.metadata, each.converted]))
  const rowGroups = footer.rowGroups.map((group) => {
    let [less, lessCompressed] = [0, 0]
    const items = structsAt(group, RowGroup.columns, "columns").map((chunk) => {
      const old = metadataOf(chunk)
      const converted = ofMetadata.get(old)
      const metadata = withOffsets(
        old,
        [Column.dataPageOffset, Column.dictionaryPageOffset, Column.bloomFilterOffset],
        place
      )
      if (converted !== undefined) {
        less += (numberAt(old, Column.uncompressedBytes) ?? 0) - converted.uncompressedBytes
        lessCompressed += (numberAt(old, Column.compressedBytes) ?? 0) - converted.bytes.length
        metadata
          .set(Column.type, i32(PhysicalType.fixed))
          .set(Column.uncompressedBytes, i64(converted.uncompressedBytes))
          .set(Column.compressedBytes, i64(converted.bytes.length))
        metadata.delete(Column.sizeStatistics)
      }
      return withOffsets(chunk, [Chunk.fileOffset], place).set(Chunk.metadata, structField(metadata))
    })
    const out = withOffsets(group, [RowGroup.fileOffset], place)
    out.set(RowGroup.columns, listOf(ThriftType.Struct, items))
    for (const [id, by] of [
      [RowGroup.totalBytes, less],
      [RowGroup.compressedBytes, lessCompressed]
    ] as const) {
      const total = numberAt(group, id)
      if (total !== undefined) out.set(id, i64(total - by))
    }
    return out
  })
  const metadata = new Map(footer.metadata).set(FileMetaData.schema, listOf(ThriftType.Struct, elements))
  return { metadata, rowGroups }
}

/** Makes columns of fixed length of the schema's `fixed` ones; a file without any stays as it is. */
export const fixColumns = async (path: string, schema: TableSchema): Promise<void> => {
  const lengths = lengthsOf(schema)
  if (lengths.size === 0) return
  const source = await open(path, "r")
  try {
    const { bodyEnd, footer } = await readFooter(source)
    const { elements, leaves } = planLeaves(structsAt(footer.metadata, FileMetaData.schema, "schema"), lengths)
    const target = await open(`${path}.fixed`, "w")
    try {
      const { end, moved } = await writeBody(source, target, bodyEnd, planChunks(footer, leaves))
      await writeAt(target, end, footerToBytes(movedFooter(footer, elements, moved)))
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
  await rename(`${path}.fixed`, path)
}
