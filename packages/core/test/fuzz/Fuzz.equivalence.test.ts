/** A little of `bun run fuzz`: the scanner and the schema agree on generated inputs, byte for byte. */
import { describe, expect, it } from "vitest"
import { makeFuzz } from "./Fuzz.ts"

describe("fuzzing", () => {
  it.each([1, 2])("finds no input that the scanner and the schema disagree on, seed %i", (seed) => {
    const { counts, run } = makeFuzz(seed)
    while (counts.inputs < 14_000) expect(run()).toBeUndefined()
    // worth something only while enough inputs go each way
    expect(counts.failed).toBeGreaterThan(3_000)
    expect(counts.fast).toBeGreaterThan(3_000)
    expect(counts.decoded - counts.fast).toBeGreaterThan(50)
  })
})
