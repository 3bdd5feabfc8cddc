/** The linear matcher against JavaScript's RegExp, on patterns that both read alike. */
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { makeTextPattern } from "../../src/expr/TextPattern.ts"
import { type Chance, makeChance } from "./Sources.ts"

const made = (source: string) => Result.getOrThrow(makeTextPattern(source))
const problem = (source: string) => {
  const result = makeTextPattern(source)
  return Result.isFailure(result) ? result.failure : undefined
}

const randomPattern = (chance: Chance, depth: number): string => {
  const next = () => randomPattern(chance, depth - 1)
  if (depth <= 0) {
    return chance.pick([
      "a",
      "b",
      "c",
      ".",
      "[ab]",
      "[^a]",
      "[a-c]",
      "\\d",
      "\\D",
      "\\w",
      "\\W",
      "1",
      "é",
      "😀",
      "\\.",
      "^",
      "$",
      "-"
    ])
  }
  return chance.pick([
    () => next() + next(),
    () => next() + next(),
    () => `(${next()}|${next()})`,
    () => `(?:${next()})${chance.pick(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "{0}"])}`,
    () => `(${next()})`,
    () => `(${next()}|)`,
    () => next()
  ])()
}

const randomText = (chance: Chance): string =>
  Array.from({ length: chance.below(8) }, () => chance.pick(["a", "b", "c", "1", "-", ".", "é", "😀", "\n", " "])).join(
    ""
  )

describe("makeTextPattern", () => {
  it("agrees with RegExp (seed 21)", () => {
    const chance = makeChance(21)
    let matched = 0
    for (let round = 0; round < 3000; round++) {
      const source = randomPattern(chance, 4)
      const pattern = made(source)
      const reference = new RegExp(source, "u")
      for (let count = 0; count < 12; count++) {
        const text = randomText(chance)
        const wanted = reference.test(text)
        if (wanted) matched++
        const bytes = new TextEncoder().encode(`a${text}b`)
        expect(pattern.testBytes(bytes, 1, bytes.length - 1)).toBe(wanted)
        if (pattern.test(text) !== wanted)
          expect({ source, text, matches: !wanted }).toEqual({ source, text, matches: wanted })
      }
    }
    expect(matched).toBeGreaterThan(5_000)
  })

  it.each([
    ["^[A-Z]{2}[0-9]{2}$", "AT61", true],
    ["^[A-Z]{2}[0-9]{2}$", "AT6", false],
    ["^[A-Z]{2}[0-9]{2}$", "xAT61", false],
    ["@(mail|post)\\.example$", "a@post.example", true],
    ["a.b", "a\nb", false],
    ["a.b", "a😀b", true],
    ["^.$", "😀", true],
    ["[\\]\\-x]", "-", true],
    ["[^\\d]", "5", false],
    ["[x-]", "-", true],
    ["\\$\\{", "${", true],
    ["", "", true],
    ["^$", "", true],
    ["$^", "", true],
    ["^$", "a", false],
    ["a{3}", "aa", false],
    ["a{3}", "baaab", true]
  ])("%s in %j: %s", (source, text, wanted) => {
    expect(made(source).test(text)).toBe(wanted)
  })

  it.each([
    ["(a", 0, "is not closed"],
    ["a)", 1, "closes nothing"],
    ["[a", 0, "is not closed"],
    ["[]", 0, "empty class"],
    ["[z-a]", 1, "lower character to a higher"],
    ["[\\d-z]", 1, "lower character to a higher"],
    ["[[:alpha:]]", 1, "write \\["],
    ["*a", 0, "nothing to repeat"],
    ["a**", 2, "cannot be repeated"],
    ["a{2", 1, "write {2}"],
    ["a{5,2}", 1, "comes second"],
    ["a{500}", 1, "at most 100"],
    ["a}", 1, "write \\}"],
    ["(?=a)", 0, "no look-around"],
    ["(?i)a", 0, "no look-around, names or flags"],
    ["(a)\\1", 3, "no back-references"],
    ["\\bword", 0, "is not supported"],
    ["\\", 0, "a backslash ends"],
    ["(".repeat(30), 20, "nest at most 20"],
    ["x".repeat(501), 0, "at most 500 characters"],
    ["((a{50}){50}){50}", 0, "too large"]
  ])("refuses %s at %i: %s", (source, at, message) => {
    expect(problem(source)?.at).toBe(at)
    expect(problem(source)?.message).toContain(message)
  })

  it("takes linear time where backtracking takes for ever", () => {
    const text = "a".repeat(100_000)
    for (const source of ["^(a+)+$x", "(a|a)*b", "(a*)*b", "a*a*a*a*a*b", "(.*.*)*=.*x", "(a?){50}a{50}b"]) {
      expect(made(source).test(text)).toBe(false)
    }
  })

  it("refuses quickly what would be large, also when it matches nothing", () => {
    expect(problem(`${"(".repeat(19)}${"){100}".repeat(19)}`)).toBeUndefined()
    expect(problem(`${"(".repeat(19)}a?${"){100}".repeat(19)}`)?.message).toContain("too large")
    expect(problem(`${"(".repeat(19)}|${"){100}".repeat(19)}`)?.message).toContain("too large")
  })

  it("keeps a bounded number of states", () => {
    // remembers which of the last twelve characters were an a: 4096 states
    const pattern = made(`a.{12}b`)
    const reference = /a.{12}b/u
    const chance = makeChance(5)
    for (let round = 0; round < 300; round++) {
      const text =
        Array.from({ length: 200 }, () => chance.pick(["a", "c", "c", "c"])).join("") + chance.pick(["", "b"])
      expect(pattern.test(text)).toBe(reference.test(text))
    }
  })
})
