/**
 * Snapshots in pieces of operators that hold records (joins, patterns, deduplicate by the first), while records come, meet and go:
 * what is restored is what deltas alone give. What is gone when its piece is made is left out, and its bytes are another's.
 */
import { type ColumnBatch, Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { JoinSpec } from "../../src/join/Join.ts"
import { type JoinState, makeJoinState } from "../../src/join/JoinState.ts"
import { makeFirstState } from "../../src/keyed/FirstState.ts"
import type { KeyedHost, KeyedOperator } from "../../src/keyed/KeyedOperator.ts"
import { patternBegin } from "../../src/pattern/Pattern.ts"
import { planPattern } from "../../src/pattern/PatternPlan.ts"
import { makePatternState, type PatternState } from "../../src/pattern/PatternState.ts"
import type { PlannedComputed } from "../../src/plan/StagePlan.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { casesOf } from "../support/Cases.ts"
import { runSeeds, type World } from "../support/CaptureWorld.ts"
import { memoryFolder } from "../support/StateFolders.ts"

const encoder = new TextEncoder()

/** One record, as operators read it of a batch. */
const batchOf = (record: object, offset: number): ColumnBatch => {
  const bytes = encoder.encode(JSON.stringify(record))
  const source = { bytes, offsets: [offset], valueStarts: [0], valueEnds: [bytes.length] }
  return { source } as unknown as ColumnBatch // operators that hold records read nothing else
}

const threw = (_: unknown, __: number, ___: string, error: unknown) => {
  throw error
}
const readBack = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> // of batchOf
const host: KeyedHost = {
  judging: undefined,
  firedAt: 0,
  clock: { at: 0, offset: 0 } as unknown as KeyedHost["clock"], // not read: nothing here goes by the clock
  readBack,
  threw,
  enter: () => {},
  enterHeld: () => {}
}

/** In memory, or on disk; what it gave is restored in memory all the same. */
const joinWorld = (spec: JoinSpec, onDisk = false): World => {
  let watermark = 0
  let offset = 0
  const store = { cacheBytesMax: 4_000 }
  const plan = { name: "j", spec, key: [], make: () => ({}), kept: undefined, shape: "s", store }
  const folder = memoryFolder()
  const open: OpenStore = (operator) => ({ files: folder.make(operator), sealed: false })
  let made = 0
  return {
    // the first one is that which runs
    make: () => makeJoinState(plan, onDisk && made++ === 0 ? open : undefined),
    change: (of, chance) => {
      const state = of as JoinState // made above
      for (let taken = 0; taken < 5; taken++) {
        const key = `k${chance.below(20)}`
        const side = chance.pick([0, 1] as const)
        const record = { key, id: offset, filler: "x".repeat(chance.below(400)) }
        const input = {
          side,
          port: side,
          key,
          time: watermark + chance.below(20_000) - 2_000,
          deleted: false,
          record,
          cells: undefined,
          changed: false
        }
        state.take(input, batchOf(record, offset++), 0, watermark, host, () => {})
      }
      watermark += chance.below(3_000)
      state.advance(watermark, host, () => {})
    },
    restored: (of) => (of as JoinState).restored(watermark, false),
    watermark: () => watermark,
    living: (read) => read
  }
}

interface Row {
  readonly key: string
  readonly id: number
}
const Waits = Schema.Struct({ key: Field.text(), id: Field.int() })
const begun = patternBegin<Row>()
  .begin("one", ({ id }) => id % 2 === 0)
  .followedBy("two", ({ id }) => id % 3 === 0)
const { spec: sequence } = begun.within("20s")

const newStore = (): OpenStore => {
  const folder = memoryFolder()
  return (operator) => ({ files: folder.make(operator), sealed: false })
}

const patternWorld = (onDisk = false): World => {
  let watermark = 0
  let offset = 0
  const node = {
    op: "pattern",
    name: undefined,
    inputs: [],
    key: ["key"],
    pattern: sequence,
    timeouts: false,
    store: { cacheBytesMax: 4_000 }
  } as const
  const computed = sequence.steps.map(({ condition }) => condition as PlannedComputed) // functions, each
  const plan = planPattern("p", node, RecordShape.of(Waits), computed)
  return {
    make: () => makePatternState(plan, onDisk ? newStore() : undefined),
    change: (of, chance) => {
      const state = of as PatternState // made above
      for (let taken = 0; taken < 5; taken++) {
        const key = `k${chance.below(20)}`
        const record = { key, id: offset, filler: "x".repeat(chance.below(400)) }
        const eventTime = watermark + chance.below(20_000)
        // any record may be of either step
        state.hold(state.keyOf(key), eventTime, 3, batchOf(record, offset++), 0, 0, undefined, false, false)
      }
      watermark += chance.below(3_000)
      if (state.nextAt() < watermark) state.advance(watermark, host, () => {})
    },
    restored: (of) => (of as PatternState).restored(false),
    watermark: () => watermark,
    living: (read) => read
  }
}

const firstWorld = (): World => {
  let watermark = 0
  let offset = 0
  const plan = {
    kind: "first",
    name: "f",
    fields: [],
    shape: "s",
    ttlMs: 60_000,
    keysMax: 1_000,
    recordsHeldMax: 1_000
  } as const
  return {
    make: () => makeFirstState(plan),
    change: (of, chance) => {
      const state = of as KeyedOperator // made above
      for (let taken = 0; taken < 5; taken++) {
        const key = `k${chance.below(20)}`
        const record = { key, id: offset }
        const eventTime = watermark + chance.below(12_000)
        const input = {
          key,
          record,
          changed: false,
          batch: batchOf(record, offset++),
          row: 0,
          port: 0,
          eventTime,
          watermark
        }
        state.take(input, host, () => {})
      }
      watermark += chance.below(3_000)
      state.advance(watermark, host, () => {})
    },
    restored: (of) => (of as KeyedOperator).restored(watermark, false),
    watermark: () => watermark,
    living: (read) => read
  }
}

const bounds = { allowedLatenessMs: 3_000, recordsPerKeyMax: 100, recordsHeldMax: 10_000 } as const
const interval = { _tag: "Interval", kind: "full", lowerMs: -8_000, upperMs: 4_000, ...bounds } as const
const asOf = { _tag: "AsOf", kind: "left", ttlMs: 25_000, ...bounds } as const
const latest = { _tag: "Latest", kind: "full", ttlMs: 25_000, ...bounds } as const

const worlds: ReadonlyArray<readonly [string, () => World, seeds?: number]> = [
  ["an interval join", () => joinWorld(interval)],
  ["an as-of join", () => joinWorld(asOf)],
  ["an interval join that leaves the disk", () => joinWorld(interval, true), 1],
  ["an as-of join that leaves the disk", () => joinWorld(asOf, true), 1],
  ["a join of tables that leaves the disk", () => joinWorld(latest, true), 1],
  ["a pattern", () => patternWorld()],
  ["a pattern on disk", () => patternWorld(true), 2],
  ["deduplicate by the first", firstWorld]
]

describe("snapshots of held records that are taken while they come and go", () => {
  for (const [name, make, seeds = casesOf(6)] of worlds) {
    it(`restore ${name} as it is: ${seeds} seeds`, () => {
      assert.isAbove(runSeeds(make, seeds), seeds * 5)
    })
  }
})
