import { assert, describe, it } from "@effect/vitest"
import { type Firing, judge } from "../../src/watch/Judge.ts"

const lag = (value: number, subject = "orders") => ({ subject, kind: "lag", value, threshold: 100 }) as const

/** Judges the values one after the other, a second apart; the changes as text. */
const follow = (...values: ReadonlyArray<number>): ReadonlyArray<string> => {
  let firing: ReadonlyArray<Firing> = []
  return values.flatMap((value, second) => {
    const judged = judge(firing, [lag(value)], second * 1000)
    firing = judged.firing
    return judged.changes.map(({ sinceMs, state }) => `${state} at ${sinceMs / 1000}`)
  })
}

describe("a figure", () => {
  it("fires once above its threshold and clears once well below it", () => {
    assert.deepStrictEqual(follow(0, 100, 101, 500, 101, 99, 81, 80, 0), ["firing at 2", "cleared at 7"])
  })

  it("that trembles at its threshold is one alert", () => {
    assert.deepStrictEqual(follow(101, 99, 101, 98, 103), ["firing at 0"])
  })

  it("fires again after it has cleared", () => {
    assert.deepStrictEqual(follow(200, 0, 200, 0), ["firing at 0", "cleared at 1", "firing at 2", "cleared at 3"])
  })

  it("is judged by itself: others of the same kind or subject do not matter", () => {
    const { changes, firing } = judge([], [lag(200, "a"), lag(0, "b"), { ...lag(200, "a"), kind: "dead_letters" }], 0)
    assert.deepStrictEqual(
      changes.map(({ kind, subject }) => `${kind} ${subject}`),
      ["lag a", "dead_letters a"]
    )
    assert.strictEqual(firing.length, 2)
    assert.deepStrictEqual(judge(firing, [], 1000), { changes: [], firing })
  })
})
