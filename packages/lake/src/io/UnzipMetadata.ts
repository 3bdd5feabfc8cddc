/** Metadata files that are compressed (`write.metadata.compression-codec`): their first bytes say how, their names need not. */
import { gunzipSync } from "node:zlib"
import { corrupt, unsupported } from "../spec/FormatError.ts"

/** So much is read; metadata of a million snapshots is less. */
const bytesMax = 1024 * 1024 * 1024

/** The bytes themselves where they are not compressed. FormatError where they are not whole, or zstd. */
export const unzipMetadata = (bytes: Uint8Array): Uint8Array => {
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) {
    return unsupported("table metadata compressed with zstd: gzip is read here")
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax })
  } catch {
    return corrupt("table metadata", "is not whole: it is compressed with gzip and does not unpack")
  }
}
