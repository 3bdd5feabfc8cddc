/**
 * The footer of a Parquet file: reads it, joins the footers of parts into that of one file, and tells what it says.
 *
 * DuckDB writes a part of a data file at a time, each a small Parquet file of its own. Their bodies, appended one after
 * another, are the body of one file whose footer lists all row groups with their offsets moved (parquet.thrift). Pure.
 */
import { corrupt } from "../../spec/FormatError.ts"
import { leafType, type LeafFacts } from "./FooterType.ts"
import {
  thriftFromBytes,
  thriftToBytes,
  ThriftType,
  type ThriftField,
  type ThriftList,
  type ThriftStruct,
  type ThriftValue
} from "./Thrift.ts"
import { i64, listOf, structField } from "./ThriftFields.ts"

/** `PAR1`, which begins and ends the file. */
export const parquetMagic = Uint8Array.of(0x50, 0x41, 0x52, 0x31)

/** Footer length and magic, at the file's end. */
export const trailerLength = 8

export interface ParquetFooter {
  readonly metadata: ThriftStruct
  readonly rowGroups: ReadonlyArray<ThriftStruct>
}

/** One column of one row group. Absent statistics are undefined. */
export interface ColumnChunk {
  /** Undefined for a column written without one. */
  readonly fieldId: number | undefined
  /** parquet.thrift's Type: 0 boolean, 1 int32, 2 int64, 5 double, 6 byte array, 7 fixed-length byte array. */
  readonly physicalType: number
  readonly valueCount: number
  readonly compressedBytes: number
  readonly nullCount: number | undefined
  /** Least and greatest value in Parquet's plain encoding; or below and above it, where the writer shortened text. */
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
}

// Field ids of parquet.thrift.
const FileMetaData = { schema: 2, rowCount: 3, rowGroups: 4 } as const
const SchemaElement = {
  type: 1,
  repetition: 3,
  name: 4,
  childCount: 5,
  convertedType: 6,
  scale: 7,
  precision: 8,
  fieldId: 9,
  logicalType: 10
} as const
const RowGroup = { columns: 1, rowCount: 3, fileOffset: 5, ordinal: 7 } as const
const Chunk = { fileOffset: 2, metadata: 3, offsetIndexOffset: 4, columnIndexOffset: 6 } as const
const ChunkMetadata = {
  type: 1,
  valueCount: 5,
  compressedBytes: 7,
  dataPageOffset: 9,
  indexPageOffset: 10,
  dictionaryPageOffset: 11,
  statistics: 12,
  bloomFilterOffset: 14
} as const
const Statistics = { nullCount: 3, max: 5, min: 6 } as const

const missing = (what: string): never => corrupt("Parquet footer", `no ${what}`)

const isStruct = (value: ThriftValue | undefined): value is ThriftStruct => value instanceof Map
const isList = (value: ThriftValue | undefined): value is ThriftList =>
  typeof value === "object" && !(value instanceof Uint8Array) && "items" in value

export const numberAt = (struct: ThriftStruct, id: number): number | undefined => {
  const value = struct.get(id)?.value
  return typeof value === "number" ? value : undefined
}
const bytesAt = (struct: ThriftStruct, id: number): Uint8Array | undefined => {
  const value = struct.get(id)?.value
  return value instanceof Uint8Array ? value : undefined
}
export const structAt = (struct: ThriftStruct, id: number): ThriftStruct | undefined => {
  const value = struct.get(id)?.value
  return isStruct(value) ? value : undefined
}
export const structsAt = (struct: ThriftStruct, id: number, what: string): ReadonlyArray<ThriftStruct> => {
  const value = struct.get(id)?.value
  return isList(value) && value.items.every(isStruct) ? value.items : missing(what)
}

/** Length of the footer from a file's last `trailerLength` bytes. */
export const footerLength = (trailer: Uint8Array): number => {
  if (trailer.length !== trailerLength || parquetMagic.some((byte, i) => trailer[4 + i] !== byte)) {
    return corrupt("Parquet file", "it does not end with PAR1")
  }
  return new DataView(trailer.buffer, trailer.byteOffset, trailerLength).getUint32(0, true)
}

export const footerFromBytes = (bytes: Uint8Array): ParquetFooter => {
  const metadata = thriftFromBytes(bytes)
  return { metadata, rowGroups: structsAt(metadata, FileMetaData.rowGroups, "row groups") }
}

