/**
 * Windows on disk against those in memory, call by call: the same results in the same order, the same refusals, changes and
 * snapshots, over restores in which each takes over what the other one gave.
 */
import { Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { avg, collect, count, countDistinct, last, max, sum, Window } from "../../src/index.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { applyEncoded, encodeDelta } from "../../src/state/StateCodec.ts"
import { cellValueOf } from "../../src/window/Cells.ts"
import { planWindow } from "../../src/window/WindowPlan.ts"
import { makeWindowState, type WindowState } from "../../src/window/WindowState.ts"
import type { WindowSpec } from "../../src/window/Window.ts"
import { encodeWhole } from "../support/Captures.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { memoryFolder } from "../support/StateFolders.ts"

const Sale = Schema.Struct({ account: Field.text(), amount: Field.int(), score: Field.double(), shop: Field.text() })
type Sale = typeof Sale.Type
const shape = RecordShape.of(Sale)

const numbers = [
  ["count", count().declaration],
  ["total", sum<Sale, "amount">("amount").declaration],
  ["score", sum<Sale, "score">("score").declaration],
  ["most", max<Sale, "amount">("amount").declaration]
] as const
const others = [
  ["mean", avg<Sale, "score">("score").declaration],
  ["shops", countDistinct<Sale, "shop">("shop", { valuesMax: 2 }).declaration],
  ["newest", last<Sale, "shop">("shop").declaration],
  ["all", collect<Sale, "shop">("shop", { valuesMax: 4 }).declaration]
] as const

const bounds = { windowsOpenPerKeyMax: 3, windowsOpenMax: 12 }
const windows: ReadonlyArray<readonly [string, WindowSpec]> = [
  ["tumbling", Window.tumbling("20s", { allowedLateness: "10s" }).spec],
  ["tumbling within bounds", Window.tumbling("10s", { allowedLateness: "20s", ...bounds }).spec],
  ["hopping", Window.hopping("30s", { every: "10s", allowedLateness: "5s" }).spec],
  ["hopping of other panes", Window.hopping("25s", { every: "10s", allowedLateness: "0s" }).spec],
  ["of many panes", Window.hopping("60s", { every: "3s", allowedLateness: "7s" }).spec],
  ["rolling", Window.rolling("60s", { every: "15s", allowedLateness: "10s" }).spec],
  ["early", Window.tumbling("30s", { early: "7s", allowedLateness: "10s" }).spec],
  ["rolling early", Window.rolling("40s", { every: "10s", early: "3s", allowedLateness: "12s" }).spec],
  ["once", Window.hopping("20s", { every: "10s", allowedLateness: "15s", once: true }).spec],
  ["sessions", Window.session("3s", { max: "20s", allowedLateness: "15s" }).spec],
  ["sessions of a long gap", Window.session("64s", { max: "10m", allowedLateness: "5s" }).spec],
  ["sessions within bounds", Window.session("2s", { max: "20s", allowedLateness: "20s", ...bounds }).spec],
  ["sessions once", Window.session("4s", { max: "1m", allowedLateness: "10s", once: true }).spec]
]

const planOf = (spec: WindowSpec, flat: boolean) => {
  const aggregates = flat ? numbers : [...numbers, ...others]
  const store = { cacheBytesMax: 2000 }
  const node = { op: "window", name: undefined, inputs: [], key: ["account"], window: spec, aggregates, store } as const
  return planWindow("w", node, shape)
}
type Plan = ReturnType<typeof planOf>

const sortedText = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    Array.isArray(inner) ? inner.map((each) => JSON.stringify(each)).sort() : inner
  )

/** What people read of every key once the changes up to a time are loaded, whatever their order. */
const loadedOf = (plan: Plan, deltas: ReadonlyArray<Uint8Array>, watermark: number): string => {
  const state = makeWindowState(plan)
  for (const delta of deltas) applyEncoded([state], delta)
  state.restored(watermark, false)
  const { allowedLatenessMs } = plan.spec
  const read = Array.from({ length: 20 }, (_, key) => {
    const { revisions = [], ...rest } = (state.read?.(`k${key}`, watermark) ?? {}) as Read // of windows
    return {
      ...rest,
      revisions: revisions.filter(({ window_end: end }) => Date.parse(end) + allowedLatenessMs > watermark)
    }
  })
  return sortedText(read)
}

interface Read {
  readonly revisions?: ReadonlyArray<{ readonly window_end: string }>
}

interface Twins {
  readonly disk: WindowState
  readonly memory: WindowState
}

