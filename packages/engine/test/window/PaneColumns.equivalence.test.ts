/** Panes as columns against the same panes as rows: what is read of either is what was there. Older forms are read, too. */
import { Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { avg, count, last, max, min, sum, Window } from "../../src/index.ts"
import type { AggregateDeclaration } from "../../src/window/Aggregate.ts"
import { decodePanes, encodePanes } from "../../src/window/PaneCodec.ts"
import { makePaneStore } from "../../src/window/PaneStore.ts"
import { planWindow, type WindowPlan } from "../../src/window/WindowPlan.ts"
import { makeWindowState } from "../../src/window/WindowState.ts"
import { applyEncoded } from "../../src/state/StateCodec.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const Sale = Schema.Struct({ account: Field.text(), amount: Field.int(), weight: Field.double() })
type Sale = typeof Sale.Type
const { spec } = Window.tumbling("20s", { allowedLateness: "10s" })

const planOf = (aggregates: ReadonlyArray<readonly [string, AggregateDeclaration]>): WindowPlan =>
  planWindow(
    "w",
    { op: "window", name: undefined, inputs: [], key: ["account"], window: spec, aggregates } as const,
    RecordShape.of(Sale)
  )

const numbers = planOf([
  ["count", count().declaration],
  ["total", sum<Sale, "amount">("amount").declaration],
  ["mean", avg<Sale, "amount">("amount").declaration],
  ["least", min<Sale, "weight">("weight").declaration],
  ["weights", sum<Sale, "weight">("weight").declaration],
  ["most", max<Sale, "amount">("amount").declaration]
])

const amounts = [null, 0, -7, 12, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER, 2n ** 70n]
const weights = [null, 0.1, -3.5, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

const storeOf = (plan: WindowPlan) => {
  if (spec._tag === "Session") throw new Error("windows that lie where the clock says")
  return makePaneStore(plan, spec, () => {})
}
type Store = ReturnType<typeof storeOf>

const randomPanes = (plan: WindowPlan, chance: Chance): Store => {
  const store = storeOf(plan)
  for (let record = 0; record < 60; record++) {
    const pane = store.openPane(`k${chance.below(12)}`, 20_000 * chance.below(chance.pick([1, 4])))
    pane.numbers[0]!++
    pane.touched = chance.once(3)
    for (const { add, field } of plan.accumulators) {
      if (field?.name === "amount") add(pane, chance.pick(amounts), 0, 0)
      if (field?.name === "weight") add(pane, chance.pick(weights), 0, 0)
    }
  }
  return store
}

const panesOf = ({ keys }: Store) => Array.from(keys.values()).flatMap(({ panes }) => panes)

/** What can be read of them; in the order of their keys and starts. */
const contentOf = (plan: WindowPlan, store: Store) =>
  panesOf(store)
    .map((pane) => ({
      at: `${pane.keyed.key} ${pane.start}`,
      touched: pane.touched,
      records: pane.numbers[0],
      results: plan.accumulators.map(({ result }) => result(pane))
    }))
    .sort((one, other) => one.at.localeCompare(other.at))

/** As the log and the store keep it. */
const written = (entries: unknown): unknown => JSON.parse(JSON.stringify(entries))

const loaded = (plan: WindowPlan, entries: unknown): Store => {
  const store = storeOf(plan)
  decodePanes(plan, written(entries), store.openPane, () => {})
  return store
}

describe("panes as columns", () => {
  it("read as the same panes as rows, whatever they hold: 200 seeds", () => {
    let [inColumns, inRows] = [0, 0]
    for (let seed = 1; seed <= 200; seed++) {
      const store = randomPanes(numbers, makeChance(seed))
      const fast = encodePanes(numbers, panesOf(store), [])
      const slow = encodePanes({ ...numbers, flat: false }, panesOf(store), [])
      assert.isUndefined(slow.columns)
      inColumns += fast.columns?.keys.length ?? 0
      inRows += fast.panes.length
      const there = contentOf(numbers, store)
      assert.deepStrictEqual(contentOf(numbers, loaded(numbers, fast)), there, `seed ${seed}`)
      assert.deepStrictEqual(contentOf(numbers, loaded(numbers, slow)), there, `seed ${seed}`)
    }
    assert.isAbove(inColumns, 500)
    assert.isAbove(inRows, 500)
  })

  it("replace what a pane held before, as a row does", () => {
    const store = storeOf(numbers)
    const pane = store.openPane("k", 0)
    pane.touched = true
    pane.big = new Map([[1, 5n]])
    const other = storeOf(numbers)
    other.openPane("k", 0).numbers[0] = 3
    decodePanes(numbers, written(encodePanes(numbers, panesOf(other), [])), store.openPane, () => {})
    assert.deepStrictEqual(contentOf(numbers, store), contentOf(numbers, other))
  })

  it("are refused when they are not whole, or not the plan's", () => {
    const store = storeOf(numbers)
    for (const key of ["a", "b"]) store.openPane(key, 0)
    const entries = encodePanes(numbers, panesOf(store), [])
    const columns = entries.columns!
    const broken: ReadonlyArray<object> = [
      { ...columns, keys: ["a"] },
      { ...columns, keys: ["a", 7] },
      { ...columns, cells: columns.cells.slice(1) },
      { ...columns, cells: columns.cells.map((list) => list.slice(1)) },
      { ...columns, cells: columns.cells.map((list) => list.map(String)) },
      { ...columns, starts: null },
      { ...columns, starts: [0] },
      { ...columns, touched: null },
      { ...columns, touched: [2] }
    ]
    for (const wrong of broken)
      assert.throws(() => loaded(numbers, { ...entries, columns: wrong }), TypeError, "window's state")
    assert.throws(() => loaded({ ...numbers, flat: false }, entries), TypeError, "window's state")
  })
})

describe("snapshots of version 1", () => {
  // as a program before snapshots in parts wrote them
  const ofNumbers = `{"version":1,"sections":[{"operator":"w","entries":{"shape":"40330508bab12d6f","panes":[["a",0,3,null,37,25],["b",0,2,null,"9007199254740993",9007199254740991],["a",20000,1,null,null,null],["c",20000,1,null,1,1]],"revisions":[["a",20000,1]]}}]}`
  const ofOthers = `{"version":1,"sections":[{"operator":"w","entries":{"shape":"90ab9a1819ef9335","panes":[["a",0,3,37,[4000,5,7]],["b",0,2,"9007199254740993",[2000,3,2]],["a",20000,1,null,null],["c",20000,1,1,[30000,6,1]]],"revisions":[["a",20000,1]]}}]}`
  const total = ["total", sum<Sale, "amount">("amount").declaration] as const

  /** Start, records and values of each pane, and revisions. */
  const readOf = (plan: WindowPlan, text: string) => {
    const state = makeWindowState(plan)
    applyEncoded([state], new TextEncoder().encode(text))
    state.restored(20_000, false)
    return ["a", "b", "c"].map((key) => {
      const { panes, revisions } = state.read!(key, 20_000) as {
        readonly panes: ReadonlyArray<{ readonly start: string; readonly records: number; readonly values: object }>
        readonly revisions: ReadonlyArray<{ readonly revision: number }>
      }
      return [
        panes.map(({ records, start, values }) => [Date.parse(start), records, ...Object.values(values)]),
        revisions.map(({ revision }) => revision)
      ]
    })
  }

  it("are read: numbers", () => {
    const plan = planOf([["count", count().declaration], total, ["most", max<Sale, "amount">("amount").declaration]])
    assert.deepStrictEqual(readOf(plan, ofNumbers), [
      [
        [
          [0, 3, 3, 37, 25],
          [20_000, 1, 1, null, null]
        ],
        [1]
      ],
      [[[0, 2, 2, 9_007_199_254_740_992, 9_007_199_254_740_991]], []],
      [[[20_000, 1, 1, 1, 1]], []]
    ])
  })

  it("are read: whatever else panes hold", () => {
    const plan = planOf([total, ["newest", last<Sale, "amount">("amount").declaration]])
    assert.deepStrictEqual(readOf(plan, ofOthers), [
      [
        [
          [0, 3, 37, 7],
          [20_000, 1, null, null]
        ],
        [1]
      ],
      [[[0, 2, 9_007_199_254_740_992, 2]], []],
      [[[20_000, 1, 1, 1]], []]
    ])
  })
})
