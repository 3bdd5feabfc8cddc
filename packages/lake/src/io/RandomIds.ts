/**
 * Ids drawn from Effect's Random, so that a seeded run draws the same: snapshot ids, and names of files and tables.
 */
import { Effect, Random } from "effect"

const bits32 = Random.nextIntBetween(0, 2 ** 32, { halfOpen: true })

/** A positive 63-bit id, never 0. */
export const randomSnapshotId: Effect.Effect<bigint> = Effect.gen(function* () {
  const high = BigInt(yield* bits32) & 0x7fffffffn
  const low = BigInt(yield* bits32)
  return (high << 32n) | low | 1n
})

/** A UUID of version 4, in lower case with hyphens. */
export const randomUuid: Effect.Effect<string> = Effect.gen(function* () {
  const words = [yield* bits32, yield* bits32, yield* bits32, yield* bits32]
  const digits = words.map((word) => word.toString(16).padStart(8, "0")).join("")
  const variant = ((Number.parseInt(digits.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32)
  ].join("-")
})