const withField = (struct: ThriftStruct, id: number, field: ThriftField): ThriftStruct => new Map(struct).set(id, field)

/** Moves offsets that are set; DuckDB writes 0 for the deprecated ones that it leaves out. */
const moved = (struct: ThriftStruct, ids: ReadonlyArray<number>, by: number): ThriftStruct => {
  const out = new Map(struct)
  for (const id of ids) {
    const field = struct.get(id)
    if (field !== undefined && typeof field.value === "number" && field.value > 0) {
      out.set(id, { type: field.type, value: field.value + by })
    }
  }
  return out
}

const chunkOffsets = [Chunk.fileOffset, Chunk.offsetIndexOffset, Chunk.columnIndexOffset]
const pageOffsets = [
  ChunkMetadata.dataPageOffset,
  ChunkMetadata.indexPageOffset,
  ChunkMetadata.dictionaryPageOffset,
  ChunkMetadata.bloomFilterOffset
]

/** The row group as it is where its bytes lie `by` further on, as the `ordinal`-th of its file. */
export const movedRowGroup = (rowGroup: ThriftStruct, by: number, ordinal: number): ThriftStruct => {
  const items = structsAt(rowGroup, RowGroup.columns, "columns").map((chunk) => {
    const metadata = structAt(chunk, Chunk.metadata) ?? missing("column metadata")
    return withField(moved(chunk, chunkOffsets, by), Chunk.metadata, structField(moved(metadata, pageOffsets, by)))
  })
  const out = withField(moved(rowGroup, [RowGroup.fileOffset], by), RowGroup.columns, listOf(ThriftType.Struct, items))
  const numbered = out.get(RowGroup.ordinal)
  return numbered === undefined ? out : withField(out, RowGroup.ordinal, { type: numbered.type, value: ordinal })
}

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, i) => byte === right[i])

const schemaBytes = (footer: ParquetFooter): Uint8Array =>
  thriftToBytes(new Map([[1, footer.metadata.get(FileMetaData.schema) ?? missing("schema")]]))

/**
 * `whole`, followed by the row groups of `part`, whose body was appended to the file `by` bytes further on than it was in
 * its own file. Throws FormatError when the parts have different schemas.
 */
export const appendFooter = (whole: ParquetFooter, part: ParquetFooter, by: number): ParquetFooter => {
  if (!sameBytes(schemaBytes(whole), schemaBytes(part))) corrupt("Parquet footer", "parts have different schemas")
  const rowGroups = [
    ...whole.rowGroups,
    ...part.rowGroups.map((rowGroup, i) => movedRowGroup(rowGroup, by, whole.rowGroups.length + i))
  ]
  return { metadata: whole.metadata, rowGroups }
}

/** Rows of all row groups. */
export const footerRowCount = (footer: ParquetFooter): number =>
  footer.rowGroups.reduce(
    (sum, rowGroup) => sum + (numberAt(rowGroup, RowGroup.rowCount) ?? missing("number of rows")),
    0
  )

/** Footer, its length and the magic: all that follows a file's body. */
export const footerToBytes = (footer: ParquetFooter): Uint8Array => {
  const metadata = new Map(footer.metadata)
    .set(FileMetaData.rowCount, i64(footerRowCount(footer)))
    .set(FileMetaData.rowGroups, listOf(ThriftType.Struct, footer.rowGroups))
  const bytes = thriftToBytes(metadata)
  const out = new Uint8Array(bytes.length + trailerLength)
  out.set(bytes)
  new DataView(out.buffer).setUint32(bytes.length, bytes.length, true)
  out.set(parquetMagic, bytes.length + 4)
  return out
}

/** One element of a file's schema, parents before children. */
export interface FooterElement {
  readonly name: string
  readonly childCount: number
  readonly repeated: boolean
  /** parquet.thrift's ConvertedType; of logical types, what stands for it: 1 map, 3 list. */
  readonly convertedType: number | undefined
  readonly fieldId: number | undefined
  /** A leaf's type as the specification spells it; undefined where it is not sure. */
  readonly primitive: string | undefined
  /** Digits after the point that it says its decimals have: at each of the two places where it may. */
  readonly scales: ReadonlyArray<number>
}

const repeated = 2
/** Fields of the union LogicalType. */
const LogicalType = { map: 2, list: 3, decimal: 5 } as const

const utf8 = new TextDecoder()

