/**
 * Patterns on disk against those in memory, call by call: the same matches and timeouts in the same order, the same evictions and
 * what is loaded of changes and snapshots, over restores in which each takes over what the other one gave.
 */
import { type ColumnBatch, Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { PatternHost } from "../../src/pattern/HeldRecord.ts"
import { patternBegin, type PatternSpec } from "../../src/pattern/Pattern.ts"
import { type PatternPlan, planPattern } from "../../src/pattern/PatternPlan.ts"
import { makePatternState, type PatternState } from "../../src/pattern/PatternState.ts"
import type { PlannedComputed } from "../../src/plan/StagePlan.ts"
import { applyEncoded, encodeDelta, PartWriter } from "../../src/state/StateCodec.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { piecesOf } from "../support/Captures.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { memoryFolder } from "../support/StateFolders.ts"

interface Row {
  readonly key: string
  readonly id: number
  readonly n: number
}
const Rows = Schema.Struct({ key: Field.text(), id: Field.int(), n: Field.int() })

const begin = () => patternBegin<Row>().begin("one", ({ n }) => n < 3)
const specs: ReadonlyArray<readonly [string, PatternSpec]> = [
  [
    "a sequence",
    begin()
      .followedBy("two", ({ n }) => n > 6)
      .within("20s").spec
  ],
  [
    "a loop that skips, bounded",
    begin()
      .times(1, 3)
      .followedBy("two", ({ n }) => n === 7)
      .within("40s", { skip: "skipPastLastEvent", partialMatchesMax: 3 }).spec
  ],
  [
    "a negative end",
    begin()
      .followedBy("two", ({ n }) => n > 4)
      .notFollowedBy("three", ({ n }) => n === 4)
      .within("5s").spec
  ],
  [
    "matches that wait",
    begin()
      .followedBy("two", ({ n }) => n > 7)
      .within("1 hour", { skip: "skipToNext" }).spec
  ]
]

const planOf = (spec: PatternSpec, cacheBytesMax: number): PatternPlan => {
  const node = { name: undefined, inputs: [], key: ["key"], pattern: spec, timeouts: true, store: { cacheBytesMax } }
  const computed = spec.steps.map(({ condition }) => condition as PlannedComputed) // functions, each
  return planPattern("p", { op: "pattern", ...node }, RecordShape.of(Rows), computed)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** One record, as patterns read it of a batch. */
const batchOf = (row: Row): ColumnBatch => {
  const bytes = encoder.encode(JSON.stringify(row))
  const source = { bytes, offsets: [row.id], valueStarts: [0], valueEnds: [bytes.length] }
  return { source } as unknown as ColumnBatch // patterns read nothing else
}

type Place = "disk" | "memory"
const places: ReadonlyArray<Place> = ["disk", "memory"]

const readOf = (state: PatternState) =>
  Array.from({ length: keysCount }, (_, key) => {
    const read = state.read?.(`k${key}`, 0)
    // in memory a key is kept until it would have been over
    return JSON.stringify(read) === nothing ? undefined : read
  })
const keysCount = 14
const nothing = JSON.stringify({ waiting: [], partial_matches: [], matches_that_wait: [] })

const loaded = (plan: PatternPlan, parts: ReadonlyArray<Uint8Array>, open?: OpenStore): PatternState => {
  const state = makePatternState(plan, open)
  for (const part of parts) applyEncoded([state], part)
  state.restored(false)
  return state
}

const partOf = (state: PatternState, kind: "base" | "increment", watermark: number): Uint8Array => {
  const writer = new PartWriter()
  for (const piece of piecesOf(state, kind, watermark)) writer.add(state.name, piece)
  return writer.take()
}

interface Met {
  matches: number
  timeouts: number
  evicted: number
  reads: number
}

/** What the calls gave since it was asked last. */
const makeHost = (met: Met | undefined) => {
  let given: Array<string> = []
  const host: PatternHost = {
    judging: undefined,
    firedAt: 0,
    readBack: (bytes) => JSON.parse(decoder.decode(bytes)) as Record<string, unknown>, // of batchOf
    threw: (_, __, ___, error) => {
      throw error
    },
    enterHeld: ({ offset }, { latenessMs, reason }) => {
      given.push(`${reason} ${offset} ${latenessMs}`)
      if (met !== undefined) met.evicted++
    }
  }
  const emit = (record: unknown, time: number, timedOut: boolean) => {
    given.push(`${time} ${timedOut} ${JSON.stringify(record)}`)
    if (met !== undefined) met[timedOut ? "timeouts" : "matches"]++
  }
  const take = () => {
    const all = given
    given = []
    return all
  }
  return { host, emit, take }
}

const runTwins = (plan: PatternPlan, seed: number, chance: Chance, met: Met): void => {
  const sealed = seed % 2 === 0
  const folder = memoryFolder(sealed)
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed })
  const hosts = { disk: makeHost(met), memory: makeHost(undefined) }
  let twins: Readonly<Record<Place, PatternState>> = {
    disk: makePatternState(plan, open),
    memory: makePatternState(plan)
  }
  let chains: Readonly<Record<Place, Array<Uint8Array>>> = { disk: [], memory: [] }
  let watermark = 0
  let at = 100_000

  const both = (what: string, call: (state: PatternState, of: (typeof hosts)[Place]) => unknown) => {
    const found = places.map((place) => [call(twins[place], hosts[place]), hosts[place].take()])
    assert.deepStrictEqual(found[0], found[1], `seed ${seed}, ${what}`)
  }
  const changes = (what: string) => {
    for (const place of places) chains[place].push(encodeDelta([twins[place]]))
    const found = places.flatMap((place) =>
      [undefined, open].map((into) => {
        const state = loaded(plan, chains[place], into)
        const read = readOf(state)
        state.discard?.()
        return read
      })
    )
    for (const read of found.slice(1)) assert.deepStrictEqual(read, found[0], `seed ${seed}, ${what}`)
  }
  const snapshot = (kind: "base" | "increment") => {
    for (const place of places) {
      if (kind === "base") chains[place].length = 0
      chains[place].push(partOf(twins[place], kind, watermark))
    }
  }
  const restart = () => {
    met.reads += twins.disk.stored?.().reads ?? 0
    twins.disk.discard?.()
    chains = { disk: chains.memory, memory: chains.disk }
    twins = { disk: loaded(plan, chains.disk, open), memory: loaded(plan, chains.memory) }
    snapshot("base")
  }
  snapshot("base")
  for (let id = 0; id < 250; id++) {
    // several of one time, and now and then a pause in which all is over
    at += chance.once(40) ? 30_000 : 250 * chance.below(4)
    const time = at - 250 * chance.below(8)
    const row: Row = { key: `k${Math.min(chance.below(keysCount), chance.below(keysCount))}`, id, n: chance.below(9) }
    const mask = (1 << plan.steps.length) - 1
    both(`record ${id}`, (state) => {
      const refused = state.refusal(time, watermark)
      if (refused === undefined)
        state.hold(state.keyOf(row.key), time, mask, batchOf(row), 0, 0, undefined, false, false)
      state.keepBytes()
      return [refused, state.awaits(state.keyOf(row.key))]
    })
    watermark = Math.max(watermark, time - 1000)
    both(`behind ${id}`, (state, { emit, host }) => {
      if (state.nextAt() < watermark) state.advance(watermark, host, emit)
    })
    if (chance.once(12)) {
      changes(`changes up to ${id}`)
      snapshot(chance.once(4) ? "base" : "increment")
    }
    if (!chance.once(60)) continue
    changes(`changes before a restart at ${id}`)
    restart()
  }
  both("at the end", (state, { emit, host }) => state.close(host, emit))
  met.reads += twins.disk.stored?.().reads ?? 0
  twins.disk.discard?.()
  assert.strictEqual(folder.files.size, 0)
}

/** More of them by `SEEDS`. */
const seeds = Number(process.env["SEEDS"] ?? 1)

describe("patterns on disk", () => {
  const met: Met = { matches: 0, timeouts: 0, evicted: 0, reads: 0 }
  for (const [index, [name, spec]] of specs.entries()) {
    it(`give what those in memory give, call by call: ${name}`, () => {
      for (let seed = 1; seed <= 2 * seeds; seed++) {
        const chance = makeChance(seed + 100 * index)
        runTwins(planOf(spec, chance.pick([0, 3000, 10_000])), seed, chance, met)
      }
    })
  }

  it("give matches and timeouts, evict and read from disk in these tests", () => {
    for (const [what, count] of Object.entries(met)) assert.isAbove(count, 30, what)
  })
})
