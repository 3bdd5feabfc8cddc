/**
 * ZSTD on a thread of the runtime's own: Bun's call in one piece where there is one, elsewhere Node's stream of one chunk, which
 * takes half as much CPU again and keeps its whole buffer.
 */
import { constants, zstdCompress } from "node:zlib"

export type Compress = (bytes: Uint8Array, level: number) => Promise<Uint8Array>

/** What of Bun is used here, if it is there. */
interface BunLike {
  readonly Bun?: {
    readonly zstdCompress?: (bytes: Uint8Array, options: { readonly level: number }) => Promise<Uint8Array>
  }
}

const chunkBytesMin = 1024

/** Works everywhere. */
export const compressByNode: Compress = (bytes, level) =>
  new Promise((resolve, reject) => {
    const params = { [constants.ZSTD_c_compressionLevel]: level }
    // columns become half as large, at the least: mostly one piece
    const chunkSize = Math.max(chunkBytesMin, bytes.length >> 1)
    zstdCompress(bytes, { params, chunkSize }, (error, compressed) =>
      error === null ? resolve(compressed) : reject(error)
    )
  })

// a global that is not there, or lacks the function, is undefined here
const ofBun = (globalThis as BunLike).Bun?.zstdCompress

export const compress: Compress = ofBun === undefined ? compressByNode : (bytes, level) => ofBun(bytes, { level })
