/**
 * Kafka's murmur2 hash and the partition it gives a key.
 *
 * Producers, feeders and epochs partition with it, so that a key lands where Kafka's own clients would put it.
 */
const encoder = new TextEncoder()
const multiplier = 0x5bd1e995

/** Kafka's 32-bit murmur2 of `bytes[start, end)`, signed. */
export const murmur2 = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  const length = end - start
  let hash = 0x9747b28c ^ length
  let at = start
  for (; at + 4 <= end; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = end - at
  if (rest === 3) hash ^= bytes[at + 2]! << 16
  if (rest >= 2) hash ^= bytes[at + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition of a key's bytes. */
export const partitionOfBytes = (bytes: Uint8Array, start: number, end: number, partitions: number): number =>
  (murmur2(bytes, start, end) & 0x7fffffff) % partitions

/** The partition of a key; records without one go to partition 0. */
export const partitionOf = (key: string | null, partitions: number): number => {
  if (key === null || partitions === 1) return 0
  const bytes = encoder.encode(key)
  return partitionOfBytes(bytes, 0, bytes.length, partitions)
}
