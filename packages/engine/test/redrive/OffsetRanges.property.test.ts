import { assert, it } from "@effect/vitest"
import { addOffsets, includesOffset, type OffsetRanges } from "../../src/redrive/OffsetRanges.ts"
import { makeChance } from "../support/Chance.ts"

it("ranges hold what a set of offsets holds, and are as few as can be", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const chance = makeChance(seed)
    const set = new Set<number>()
    let ranges: OffsetRanges = []
    for (let round = 0; round < 8; round++) {
      const more = Array.from({ length: 100 }, (_, offset) => offset).filter(() => chance.below(6) === 0)
      ranges = addOffsets(ranges, more)
      for (const offset of more) set.add(offset)
      for (let offset = 0; offset < 101; offset++) {
        assert.strictEqual(includesOffset(ranges, offset), set.has(offset), `seed ${seed}, offset ${offset}`)
      }
      for (const [at, [start, end]] of ranges.entries()) {
        assert.isBelow(start, end)
        assert.isBelow(ranges[at - 1]?.[1] ?? -1, start)
      }
    }
  }
})