/** The one member of a union: of times it is their unit. */
const memberOf = (union: ThriftStruct): number | undefined => union.keys().next().value

const logicalOf = (logical: ThriftStruct | undefined): LeafFacts["logical"] => {
  const member = logical === undefined ? undefined : memberOf(logical)
  if (logical === undefined || member === undefined) return undefined
  return {
    member,
    says: (id) => {
      const value = structAt(logical, member)?.get(id)?.value
      return isStruct(value) ? memberOf(value) : value
    }
  }
}

const primitiveOf = (element: ThriftStruct): string | undefined =>
  leafType({
    type: numberAt(element, SchemaElement.type),
    convertedType: numberAt(element, SchemaElement.convertedType),
    scale: numberAt(element, SchemaElement.scale),
    precision: numberAt(element, SchemaElement.precision),
    logical: logicalOf(structAt(element, SchemaElement.logicalType))
  })

const scalesOf = (element: ThriftStruct): ReadonlyArray<number> => {
  const logical = logicalOf(structAt(element, SchemaElement.logicalType))
  const said = [
    numberAt(element, SchemaElement.scale),
    logical?.member === LogicalType.decimal ? logical.says(1) : undefined
  ]
  return said.filter((scale) => typeof scale === "number")
}

/** The file's schema. */
export const footerElements = (footer: ParquetFooter): ReadonlyArray<FooterElement> =>
  structsAt(footer.metadata, FileMetaData.schema, "schema").map((element) => {
    const logical = structAt(element, SchemaElement.logicalType)
    const ofLogical =
      logical?.has(LogicalType.map) === true ? 1 : logical?.has(LogicalType.list) === true ? 3 : undefined
    return {
      name: utf8.decode(bytesAt(element, SchemaElement.name) ?? missing("name of a column")),
      childCount: numberAt(element, SchemaElement.childCount) ?? 0,
      repeated: numberAt(element, SchemaElement.repetition) === repeated,
      convertedType: numberAt(element, SchemaElement.convertedType) ?? ofLogical,
      fieldId: numberAt(element, SchemaElement.fieldId),
      primitive: primitiveOf(element),
      scales: scalesOf(element)
    }
  })

/** Field ids of the leaves, in the order of a row group's columns. */
const leafFieldIds = (footer: ParquetFooter): ReadonlyArray<number | undefined> =>
  structsAt(footer.metadata, FileMetaData.schema, "schema")
    .filter((element) => (numberAt(element, SchemaElement.childCount) ?? 0) === 0)
    .map((element) => numberAt(element, SchemaElement.fieldId))

/** What each row group says of each column. */
export const columnChunks = (footer: ParquetFooter): ReadonlyArray<ReadonlyArray<ColumnChunk>> => {
  const fieldIds = leafFieldIds(footer)
  return footer.rowGroups.map((rowGroup) =>
    structsAt(rowGroup, RowGroup.columns, "columns").map((chunk, column) => {
      const metadata = structAt(chunk, Chunk.metadata) ?? missing("column metadata")
      const statistics = structAt(metadata, ChunkMetadata.statistics) ?? new Map<number, ThriftField>()
      return {
        fieldId: fieldIds[column],
        physicalType: numberAt(metadata, ChunkMetadata.type) ?? missing("column type"),
        valueCount: numberAt(metadata, ChunkMetadata.valueCount) ?? missing("number of values"),
        compressedBytes: numberAt(metadata, ChunkMetadata.compressedBytes) ?? missing("column size"),
        nullCount: numberAt(statistics, Statistics.nullCount),
        min: bytesAt(statistics, Statistics.min),
        max: bytesAt(statistics, Statistics.max)
      }
    })
  )
}

/** Where each row group begins: its first page, ascending (a manifest's `split_offsets`). */
export const splitOffsets = (footer: ParquetFooter): ReadonlyArray<number> =>
  footer.rowGroups.map((rowGroup) =>
    Math.min(
      ...structsAt(rowGroup, RowGroup.columns, "columns").flatMap((chunk) => {
        const metadata = structAt(chunk, Chunk.metadata) ?? missing("column metadata")
        const dictionary = numberAt(metadata, ChunkMetadata.dictionaryPageOffset) ?? 0
        const data = numberAt(metadata, ChunkMetadata.dataPageOffset) ?? missing("data page offset")
        return dictionary > 0 ? [dictionary, data] : [data]
      })
    )
  )
