/**
 * A deletion vector as a blob of a Puffin file (Puffin specification, `deletion-vector-v1`): length, magic number, Roaring
 * bitmaps, checksum.
 */
import { crc32 } from "node:zlib"
import { corrupt } from "../../spec/FormatError.ts"
import { decodeRoaring64, encodeRoaring64 } from "./RoaringBitmap.ts"
import type { RowPositions } from "./RowPositions.ts"

const magic = 0xd1d33964
/** Before the vector: its length with the magic number, and that. After it: the checksum. */
const headBytes = 8
const tailBytes = 4

export const encodeVector = (positions: RowPositions): Uint8Array => {
  const vector = encodeRoaring64(positions)
  const bytes = new Uint8Array(headBytes + vector.length + tailBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 4 + vector.length)
  view.setUint32(4, magic)
  bytes.set(vector, headBytes)
  view.setUint32(headBytes + vector.length, crc32(bytes.subarray(4, headBytes + vector.length)))
  return bytes
}

/** Decodes a blob of `cardinality` positions, or of however many it has. FormatError when any byte is not as it must be. */
export const decodeVector = (bytes: Uint8Array, cardinality: bigint | undefined): RowPositions => {
  const end = bytes.length - tailBytes
  if (end < headBytes) return corrupt("deletion vector", `${bytes.length} bytes are none`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== end - 4) corrupt("deletion vector", "its length is not that of its blob")
  if (view.getUint32(4) !== magic) corrupt("deletion vector", "its magic number is not there")
  if (view.getUint32(end) !== crc32(bytes.subarray(4, end))) corrupt("deletion vector", "its checksum does not hold")
  const positions = decodeRoaring64(bytes.subarray(headBytes, end))
  if (cardinality !== undefined && BigInt(positions.count) !== cardinality) {
    corrupt("deletion vector", `holds ${positions.count} positions where its manifest says ${cardinality}`)
  }
  return positions
}
