/**
 * Puffin files: blobs, and a footer that says what each is (Puffin specification). Written here; of those that others wrote,
 * manifests say where a deletion vector lies, so no footer is read.
 */
import { printJson, type JsonValue } from "../../spec/Json.ts"
import { stringMapToJson, type StringMap } from "../../spec/JsonRead.ts"

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
