/**
 * Counting range by range comes to what sets of offsets come to.
 */
import { assert, describe, it } from "@effect/vitest"
import { makeTally } from "../../src/landing/AuditReport.ts"

/** Numbers below `below`, the same for the same seed. */
const makeRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe("makeTally", () => {
  it("counts what is missing, doubled and unexpected, however offsets fall into ranges", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = makeRandom(seed)
      const tally = makeTally()
      const expected = { missing: 0, doubled: 0, unexpected: 0, rows: 0, sum: 0n }
      let offset = 0
      for (let range = 0; range < 4; range++) {
        const valid: Array<number> = []
        const offsets: Array<number> = []
        const times: Array<number> = []
        for (let i = random(30); i > 0; i--, offset += 1 + random(3)) {
          const isValid = random(4) > 0
          const rows = random(5) === 0 ? 0 : random(6) === 0 ? 2 + random(2) : 1
          if (isValid) valid.push(offset)
          if (rows > 0) {
            offsets.push(offset)
            times.push(rows)
          }
          if (isValid && rows === 0) expected.missing++
          if (!isValid && rows > 0) expected.unexpected++
          if (rows > 1) expected.doubled++
          expected.rows += rows
          expected.sum += BigInt(offset * rows)
        }
        tally.compare(valid, offsets, times)
      }
      const { doubled, found, missing, unexpected } = tally.take()
      const counted = { missing: missing.count, doubled: doubled.count, unexpected: unexpected.count }
      assert.deepStrictEqual({ ...counted, rows: found.rows, sum: found.sum }, expected, `seed ${seed}`)
    }
  })
})
