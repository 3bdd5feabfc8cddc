/**
 * Snapshots that are taken piece by piece while state changes, bases and increments, against state written whole at one moment:
 * what is restored of both is the same, whenever pieces were made.
 */
import { Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { count, max, State, sum, Window } from "../../src/index.ts"
import {
  type KeyedHost,
  type KeyedInput,
  type KeyedOperator,
  makeKeyedOperator
} from "../../src/keyed/KeyedOperator.ts"
import { planKeyed } from "../../src/keyed/KeyedPlan.ts"
import type { ProcessSpec } from "../../src/keyed/ProcessSpec.ts"
import type { MapHandle, ValueHandle } from "../../src/keyed/State.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { memoryFolder } from "../support/StateFolders.ts"
import { type KeyedState, makeKeyedState } from "../../src/state/KeyedState.ts"
import { makeTableState, type TableState } from "../../src/state/TableState.ts"
import { planWindow } from "../../src/window/WindowPlan.ts"
import type { WindowSpec } from "../../src/window/Window.ts"
import { makeWindowState, type WindowState } from "../../src/window/WindowState.ts"
import { casesOf } from "../support/Cases.ts"
import { runSeeds, type World } from "../support/CaptureWorld.ts"

const Sale = Schema.Struct({ account: Field.text(), amount: Field.int() })
const shape = RecordShape.of(Sale)

const windowWorld = ({ spec }: { readonly spec: WindowSpec }, onDisk = false): World => {
  const aggregates = [
    ["count", count().declaration],
    ["total", sum<typeof Sale.Type, "amount">("amount").declaration],
    ["most", max<typeof Sale.Type, "amount">("amount").declaration]
  ] as const
  const store = { cacheBytesMax: 8_000 }
  const node = { op: "window", name: undefined, inputs: [], key: ["account"], window: spec, aggregates, store } as const
  const plan = planWindow("w", node, shape)
  const folder = memoryFolder()
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed: false })
  let watermark = 0
  return {
    make: () => makeWindowState(plan, onDisk ? open : undefined),
    change: (of, chance) => {
      const state = of as WindowState // made above
      for (let record = 0; record < 6; record++) {
        const time = watermark + chance.below(60_000) - 15_000
        const pane = state.paneOf(`k${chance.below(12)}`, time, watermark)
        if (pane === undefined) continue
        for (const { add, field } of plan.accumulators) if (field !== undefined) add(pane, chance.below(100), time, 0)
        if (pane.firstEnd <= watermark) state.update(watermark, () => {})
      }
      watermark += chance.below(8_000)
      if (watermark >= state.nextAt) state.fire(watermark, () => {})
    },
    restored: (of) => (of as WindowState).restored(watermark, false),
    watermark: () => watermark,
    living: (read) => {
      const { revisions } = (read ?? {}) as { readonly revisions?: ReadonlyArray<{ readonly window_end: string }> }
      if (revisions === undefined) return read
      const open = (end: string) => Date.parse(end) + spec.allowedLatenessMs > watermark
      return { ...read, revisions: revisions.filter(({ window_end }) => open(window_end)) }
    }
  }
}

const valueWorld = (): World => {
  let watermark = 0
  const declaration = { schema: Schema.Finite, initial: () => 0, ttlMs: 40_000, update: () => [0, []] as const }
  return {
    make: () => makeKeyedState("v", declaration),
    change: (of, chance) => {
      const state = of as KeyedState // made above
      for (let record = 0; record < 4; record++)
        state.set(`k${chance.below(20)}`, chance.below(1_000), watermark + chance.below(10_000))
      watermark += chance.below(8_000)
    },
    restored: () => {},
    watermark: () => watermark,
    living: (read) => read
  }
}

