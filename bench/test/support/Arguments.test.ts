/** Which benchmarks a word names. */
import { assert, describe, it } from "@effect/vitest"
import { parseArguments } from "../../src/support/Arguments.ts"

const known = ["w2", "w2-kafka", "lake-append", "lake-plan"]

describe("words of bun run bench", () => {
  it("name one benchmark, or those of the lake, each once and in the order told", () => {
    const names = (...words: ReadonlyArray<string>) => parseArguments(words, known).names
    assert.deepStrictEqual(names("Lake"), ["lake-append", "lake-plan"])
    assert.deepStrictEqual(names("lake-plan", "w2", "lake"), ["lake-plan", "w2", "lake-append"])
    assert.throws(() => names("lak"), /no benchmark lak: there are w2, w2-kafka, lake-append, lake-plan, nexmark/)
    assert.throws(() => names("lake-"), /no benchmark lake-/)
  })
})
