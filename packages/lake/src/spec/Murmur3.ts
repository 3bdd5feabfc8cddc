/**
 * 32-bit Murmur3, x86 variant, seed 0: the hash of Iceberg's bucket transform (specification, appendix B).
 *
 * Not to be mixed up with Kafka's murmur2, which places records in topic partitions.
 */

const c1 = 0xcc9e2d51
const c2 = 0x1b873593

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

const mixBlock = (k: number): number => Math.imul(rotate(Math.imul(k, c1), 15), c2)

/** The hash as a signed 32-bit integer. */
export const murmur3 = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocksEnd = bytes.length & ~3
  let h = 0
  for (let i = 0; i < blocksEnd; i += 4) {
    h = (Math.imul(rotate(h ^ mixBlock(view.getInt32(i, true)), 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = bytes.length - 1; i >= blocksEnd; i--) tail = (tail << 8) | (bytes[i] ?? 0)
  if (blocksEnd < bytes.length) h ^= mixBlock(tail)
  h ^= bytes.length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
