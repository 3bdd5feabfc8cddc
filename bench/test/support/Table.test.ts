/** What the table and the exit code make of figures that are none. */
import { assert, describe, it } from "@effect/vitest"
import type { Fields } from "../../src/support/Benchmark.ts"
import { documentOf, keptAll, tableText } from "../../src/support/Table.ts"
import { someMachine } from "./SomeMachine.ts"

const bounds = { latency: [["p99Ms", 400, "ms"]] } as const
const measuredWith = (fields: Fields) => [{ name: "latency", fields, failed: undefined, comparisons: [] }]

describe("a figure", () => {
  it("at its bound is kept, beyond it missed", () => {
    assert.isTrue(keptAll(bounds, measuredWith({ p99Ms: 400 })))
    assert.isFalse(keptAll(bounds, measuredWith({ p99Ms: 401 })))
  })

  it("of nothing measured is missed, in the table and in the document, too", () => {
    // what JSON makes of NaN, a percentile of no record; a field that is not there; a text
    for (const fields of [{ p99Ms: null }, {}, { p99Ms: "12" }]) {
      const measured = measuredWith(fields)
      assert.isFalse(keptAll(bounds, measured))
      assert.include(
        tableText(someMachine, "t", bounds, {}, measured),
        "| latency | not measured: ms | 400 | **MISSED** |"
      )
      const [benchmark] = documentOf(someMachine, "t", bounds, measured).benchmarks
      assert.isFalse(benchmark?.figures[0]?.kept)
    }
  })

  it("is told with the fields that its unit names", () => {
    const over = { w5: [["micros", 3, "µs over {commits} commits"]] } as const
    const measured = [{ name: "w5", fields: { micros: 2, commits: 3 }, failed: undefined, comparisons: [] }]
    assert.include(tableText(someMachine, "t", over, {}, measured), "| w5 | 2 µs over 3 commits | 3 | kept |")
  })
})
