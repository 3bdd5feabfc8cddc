/** Rows left of a topic of results. */
import { assert, describe, it } from "@effect/vitest"
import { makeFinalRows } from "../../src/nexmark/FinalRows.ts"

describe("final rows", () => {
  it("without a key are all of them, equal ones too", () => {
    const rows = makeFinalRows(undefined)
    for (const value of ['{"a":1}', '{"a":1}']) rows.add(value)
    assert.deepStrictEqual(rows.take(), ['{"a":1}', '{"a":1}'])
  })

  it("with a key are the last of each, unless that takes the row away", () => {
    const rows = makeFinalRows(["a", "b"])
    for (const value of [
      '{"a":1,"b":"x","n":1}',
      '{"a":1,"b":"y","n":2}',
      '{"a":2,"b":"x","n":3}',
      '{"a":1,"b":"x","n":4}',
      '{"a":1,"b":"y","deleted":true}'
    ]) {
      rows.add(value)
    }
    assert.deepStrictEqual(rows.take(), ['{"a":2,"b":"x","n":3}', '{"a":1,"b":"x","n":4}'])
  })
})
