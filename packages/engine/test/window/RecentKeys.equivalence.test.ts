/** Panes found by the bytes of their keys against panes found by text: the same ones, however keys and windows change. */
import { Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { count, sum, Window } from "../../src/index.ts"
import { makeRecentKeys, slotsMax } from "../../src/state/RecentKeys.ts"
import { type KeyPanes, makeKeyPanes, makePane, type Pane } from "../../src/window/Pane.ts"
import { planWindow, type WindowPlan } from "../../src/window/WindowPlan.ts"
import { foundByBytes, makeWindowState, type WindowState } from "../../src/window/WindowState.ts"
import { RawBytes } from "../../src/state/RawBytes.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const Sale = Schema.Struct({ account: Field.text(), amount: Field.int() })
type Sale = typeof Sale.Type

const planOf = (window: Pick<Window<"event">, "spec">): WindowPlan =>
  planWindow(
    "w",
    {
      op: "window",
      name: undefined,
      inputs: [],
      key: ["account"],
      window: window.spec,
      aggregates: [
        ["count", count().declaration],
        ["total", sum<Sale, "amount">("amount").declaration]
      ]
    } as const,
    RecordShape.of(Sale)
  )

const windows: ReadonlyArray<Pick<Window<"event">, "spec">> = [
  Window.tumbling("20s", { allowedLateness: "0s" }),
  Window.tumbling("20s", { allowedLateness: "30s", windowsOpenMax: 40, windowsOpenPerKeyMax: 2 }),
  Window.hopping("40s", { every: "10s", allowedLateness: "15s" }),
  Window.hopping("3m", { every: "10s", allowedLateness: "0s" }),
  Window.rolling("1m", { every: "10s", allowedLateness: "5s" }),
  Window.tumbling("20s", { allowedLateness: "10s", early: "5s" }),
  Window.tumbling("20s", { allowedLateness: "10s", once: true })
]

const letters = [
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "\u0000",
  "\u0000\u0000",
  "é",
  "名",
  "🦀",
  "x".repeat(59),
  "x".repeat(60)
]
const keyOf = (chance: Chance): string =>
  chance.once(3) ? chance.pick(letters) : `${chance.pick(letters)}${chance.below(chance.pick([4, 60, 900]))}`

const encoder = new TextEncoder()
/** The bytes of the key, among others. */
const placed = (key: string, chance: Chance) => {
  const text = encoder.encode(key)
  const start = chance.below(5)
  const bytes = new Uint8Array(start + text.length + chance.below(3)).fill(97)
  bytes.set(text, start)
  return { view: new DataView(bytes.buffer), start, end: start + text.length }
}

/** What the compiled stage does. */
const byBytes = (state: WindowState, key: string, chance: Chance, time: number, watermark: number) => {
  const { end, start, view } = placed(key, chance)
  const known = state.byBytes!.paneOf(view, start, end, time, watermark)
  if (known !== undefined) return { pane: known, found: true }
  const pane = state.paneOf(key, time, watermark)
  if (pane !== undefined) state.byBytes!.remember(view, start, end)
  return { pane, found: false }
}

describe("panes found by bytes", () => {
  it.each(windows.map((window, index) => [index, window] as const))(
    "are those found by text, in windows of kind %i",
    (_, window) => {
      const plan = planOf(window)
      assert.isTrue(foundByBytes(plan))
      let found = 0
      for (let seed = 1; seed <= 4; seed++) {
        const chance = makeChance(seed)
        const [fast, slow] = [makeWindowState(plan), makeWindowState(plan)]
        const given: readonly [Array<unknown>, Array<unknown>] = [[], []]
        let watermark = 0
        for (let record = 0; record < 900; record++) {
          const key = keyOf(chance)
          const time = watermark + chance.below(30_000) - chance.pick([0, 0, 20_000])
          const one = byBytes(fast, key, chance, time, watermark)
          const other = slow.paneOf(key, time, watermark)
          found += Number(one.found)
          assert.strictEqual(fast.refusal, slow.refusal)
          assert.strictEqual(one.pane === undefined, other === undefined)
          for (const [at, state] of [fast, slow].entries()) {
            const pane = at === 0 ? one.pane : other
            if (pane === undefined) continue
            for (const { add, field } of plan.accumulators) if (field !== undefined) add(pane, record, time, record)
            if (pane.firstEnd <= watermark) state.update(watermark, (...result) => given[at]!.push(result))
          }
          if (chance.once(20)) watermark += chance.below(12_000)
          for (const [at, state] of [fast, slow].entries())
            if (watermark >= state.nextAt) state.fire(watermark, (...result) => given[at]!.push(result))
          if (chance.once(200)) assert.deepStrictEqual(fast.takeDelta(new RawBytes()), slow.takeDelta(new RawBytes()))
        }
        for (const [at, state] of [fast, slow].entries()) state.close((...result) => given[at]!.push(result))
        assert.deepStrictEqual(given[0], given[1], `seed ${seed}`)
        assert.deepStrictEqual(fast.takeDelta(new RawBytes()), slow.takeDelta(new RawBytes()))
      }
      // worth something only while many are found
      assert.isAbove(found, 100)
    }
  )

  it("are never another key's, with more keys than have room", () => {
    const recent = makeRecentKeys<Pane>()
    const { spec } = Window.tumbling("20s", { allowedLateness: "0s" })
    if (spec._tag === "Session") throw new Error("windows that lie where the clock says")
    const chance = makeChance(1)
    const paneOf = (keyed: KeyPanes): Pane => makePane(spec, keyed, 0, 2)
    let found = 0
    for (let record = 0; record < 60_000; record++) {
      const key = `k${chance.below(chance.pick([500, 30_000]))}`
      const { end, start, view } = placed(key, chance)
      const pane = recent.find(view, start, end, 0)
      if (pane !== undefined) assert.strictEqual(pane.keyed.key, key)
      found += Number(pane !== undefined)
      if (pane === undefined) recent.put(view, start, end, 0, paneOf(makeKeyPanes(key)), Math.min(record, slotsMax))
    }
    assert.isAbove(found, 15_000)
    recent.clear()
    const { end, start, view } = placed("k1", chance)
    assert.isUndefined(recent.find(view, start, end, 0))
  })

  it("are not looked for among far more keys than have room", () => {
    const recent = makeRecentKeys<Pane>()
    const { spec } = Window.tumbling("20s", { allowedLateness: "0s" })
    if (spec._tag === "Session") throw new Error("windows that lie where the clock says")
    const view = new DataView(encoder.encode("key").buffer)
    const pane = makePane(spec, makeKeyPanes("key"), 0, 2)
    recent.put(view, 0, 3, 0, pane, 10)
    assert.strictEqual(recent.find(view, 0, 3, 0), pane)
    recent.put(view, 0, 3, 0, pane, slotsMax * 2 + 1)
    assert.isUndefined(recent.find(view, 0, 3, 0))
    recent.put(view, 0, 3, 0, pane, 10)
    assert.strictEqual(recent.find(view, 0, 3, 0), pane)
  })
})
