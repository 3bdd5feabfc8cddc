/** The estimate of different values: close to their number, and a function of their set alone. */
import { assert, describe, it } from "@effect/vitest"
import { addToSketch, estimateOf, makeSketch, mergeSketch } from "../../src/window/HyperLogLog.ts"
import { makeChance } from "../support/Chance.ts"

const sketchOf = (values: Iterable<string | number>) => {
  const sketch = makeSketch()
  for (const value of values) addToSketch(sketch, value)
  return sketch
}

/** The standard error of 4096 registers. */
const error = 1.04 / Math.sqrt(4096)

type Named = (index: number, seed: number) => string | number

const kinds: Readonly<Record<string, Named>> = {
  "numbers in a row": (index, seed) => seed * 1_000_000 + index,
  "identifiers that differ at their ends": (index, seed) => `ACC-${seed}-${String(index).padStart(9, "0")}`,
  "identifiers that differ at their beginnings": (index, seed) => `${index}-${seed}@example.org`,
  "short texts": (index, seed) => (index * 37 + seed).toString(36),
  uuids: (index, seed) => `00000000-0000-4000-8000-${String(index * 65_537 + seed).padStart(12, "0")}`
}

describe("an estimate of different values", () => {
  for (const [kind, valueOf] of Object.entries(kinds)) {
    it(`is as close as it says, over ${kind}`, () => {
      for (const count of [1, 10, 300, 5000, 20_000, 100_000]) {
        const rounds = count > 10_000 ? 8 : 20
        let squares = 0
        let sum = 0
        for (let seed = 1; seed <= rounds; seed++) {
          const estimate = estimateOf(sketchOf(Array.from({ length: count }, (_, index) => valueOf(index, seed))))
          const off = estimate / count - 1
          assert.isBelow(Math.abs(off), 5 * error, `${count} values, seed ${seed}: ${estimate}`)
          squares += off * off
          sum += off
        }
        assert.isBelow(Math.sqrt(squares / rounds), 1.7 * error, `${count} values`)
        assert.isBelow(Math.abs(sum / rounds), 4 * (error / Math.sqrt(rounds)), `${count} values lean to one side`)
      }
    })
  }

  it("does not depend on the order, on repetitions, or on how the values were spread over sketches", () => {
    const chance = makeChance(3)
    const values = Array.from({ length: 3000 }, () => `v${chance.below(2000)}`)
    const whole = sketchOf(values)
    const parts = [makeSketch(), makeSketch(), makeSketch()]
    for (const value of values.toReversed()) addToSketch(chance.pick(parts), value)
    const merged = makeSketch()
    for (const part of [parts[2]!, parts[0]!, parts[1]!, parts[0]!]) mergeSketch(merged, part)
    assert.deepStrictEqual(merged, whole)
  })
})
