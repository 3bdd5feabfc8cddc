import { assert, describe, it } from "@effect/vitest"
import { parseJson, printJson } from "../../src/spec/Json.ts"

describe("Json", () => {
  it("keeps 64-bit integers that a number cannot hold", () => {
    const text = '{"a":9223372036854775807,"b":-9223372036854775808,"c":9007199254740991,"d":9007199254740992}'
    const value = parseJson(text)
    assert.deepStrictEqual(
      { ...Object(value) },
      { a: 9223372036854775807n, b: -9223372036854775808n, c: 9007199254740991, d: 9007199254740992n }
    )
    assert.strictEqual(printJson(value), text)
  })

  it("reads what JSON.parse reads, and equally", () => {
    const text =
      ' { "x" : [ 1.5e3 , -0.25, true,false,null, "a\\u00e9\\n\\"\\\\😀", {} , [] ] , "__proto__" : { "y" : "" } } '
    assert.strictEqual(printJson(parseJson(text)), JSON.stringify(JSON.parse(text)))
  })

  for (const text of ["", "{", "[1,]", '{"a" 1}', '{"a":1}}', '"abc', '"\\x"', "01", "nul", "[1 2]", "{1:2}", '"\n"']) {
    it(`refuses ${JSON.stringify(text)} with the place`, () => {
      assert.throws(() => parseJson(text), /JSON at character \d+/)
    })
  }

  it("refuses nesting that would exhaust the stack", () => {
    assert.throws(() => parseJson("[".repeat(100_000)), /nested deeper/)
  })
})