/** A process function that fills a map, empties it, forgets all of a key, sets timers; in memory, or on disk with a cache in which little stays. */
const functionWorld = (onDisk: boolean): World => {
  const states = {
    items: State.map({ schema: Schema.Finite, ttl: "40s", entriesMax: 50 }),
    last: State.value({ schema: Schema.Finite, initial: () => 0, ttl: "20s" })
  }
  const spec: ProcessSpec = {
    states: Object.entries(states).map(([name, state]) => [name, state.spec] as const),
    timersPerKeyMax: 10,
    timersMax: 1_000,
    keysMax: Number.POSITIVE_INFINITY,
    operational: undefined,
    onRecord: (record, { eventTime, states: of, timers }) => {
      const { item, kind } = record as { readonly item: number; readonly kind: number } // made below
      const { items, last } = of as { readonly items: MapHandle<number>; readonly last: ValueHandle<number> } // as above
      last.set(eventTime)
      if (kind === 0) items.clear()
      if (kind === 1) items.delete(String(item))
      if (kind === 2) for (const state of [items, last]) state.clear()
      if (kind > 2) items.set(String(item), eventTime)
      if (kind === 9) timers.event.set(eventTime + 9_000)
      return []
    },
    onTimer: () => []
  }
  const node = { op: "process", name: "f", inputs: [], spec, store: { cacheBytesMax: 1_000 } } as const
  const plan = planKeyed("f", node, ["account"], shape)
  const folder = memoryFolder()
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed: false })
  let watermark = 0
  // what it asks of its shard
  const host = { clock: { at: 0 }, firedAt: 0 } as unknown as KeyedHost
  const batch = { source: { offsets: [0] } } as unknown as KeyedInput["batch"]
  return {
    make: () => makeKeyedOperator(plan, onDisk ? open : undefined),
    change: (of, chance) => {
      const state = of as KeyedOperator // made above
      for (let turn = 0; turn < 4; turn++) {
        const record = { item: chance.below(3), kind: chance.below(10) }
        const eventTime = watermark + chance.below(20_000) - 5_000
        const key = `k${chance.below(8)}`
        state.take({ key, record, changed: false, batch, row: 0, port: 0, eventTime, watermark }, host, () => {})
      }
      watermark += chance.below(6_000)
      if (state.due(watermark)) state.advance(watermark, host, () => {})
    },
    restored: (of) => (of as KeyedOperator).restored(watermark, false),
    watermark: () => watermark,
    // a key whose states are over and that has no timer is as good as none
    living: (read) => {
      const text = JSON.stringify(read ?? {}, (_, value: unknown) =>
        Array.isArray(value)
          ? value.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
          : value
      )
      return /"written_at"|:\["/.test(text) ? { text } : undefined
    }
  }
}

const newStore = (): OpenStore => {
  const folder = memoryFolder()
  return (operator) => ({ files: folder.make(operator), sealed: false })
}

const tableWorld = (onDisk: boolean): World => ({
  make: () =>
    makeTableState({ name: "t", fields: ["a"], store: { cacheBytesMax: 1_000 } }, onDisk ? newStore() : undefined),
  change: (of, chance) => {
    const state = of as TableState // made above
    for (let row = 0; row < 4; row++) {
      const key = `k${chance.below(15)}`
      if (chance.once(3)) state.delete(key)
      else state.set(key, { a: chance.below(100) })
    }
  },
  restored: () => {},
  watermark: () => 0,
  living: (read) => read
})

const worlds: ReadonlyArray<readonly [string, () => World, seeds?: number]> = [
  ["tumbling windows", () => windowWorld(Window.tumbling("20s", { allowedLateness: "10s" }))],
  ["overlapping windows", () => windowWorld(Window.hopping("30s", { every: "10s", allowedLateness: "5s" }))],
  ["early results", () => windowWorld(Window.tumbling("30s", { early: "5s", allowedLateness: "10s" }))],
  ["sessions", () => windowWorld(Window.session("8s", { max: "2 minutes", allowedLateness: "10s" }))],
  ["tumbling windows on disk", () => windowWorld(Window.tumbling("20s", { allowedLateness: "10s" }), true), 1],
  [
    "overlapping windows on disk",
    () => windowWorld(Window.hopping("30s", { every: "10s", allowedLateness: "5s" }), true),
    1
  ],
  ["sessions on disk", () => windowWorld(Window.session("8s", { max: "2 minutes", allowedLateness: "10s" }), true), 1],
  ["values", valueWorld],
  ["process functions", () => functionWorld(false)],
  ["process functions on disk", () => functionWorld(true), 3],
  ["tables", () => tableWorld(false)],
  ["tables on disk", () => tableWorld(true), 2]
]

describe("snapshots that are taken while state changes", () => {
  for (const [name, make, seeds = casesOf(8)] of worlds) {
    it(`restore ${name} as they are: ${seeds} seeds`, () => {
      assert.isAbove(runSeeds(make, seeds), seeds * 5)
    })
  }
})
