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
import { ByteReader, avroReader } from "./AvroDecode.ts"
import { ByteWriter, avroWriter } from "./AvroEncode.ts"
import { avroTypeFromJson, type AvroType } from "./AvroType.ts"
import type { AvroValue } from "./AvroValue.ts"

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const syncLength = 16

/** A block ends when it holds this much, as in the reference implementation. */
const blockBytesTarget = 64_000

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

const blocksOf = (schema: AvroType, values: ReadonlyArray<AvroValue>) => {
  const write = avroWriter(schema)
  const blocks: Array<{ readonly count: number; readonly data: Uint8Array }> = []
  let out = new ByteWriter()
  let count = 0
  const end = () => {
    if (count > 0) blocks.push({ count, data: deflateRawSync(out.written) })
    out = new ByteWriter()
    count = 0
  }
  for (const value of values) {
    write(out, value)
    count++
    if (out.written.length >= blockBytesTarget) end()
  }
  end()
  return blocks
}

/**
 * Gives a schema of the same layout with other field names, under which values are read or written: Iceberg knows fields by
 * id, and names in a file are what its writer chose.
 */
export type Resolve = (schema: AvroType) => AvroType

/** Encodes a file. `header` gets `avro.schema` and `avro.codec` besides what is given. */
export const encodeAvroFile = (
  schema: JsonValue,
  header: ReadonlyMap<string, string>,
  values: ReadonlyArray<AvroValue>,
  resolve: Resolve
): Uint8Array => {
  const schemaText = printJson(schema)
  const blocks = blocksOf(resolve(avroTypeFromJson(schema)), values)
  // The marker must be unlikely within blocks; derived from them it needs no chance.
  const hash = createHash("sha256").update(schemaText)
  for (const block of blocks) hash.update(block.data)
  const sync = hash.digest().subarray(0, syncLength)

  const out = new ByteWriter()
  out.raw(magic)
  const entries = [...header, ["avro.schema", schemaText] as const, ["avro.codec", "deflate"] as const]
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

/** Passes over one value after another: true for those to decode. Undefined: all are. */
export type Select = (schema: AvroType) => ((from: ByteReader) => boolean) | undefined

/** Decodes a file, whole or what `select` picks of it. FormatError when any byte of it is not as it must be. */
export const decodeAvroFile = (bytes: Uint8Array, resolve: Resolve, select?: Select): AvroFile => {
  const from = new ByteReader(bytes)
  const header = readHeader(from)
  const schemaText = header.get("avro.schema") ?? corrupt("avro", "the header has no schema")
  const schema = resolve(schemaOf(schemaText))
  const codec = header.get("avro.codec") ?? "null"
  const sync = from.raw(syncLength)
  const read = avroReader(schema)
  const picked = select?.(schema)
  const values: Array<AvroValue> = []
  while (from.left > 0) {
    const count = from.size()
    const block = new ByteReader(inflate(codec, from.bytesView()))
    // No record of Iceberg's takes no bytes: more records than bytes is damage.
    if (count < 0 || count > block.left) corrupt("avro", `a block of ${count} records in ${block.left} bytes`)
    for (let i = 0; i < count; i++) {
      const start = block.position
      if (picked !== undefined) {
        if (!picked(block)) continue
        block.moveTo(start)
      }
      values.push(read(block))
    }
    if (block.left > 0) corrupt("avro", `${block.left} bytes are left at the end of a block`)
    if (!equalBytes(from.raw(syncLength), sync)) corrupt("avro", "a block does not end with the file's marker")
  }
  return { header, schema, values }
}
