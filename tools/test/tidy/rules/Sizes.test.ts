import { describe, expect, it } from "vitest"
import { factoryLinesMax, fileLinesMax, functionLinesMax, sizes } from "../../../src/tidy/rules/Sizes.ts"
import { found } from "../Fixture.ts"

const lines = (count: number, text = "  work()") => Array.from({ length: count }, () => text).join("\n")
const check = (text: string, path = "packages/core/src/A.ts") => found(sizes, { [path]: text })

describe("sizes", () => {
  it("bounds a file's lines", () => {
    expect(check(lines(fileLinesMax) + "\n")).toEqual([])
    expect(check(lines(fileLinesMax + 1) + "\n")[0]).toContain("601 lines, at most 600")
  })
  it("bounds a function's lines of code, comments and blank lines left out", () => {
    const body = (count: number) => `const f = () => {\n${lines(count)}\n}`
    expect(check(body(functionLinesMax - 2))).toEqual([])
    expect(check(body(functionLinesMax - 1))[0]).toContain("A.ts:1 function f has 71 lines of its own")
    expect(check(`function f() {\n${lines(60)}\n${lines(20, "  // why")}\n${lines(20, "")}\n}`)).toEqual([])
  })
  it("counts a function inside another for itself, and a factory as a whole", () => {
    const inner = `  const inner = () => {\n${lines(50)}\n  }\n`
    expect(check(`const make = () => {\n${inner.repeat(3)}}`)).toEqual([])
    expect(check(`const make = () => {\n${inner.repeat(5)}}`)[0]).toContain(`at most ${factoryLinesMax}`)
    expect(check(`const make = () => {\n${inner}${lines(70)}\n}`)[0]).toContain("function make has 73 lines of its own")
  })
  it("leaves callbacks of tests alone, not their named functions", () => {
    const test = "packages/core/test/A.test.ts"
    expect(check(`describe("a", () => {\n${lines(100)}\n})`, test)).toEqual([])
    expect(check(`const a = () => {\n${lines(100)}\n}`, test)).toHaveLength(1)
  })
})
