import { assert, describe, it } from "@effect/vitest"
import { drawSlot, makeRandom, weightedSlots } from "../../src/generate/Random.ts"

const draws = (seed: number, count: number): ReadonlyArray<number> => {
  const random = makeRandom(seed)
  return Array.from({ length: count }, () => random.bits())
}

describe("Random", () => {
  it("gives the same numbers for a seed on every runtime", () => {
    assert.deepStrictEqual(draws(42, 4), draws(42, 4))
    assert.deepStrictEqual(draws(42, 4), [145_076_852, 3_246_010_591, 4_141_225_530, 2_162_305_750])
  })

  it("gives unrelated numbers for neighbouring, negative and large seeds", () => {
    const seeds = [0, 1, 2, -1, 4_294_967_296, 2 ** 52]
    const firsts = new Set(seeds.map((seed) => draws(seed, 1)[0]))
    assert.strictEqual(firsts.size, seeds.length)
  })

  it("draws every value below a bound about equally often", () => {
    const random = makeRandom(7)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)]!++
    for (const count of counts) assert.isTrue(Math.abs(count - 10_000) < 500)
  })

  it("draws indexes in proportion to their weights, and never one without weight", () => {
    const slots = weightedSlots([85, 0, 5, 10])
    const random = makeRandom(7)
    const counts = Array.from({ length: 4 }, () => 0)
    for (let draw = 0; draw < 100_000; draw++) counts[drawSlot(slots, random)]!++
    assert.strictEqual(counts[1], 0)
    for (const [index, share] of [
      [0, 0.85],
      [2, 0.05],
      [3, 0.1]
    ] as const)
      assert.isTrue(Math.abs(counts[index]! / 100_000 - share) < 0.005)
  })
})
