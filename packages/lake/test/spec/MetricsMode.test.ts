import { assert, describe, it } from "@effect/vitest"
import { metricsModes } from "../../src/spec/MetricsMode.ts"

const modeOf = (properties: Readonly<Record<string, string>>, column = "a.b") =>
  metricsModes(new Map(Object.entries(properties)))(column)

const bounds = (boundLengthMax: number) => ({ _tag: "Bounds", boundLengthMax }) as const

describe("metrics modes", () => {
  it("are the table's, unless the column has one of its own", () => {
    const general = "write.metadata.metrics.default"
    assert.deepStrictEqual(modeOf({}), bounds(16))
    assert.deepStrictEqual(modeOf({ [general]: "none" }), { _tag: "None" })
    assert.deepStrictEqual(modeOf({ [general]: "Counts" }), { _tag: "Counts" })
    assert.deepStrictEqual(modeOf({ [general]: "truncate(3)" }), bounds(3))
    assert.deepStrictEqual(modeOf({ [general]: "full" }), bounds(Number.POSITIVE_INFINITY))
    const own = { [general]: "none", "write.metadata.metrics.column.a.b": "full" }
    assert.deepStrictEqual(modeOf(own), bounds(Number.POSITIVE_INFINITY))
    assert.deepStrictEqual(modeOf(own, "a"), { _tag: "None" })
  })

  it("are truncate(16) where the text names none", () => {
    for (const text of ["", "all", "truncate(0)", "truncate(-1)", "truncate()", "truncate(99999999999)"]) {
      assert.deepStrictEqual(modeOf({ "write.metadata.metrics.default": text }), bounds(16), text)
    }
  })
})
