/**
 * What a block looks like on disk: with a checksum in front, or sealed with AES-256-GCM.
 *
 * Both tell a block that is damaged from one that is whole, and one that stands in another's place. A sealed store's key is made
 * with the store and lives in memory only; a block's number of use is its segment and its place there, which no other block of the
 * store has.
 */
import type { Buffer } from "node:buffer"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { crc32 } from "node:zlib"

export interface BlockGuard {
  /** How much longer it makes a block. */
  readonly overhead: number
  /** Writes `[0, length)` of the block to `into` at `at`; where it ends. */
  readonly close: (block: Buffer, length: number, place: BlockPlace, into: Buffer, at: number) => number
  /** What was closed, or undefined when it is not that. */
  readonly open: (stored: Buffer, from: number, to: number, place: BlockPlace) => Buffer | undefined
}

export interface BlockPlace {
  readonly segment: number
  readonly block: number
}

const crcBytes = 4

const seedOf = ({ block, segment }: BlockPlace): number => (Math.imul(segment, 0x9e3779b1) ^ block) >>> 0

export const checksums: BlockGuard = {
  overhead: crcBytes,
  close: (block, length, place, into, at) => {
    const crc = crc32(block.subarray(0, length), seedOf(place))
    for (let byte = 0; byte < crcBytes; byte++) into[at + byte] = crc >>> (8 * byte)
    block.copy(into, at + crcBytes, 0, length)
    return at + crcBytes + length
  },
  open: (stored, from, to, place) => {
    const block = stored.subarray(from + crcBytes, to)
    const crc = crc32(block, seedOf(place))
    for (let byte = 0; byte < crcBytes; byte++) {
      if (stored[from + byte] !== ((crc >>> (8 * byte)) & 0xff)) return undefined
    }
    return block
  }
}

const algorithm = "aes-256-gcm"
const keyBytes = 32
const tagBytes = 16
const nonceBytes = 12

/** One for each store: a key seals no two blocks under one number. */
export const makeSeals = (): BlockGuard => {
  // a secret, so not from the services that a seed replays
  const key = randomBytes(keyBytes)
  const nonce = new Uint8Array(nonceBytes)
  const view = new DataView(nonce.buffer)
  const nonceOf = ({ block, segment }: BlockPlace) => {
    view.setUint32(0, segment)
    view.setUint32(4, block)
    return nonce
  }
  return {
    overhead: tagBytes,
    close: (block, length, place, into, at) => {
      const cipher = createCipheriv(algorithm, key, nonceOf(place))
      into.set(cipher.update(block.subarray(0, length)), at + tagBytes)
      cipher.final()
      into.set(cipher.getAuthTag(), at)
      return at + tagBytes + length
    },
    open: (stored, from, to, place) => {
      const decipher = createDecipheriv(algorithm, key, nonceOf(place))
      decipher.setAuthTag(stored.subarray(from, from + tagBytes))
      const block = decipher.update(stored.subarray(from + tagBytes, to))
      try {
        decipher.final()
      } catch {
        // the tag does not fit: `final` throws nothing else
        return undefined
      }
      return block
    }
  }
}
