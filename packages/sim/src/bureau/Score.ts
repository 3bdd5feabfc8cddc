/**
 * The score of a social security number: 450 for one that ends in 9, else one from 300 to 850, the same for a seed.
 */
const scoreLow = 450
const scoreMin = 300
const scoreMax = 850

/** `ssn` has nine digits. */
export const scoreOf = (seed: number, ssn: string): number => {
  if (ssn.endsWith("9")) return scoreLow
  // murmur3's finish over the number and the seed: neighbours get unrelated scores
  let mixed = (Number(ssn) ^ Math.imul(seed | 0, 0x9e3779b1)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  mixed = (mixed ^ (mixed >>> 16)) >>> 0
  return scoreMin + (mixed % (scoreMax - scoreMin + 1))
}