/** One call of each; what it gave of both must be the same. */
const both = <A>({ disk, memory }: Twins, call: (state: WindowState) => A, what: string): A => {
  const found = call(disk)
  assert.deepStrictEqual(found, call(memory), what)
  return found
}

const take = (
  state: WindowState,
  plan: Plan,
  key: string,
  record: Sale,
  time: number,
  watermark: number,
  offset: number
) => {
  const given: Array<unknown> = []
  const pane = state.paneOf(key, time, watermark)
  if (pane !== undefined) {
    for (const { add, field } of plan.accumulators)
      if (field !== undefined) add(pane, cellValueOf(record, field.name), time, offset)
    if (pane.firstEnd <= watermark) state.update(watermark, (result, end) => given.push([result, end]))
  }
  return [state.refusal, pane === undefined, given] as const
}

const fire = (state: WindowState, watermark: number) => {
  const given: Array<unknown> = []
  if (watermark >= state.nextAt) state.fire(watermark, (result, end) => given.push([result, end]))
  return given
}

const close = (state: WindowState) => {
  const given: Array<unknown> = []
  state.close((result, end) => given.push([result, end]))
  return given
}

const runTwins = (plan: Plan, seed: number, chance: Chance) => {
  const folder = memoryFolder(seed % 2 === 0)
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed: seed % 2 === 0 })
  let twins: Twins = { disk: makeWindowState(plan, open), memory: makeWindowState(plan) }
  let watermark = Number.NEGATIVE_INFINITY
  let at = 1_000_000
  let results = 0
  let reads = 0
  let refused = 0
  const deltas = { disk: new Array<Uint8Array>(), memory: new Array<Uint8Array>() }
  const compareChanges = (what: string) => {
    for (const of of ["disk", "memory"] as const) deltas[of].push(encodeDelta([twins[of]]))
    assert.strictEqual(loadedOf(plan, deltas.disk, watermark), loadedOf(plan, deltas.memory, watermark), what)
  }
  for (let offset = 0; offset < 250; offset++) {
    at += chance.below(chance.once(40) ? 30_000 : 1200)
    const time = at - (chance.once(4) ? chance.below(40_000) : chance.below(2000))
    const record = {
      account: "",
      amount: chance.below(100),
      score: chance.below(1000) / 7,
      shop: `s${chance.below(5)}`
    }
    const key = `k${chance.below(12)}`
    const [refusal, , given] = both(
      twins,
      (state) => take(state, plan, key, record, time, watermark, offset),
      `seed ${seed}, record ${offset}`
    )
    if (refusal !== undefined) refused++
    results += given.length
    watermark = Math.max(watermark, time - 2000)
    results += both(twins, (state) => fire(state, watermark), `seed ${seed}, behind ${offset}`).length
    if (chance.once(14)) compareChanges(`seed ${seed}, changes up to ${offset}`)
    if (!chance.once(60)) continue
    const { disk, memory } = twins
    compareChanges(`seed ${seed}, changes before a restart at ${offset}`)
    // each takes over what the other one had
    const snapshots = { disk: encodeWhole([disk], watermark), memory: encodeWhole([memory], watermark) }
    reads += disk.stored?.().reads ?? 0
    disk.discard?.()
    twins = { disk: makeWindowState(plan, open), memory: makeWindowState(plan) }
    applyEncoded([twins.disk], snapshots.memory)
    applyEncoded([twins.memory], snapshots.disk)
    for (const state of [twins.disk, twins.memory]) state.restored(watermark, false)
  }
  results += both(twins, close, `seed ${seed}, at the end`).length
  reads += twins.disk.stored?.().reads ?? 0
  twins.disk.discard?.()
  assert.strictEqual(folder.files.size, 0)
  return { reads, refused, results }
}

/** More of them by `SEEDS`. */
const seeds = Number(process.env["SEEDS"] ?? 1)

describe("windows on disk", () => {
  let refused = 0
  for (const [index, [name, spec]] of windows.entries()) {
    it(`give what those in memory give, call by call: ${name}`, () => {
      const met = { results: 0, reads: 0 }
      for (let seed = 1; seed <= seeds; seed++) {
        const ran = runTwins(planOf(spec, (seed + index) % 2 === 0), seed, makeChance(seed + 100 * index))
        met.results += ran.results
        met.reads += ran.reads
        refused += ran.refused
      }
      assert.isAbove(met.results, 20)
      assert.isAbove(met.reads, 50)
    })
  }

  it("refuse records in these tests", () => assert.isAbove(refused, 60))
})
