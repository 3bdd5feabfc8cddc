/** Whatever the text, the checker answers: typed, or refused with a place in the text. It never throws. */
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { checkExpr, expr } from "../../src/index.ts"
import { onRecord, record, shape } from "./Fixture.ts"
import { makeChance, randomSource } from "./Sources.ts"

const scraps = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "'",
  '"',
  "\\",
  "&&",
  "||",
  "!",
  "-",
  "+",
  "*",
  "/",
  "%",
  "?",
  ":",
  ".",
  ",",
  "<",
  ">",
  "=",
  "==",
  "in",
  "null",
  "true",
  "5",
  "1e999",
  "0x",
  "u",
  "b'",
  "r'",
  "//",
  "\n",
  "\u0000",
  "é",
  "😀",
  " ",
  "has",
  "size(",
  ".size()",
  "timestamp(",
  "matches('",
  "amount",
  "country",
  "__proto__",
  "constructor"
]

describe("checkExpr on damaged expressions (seed 31)", () => {
  it("gives a result or problems inside the text", () => {
    const chance = makeChance(31)
    let refused = 0
    for (let round = 0; round < 5_000; round++) {
      let source = chance.below(4) === 0 ? "" : randomSource(chance, "bool", 2)
      for (let edits = 0; edits <= chance.below(4); edits++) {
        const at = chance.below(source.length + 1)
        source = source.slice(0, at) + chance.pick([...scraps, ""]) + source.slice(at + chance.below(3))
      }
      const result = checkExpr(expr(source), shape)
      if (Result.isSuccess(result)) {
        expect(typeof onRecord(result.success)(record())).toBe("boolean")
        continue
      }
      refused++
      expect(result.failure.length).toBeGreaterThan(0)
      for (const problem of result.failure) {
        expect(problem.start).toBeGreaterThanOrEqual(0)
        expect(problem.start).toBeLessThanOrEqual(source.length)
        expect(problem.message.length).toBeGreaterThan(5)
        expect(problem.excerpt).toContain("^")
      }
    }
    expect(refused).toBeGreaterThan(2_000)
  })
})
