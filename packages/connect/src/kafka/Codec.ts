/**
 * Compression of record batches: the five codecs of Kafka, bounded, since a few bytes may claim to be gigabytes.
 *
 * Batches are written with zstd or not at all; what other producers wrote is read in any of them.
 */
import { compressionsAlgorithms } from "@platformatic/kafka"
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"

/** How batches are written. */
export type Compression = "none" | "zstd"

/** The flags of a batch's attributes that name its codec. */
export const codecOf: Readonly<Record<Compression, number>> = { none: 0, zstd: 4 }

/** Half again as fast as zlib's default level, and nearly as small on JSON. */
const zstdLevel = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

export const compress = (bytes: Uint8Array, compression: Compression): Uint8Array =>
  compression === "none" ? bytes : zstdCompressSync(bytes, zstdLevel)

const bounded = (bytes: Uint8Array, bytesMax: number): Uint8Array => {
  if (bytes.length > bytesMax) throw new RangeError(`more than ${bytesMax} bytes`)
  return bytes
}

/** The uncompressed records; throws when the bytes are not what their codec says, or more than `bytesMax` come of them. */
export const decompress = (bytes: Uint8Array, codec: number, bytesMax: number): Uint8Array => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (codec) {
    case 1:
      return gunzipSync(buffer, { maxOutputLength: bytesMax })
    case 2:
      return bounded(compressionsAlgorithms.snappy.decompressSync(buffer), bytesMax)
    case 3:
      return bounded(compressionsAlgorithms.lz4.decompressSync(buffer), bytesMax)
    case 4:
      return zstdDecompressSync(buffer, { maxOutputLength: bytesMax })
    default:
      throw new RangeError(`codec ${codec} is unknown`)
  }
}
