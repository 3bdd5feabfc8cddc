/**
 * Kafka's murmur2 for the oracle, in BigInt with every step reduced to 32 bits: slow and plain, made from the algorithm's
 * description and Kafka's own test vectors, not from core's.
 */
const word = (value: bigint): bigint => value & 0xffff_ffffn
const m = 0x5bd1_e995n

/** The hash as an unsigned 32-bit number. */
export const murmur2 = (key: Uint8Array): number => {
  const byteAt = (index: number) => BigInt(key[index] ?? 0)
  let h = word(0x9747_b28cn ^ BigInt(key.length))
  const words = Math.floor(key.length / 4)
  for (let index = 0; index < words; index++) {
    const at = index * 4
    let k = byteAt(at) + (byteAt(at + 1) << 8n) + (byteAt(at + 2) << 16n) + (byteAt(at + 3) << 24n)
    k = word(k * m)
    k ^= k >> 24n
    k = word(k * m)
    h = word(h * m) ^ k
  }
  const tail = words * 4
  const rest = key.length - tail
  if (rest >= 3) h ^= byteAt(tail + 2) << 16n
  if (rest >= 2) h ^= byteAt(tail + 1) << 8n
  if (rest >= 1) h = word((h ^ byteAt(tail)) * m)
  h ^= h >> 13n
  h = word(h * m)
  h ^= h >> 15n
  return Number(h)
}

/** Where Kafka's default partitioner puts a key. */
export const partitionOf = (key: string, partitions: number): number =>
  (murmur2(new TextEncoder().encode(key)) & 0x7fff_ffff) % partitions
