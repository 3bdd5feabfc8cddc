/**
 * Avro object container files: what manifests and manifest lists are.
 *
 * A small, closed codec: the schema goes into the header as it was given, with `field-id` and `logicalType`; deflate only,
 * since DuckDB's reader takes no other compression; longs are bigint. Encoding is a pure function: equal values give equal bytes.
 */
import { createHash } from "node:crypto"
import { deflateRawSync, inflateRawSync } from "node:zlib"
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import { parseJson, printJson, type JsonValue } from "../../spec/Json.ts"
import { Recent } from "../Recent.ts"
import { ByteReader, avroReader, type AvroReader } from "./AvroDecode.ts"
import { ByteWriter, avroWriter } from "./AvroEncode.ts"
import { avroTypeFromJson, type AvroType } from "./AvroType.ts"
import type { AvroValue } from "./AvroValue.ts"

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const syncLength = 16

/** A block ends when it holds this much, as in the reference implementation. */
const blockBytesTarget = 64_000
/** Or this much, where what follows is of another kind: smaller ones compress worse. */
const blockBytesMin = 16_000

/** What a block is inflated by at once: one that is as long as our writers make them comes out in one piece. */
const inflateChunkBytes = 128 * 1024

/** A block that inflates to more than this is refused: a manifest's blocks are a thousandth of it. */
const blockBytesMax = 256 * 1024 * 1024

export interface AvroFile {
  /** Header entries, `avro.*` included. */
  readonly header: ReadonlyMap<string, string>
  readonly schema: AvroType
  readonly values: ReadonlyArray<AvroValue>
}

/** A block as it lies in the file. */
export interface AvroBlock {
  /** The place of its first value among all. */
  readonly first: number
  readonly count: number
  readonly data: Uint8Array
}

/** How values are divided among blocks, and what the header says of those. */
export interface Division {
  /** Whether the value at this place is of another kind than the one before it. */
  readonly parts: (at: number) => boolean
  readonly header: (blocks: ReadonlyArray<AvroBlock>) => ReadonlyMap<string, string>
}

const undivided: Division = { parts: () => false, header: () => new Map() }

/** What files of a schema are written with, made once for many of them. */
export interface AvroLayout<A> {
  readonly schemaText: string
  readonly write: (out: ByteWriter, value: A) => void
}

const blocksOf = <A>(
  { write }: AvroLayout<A>,
  values: ReadonlyArray<A>,
  { parts }: Division
): ReadonlyArray<AvroBlock> => {
  const blocks: Array<AvroBlock> = []
  const out = new ByteWriter()
  let first = 0
  for (const [i, value] of values.entries()) {
    write(out, value)
    const enough = i + 1 < values.length && parts(i + 1) ? blockBytesMin : blockBytesTarget
    if (out.written.length < enough && i + 1 < values.length) continue
    blocks.push({ first, count: i + 1 - first, data: deflateRawSync(out.written) })
    first = i + 1
    out.clear()
  }
  return blocks
}

/**
 * Gives a schema of the same layout with other field names, under which values are read or written: Iceberg knows fields by
 * id, and names in a file are what its writer chose.
 */
export type Resolve = (schema: AvroType) => AvroType

export const avroLayout = (schema: JsonValue, resolve: Resolve): AvroLayout<AvroValue> => ({
  schemaText: printJson(schema),
  write: avroWriter(resolve(avroTypeFromJson(schema)))
})

/** Encodes a file. `header` gets `avro.schema` and `avro.codec` besides what is given. */
export const encodeAvroFile = <A>(
  layout: AvroLayout<A>,
  header: ReadonlyMap<string, string>,
  values: ReadonlyArray<A>,
  division: Division = undivided
): Uint8Array => {
  const { schemaText } = layout
  const blocks = blocksOf(layout, values, division)
  // The marker must be unlikely within blocks; derived from them it needs no chance.
  const hash = createHash("sha256").update(schemaText)
  for (const block of blocks) hash.update(block.data)
  const sync = hash.digest().subarray(0, syncLength)

  const out = new ByteWriter()
  out.raw(magic)
  const own = [["avro.schema", schemaText] as const, ["avro.codec", "deflate"] as const]
  const entries = [...header, ...division.header(blocks), ...own]
  out.long(entries.length)
  for (const [key, value] of entries) {
    out.text(key)
    out.text(value)
  }
  out.byte(0)
  out.raw(sync)
  for (const block of blocks) {
    out.long(block.count)
    out.bytes(block.data)
    out.raw(sync)
  }
  return out.written.slice()
}

