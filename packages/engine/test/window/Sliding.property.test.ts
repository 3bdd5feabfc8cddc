/**
 * Windows of many panes, merged as they slide, against the same windows merged pane by pane: one more aggregate, of which
 * sliding cannot make use, is all the difference.
 */
import { Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { avg, count, countDistinct, max, min, sum, Window } from "../../src/index.ts"
import { planWindow } from "../../src/window/WindowPlan.ts"
import { piecesOf } from "../support/Captures.ts"
import { makeWindowState } from "../../src/window/WindowState.ts"
import type { AggregateDeclaration } from "../../src/window/Aggregate.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const Sale = Schema.Struct({ account: Field.text(), amount: Field.decimal(38, 2), tip: Field.optional(Field.int()) })
const shape = RecordShape.of(Sale)

const exact: ReadonlyArray<readonly [string, AggregateDeclaration]> = [
  ["count", count().declaration],
  ["total", sum<typeof Sale.Type, "amount">("amount").declaration],
  ["mean", avg<typeof Sale.Type, "amount">("amount").declaration],
  ["least", min<typeof Sale.Type, "amount">("amount").declaration],
  ["most", max<typeof Sale.Type, "tip">("tip").declaration],
  ["tips", sum<typeof Sale.Type, "tip">("tip").declaration]
]
const accounts = countDistinct<typeof Sale.Type, "account">("account", { valuesMax: 2 }).declaration

const stateOf = (window: Window<"event">, more: ReadonlyArray<readonly [string, AggregateDeclaration]>) => {
  const node = {
    op: "window",
    name: undefined,
    inputs: [],
    key: ["account"],
    window: window.spec,
    aggregates: [...exact, ...more]
  } as const
  const plan = planWindow("w", node, shape)
  let state = makeWindowState(plan)
  const results: Array<string> = []
  const emit = ({ accounts: _, accounts_capped: __, ...result }: Readonly<Record<string, unknown>>) =>
    results.push(JSON.stringify(result))
  return {
    results,
    take: (key: string, time: number, watermark: number, values: Readonly<Record<string, number | bigint | null>>) => {
      const pane = state.paneOf(key, time, watermark)
      if (pane === undefined) return
      for (const { add, field } of plan.accumulators)
        if (field !== undefined) add(pane, values[field.name] ?? null, time, 0)
      if (pane.firstEnd <= watermark) state.update(watermark, emit)
    },
    fire: (watermark: number) => {
      if (watermark >= state.nextAt) state.fire(watermark, emit)
    },
    restart: (watermark: number) => {
      const kept: ReadonlyArray<unknown> = JSON.parse(JSON.stringify(piecesOf(state, "base", watermark)))
      state = makeWindowState(plan)
      for (const piece of kept) state.load(piece)
      state.restored(watermark, false)
    },
    close: () => state.close(emit)
  }
}

const windows = (chance: Chance): Window<"event"> => {
  const allowedLateness = chance.pick(["0s", "8s", "40s"] as const)
  return chance.pick([
    Window.hopping("20s", { every: "1s", allowedLateness }),
    Window.rolling("30s", { every: "1s", allowedLateness }),
    // panes of a second, windows that do not divide
    Window.hopping("33s", { every: "2s", allowedLateness }),
    Window.rolling("100s", { every: "5s", allowedLateness })
  ])
}

describe("windows that slide over many panes", () => {
  it("hold what their panes do, whatever comes late, falls silent or restarts", () => {
    let results = 0
    for (let seed = 1; seed <= 60; seed++) {
      const chance = makeChance(seed)
      const window = windows(chance)
      const states = [stateOf(window, []), stateOf(window, [["accounts", accounts]])]
      let time = 1_768_434_300_000
      let watermark = Number.NEGATIVE_INFINITY
      for (let record = 0; record < 400; record++) {
        time += chance.once(60) ? 70_000 : chance.below(1500)
        const at = time - (chance.once(6) ? chance.below(50_000) : chance.below(3000))
        const values = {
          amount: chance.once(5) ? 9_007_199_254_740_993n * BigInt(chance.below(9)) : chance.below(1000) - 500,
          tip: chance.once(3) ? null : chance.below(20)
        }
        const key = `A${chance.below(3)}`
        const restarts = chance.once(50)
        for (const state of states) state.take(key, at, watermark, values)
        watermark = Math.max(watermark, at - 2000)
        for (const state of states) state.fire(watermark)
        if (restarts) states[0]!.restart(watermark)
      }
      for (const state of states) state.close()
      assert.deepStrictEqual(states[0]!.results, states[1]!.results, `seed ${seed}`)
      results += states[0]!.results.length
    }
    assert.isAbove(results, 10_000)
  })
})
