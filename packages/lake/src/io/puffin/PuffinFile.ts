/**
 * Puffin files: blobs, and a footer that says what each is (Puffin specification).
 *
 * Manifests say where a deletion vector lies, so that scans read no footer; audits do.
 */
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import { parseJson, printJson, type JsonValue } from "../../spec/Json.ts"
import {
  readList,
  readLong,
  readObject,
  readOptional,
  readString,
  readStringMap,
  stringMapToJson,
  type Read,
  type StringMap
} from "../../spec/JsonRead.ts"

/** Blobs of this type are deletion vectors. */
export const vectorBlobType = "deletion-vector-v1"

export interface PuffinBlob {
  readonly type: string
  /** Ids of the fields that it is about. */
  readonly fields: ReadonlyArray<number>
  /** -1 where it is not known yet. */
  readonly snapshotId: bigint
  readonly sequenceNumber: bigint
  readonly bytes: Uint8Array
  readonly properties?: StringMap
}

export interface PuffinFile {
  readonly bytes: Uint8Array
  /** Where each blob begins, in their order. */
  readonly offsets: ReadonlyArray<number>
}

const utf8 = new TextEncoder()
const magic = utf8.encode("PFA1")

/** Nothing is compressed. */
export const encodePuffin = (blobs: ReadonlyArray<PuffinBlob>, properties: StringMap = new Map()): PuffinFile => {
  const offsets: Array<number> = []
  let at = magic.length
  for (const { bytes } of blobs) {
    offsets.push(at)
    at += bytes.length
  }
  const described = blobs.map((blob, i): JsonValue => ({
    type: blob.type,
    fields: blob.fields,
    "snapshot-id": blob.snapshotId,
    "sequence-number": blob.sequenceNumber,
    offset: offsets[i]!,
    length: blob.bytes.length,
    ...(blob.properties === undefined ? {} : { properties: stringMapToJson(blob.properties) })
  }))
  const footer = { blobs: described, ...(properties.size === 0 ? {} : { properties: stringMapToJson(properties) }) }
  const payload = utf8.encode(printJson(footer))
  const sizeAndFlags = new DataView(new ArrayBuffer(8))
  sizeAndFlags.setInt32(0, payload.length, true)
  const parts = [magic, ...blobs.map(({ bytes }) => bytes), magic, payload, new Uint8Array(sizeAndFlags.buffer), magic]
  return { bytes: Buffer.concat(parts), offsets }
}

/** A blob as a footer describes it. */
export interface ReadBlob {
  readonly type: string
  readonly offset: bigint
  readonly length: bigint
  readonly properties: StringMap
}

/** Size of the payload, flags and magic: what a file ends with. */
export const puffinTailBytes = 12

const isMagic = (bytes: Uint8Array): boolean =>
  bytes.length === magic.length && bytes.every((byte, i) => byte === magic[i])

/** How long the footer is, by a file's last `puffinTailBytes`: magic, payload and tail. */
export const puffinFooterBytes = (tail: Uint8Array): number => {
  if (tail.length !== puffinTailBytes || !isMagic(tail.subarray(8))) corrupt("Puffin file", "it does not end with PFA1")
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  if ((view.getUint8(4) & 1) === 1) return unsupported("a Puffin file whose footer is compressed")
  const size = view.getInt32(0, true)
  return size < 0 ? corrupt("Puffin file", "its footer has no size") : magic.length + size + puffinTailBytes
}

const readBlob: Read<ReadBlob> = (value, where) => {
  const object = readObject(value, where)
  return {
    type: readString(object["type"], `${where}.type`),
    offset: readLong(object["offset"], `${where}.offset`),
    length: readLong(object["length"], `${where}.length`),
    properties: readOptional(object["properties"], `${where}.properties`, readStringMap) ?? new Map()
  }
}

/** The blobs that a whole footer describes. */
export const decodePuffinFooter = (footer: Uint8Array): ReadonlyArray<ReadBlob> => {
  if (!isMagic(footer.subarray(0, magic.length))) corrupt("Puffin file", "its footer does not begin with PFA1")
  const payload = footer.subarray(magic.length, footer.length - puffinTailBytes)
  const { blobs } = readObject(parseJson(new TextDecoder().decode(payload)), "Puffin footer")
  return readList(blobs, "Puffin footer.blobs", readBlob)
}