const readHeader = (from: ByteReader): ReadonlyMap<string, string> => {
  if (from.left < magic.length || !from.raw(magic.length).every((byte, i) => byte === magic[i])) {
    corrupt("avro", "is no Avro file: its first bytes are not Obj1")
  }
  const entries = avroReader({ _tag: "map", values: { _tag: "bytes" } })(from)
  const header = new Map<string, string>()
  if (entries instanceof Map) {
    for (const [key, value] of entries) {
      if (value instanceof Uint8Array) header.set(String(key), new TextDecoder().decode(value))
    }
  }
  return header
}

const inflate = (codec: string, data: Uint8Array): Uint8Array => {
  if (codec === "null") return data
  if (codec !== "deflate") return unsupported(`Avro compressed with ${codec}: deflate is read here`)
  try {
    return inflateRawSync(data, { maxOutputLength: blockBytesMax, chunkSize: inflateChunkBytes })
  } catch {
    return corrupt("avro", "a block does not inflate")
  }
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

/** Schemas that are remembered by their text: a table's manifests have few. */
const schemasRememberedMax = 16
const schemasParsed = new Recent<AvroType>(schemasRememberedMax)

const schemaOf = (text: string): AvroType => {
  const known = schemasParsed.get(text)
  if (known !== undefined) return known
  const schema = avroTypeFromJson(parseJson(text))
  schemasParsed.set(text, schema)
  return schema
}

/** What of a file is to be decoded. */
export interface Picker {
  /** Whether a block may hold a value that is picked; one that does not is not inflated. */
  readonly block: (at: number, count: number, size: number) => boolean
  /** Passes over one value after another: true for those to decode. */
  readonly value: (from: ByteReader) => boolean
}

/** Undefined: all values are decoded. */
export type Select = (schema: AvroType, header: AvroFile["header"]) => Picker | undefined

const readBlock = (
  block: ByteReader,
  count: number,
  read: AvroReader,
  picker: Picker | undefined,
  values: Array<AvroValue>
): void => {
  // No record of Iceberg's takes no bytes: more records than bytes is damage.
  if (count < 0 || count > block.left) corrupt("avro", `a block of ${count} records in ${block.left} bytes`)
  for (let i = 0; i < count; i++) {
    const start = block.position
    if (picker !== undefined) {
      if (!picker.value(block)) continue
      block.moveTo(start)
    }
    values.push(read(block))
  }
  if (block.left > 0) corrupt("avro", `${block.left} bytes are left at the end of a block`)
}

/** Decodes a file, whole or what `select` picks of it. FormatError when any byte of it is not as it must be. */
export const decodeAvroFile = (bytes: Uint8Array, resolve: Resolve, select?: Select): AvroFile => {
  const from = new ByteReader(bytes)
  const header = readHeader(from)
  const schemaText = header.get("avro.schema") ?? corrupt("avro", "the header has no schema")
  const schema = resolve(schemaOf(schemaText))
  const codec = header.get("avro.codec") ?? "null"
  const sync = from.raw(syncLength)
  const read = avroReader(schema)
  const picker = select?.(schema, header)
  const values: Array<AvroValue> = []
  for (let at = 0; from.left > 0; at++) {
    const count = from.size()
    const data = from.bytesView()
    if (picker === undefined || picker.block(at, count, data.length))
      readBlock(new ByteReader(inflate(codec, data)), count, read, picker, values)
    if (!equalBytes(from.raw(syncLength), sync)) corrupt("avro", "a block does not end with the file's marker")
  }
  return { header, schema, values }
}
