import { assert, describe, it } from "@effect/vitest"
import { drawCents, makeAmountTables } from "../../src/generate/LogNormal.ts"
import { makeRandom } from "../../src/generate/Random.ts"

describe("LogNormal", () => {
  const tableOf = makeAmountTables()

  it("draws amounts whose logarithm has the asked median and sigma", () => {
    for (const [median, sigma] of [
      [45, 0.8],
      [500, 1.6]
    ] as const) {
      const table = tableOf(median, sigma)
      const random = makeRandom(1)
      const logs = Array.from({ length: 100_000 }, () => Math.log(drawCents(table, random) / 100))
      const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length
      const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length
      assert.isTrue(Math.abs(mean - Math.log(median)) < 0.02)
      assert.isTrue(Math.abs(Math.sqrt(variance) - sigma) < 0.02)
    }
  })

  it("agrees with Math.exp and known quantiles of the normal", () => {
    const table = tableOf(1, 1)
    assert.isTrue(Math.abs(Math.log(table[2048]! / 100)) < 1e-6)
    assert.isTrue(Math.abs(Math.log(table[3072]! / 100) - 0.674_489_75) < 1e-3)
    assert.isTrue(Math.abs(Math.log(table[4055]! / 100) - 2.326_35) < 1e-2)
  })

  it("draws whole cents of at least one, below a bound", () => {
    const table = tableOf(0.01, 1)
    const random = makeRandom(3)
    for (let draw = 0; draw < 10_000; draw++) {
      const cents = drawCents(table, random)
      assert.isTrue(Number.isInteger(cents) && cents >= 1 && cents <= Math.exp(4) + 1)
    }
  })
})
