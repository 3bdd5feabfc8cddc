/**
 * Joins on disk against those in memory, call by call: the same results, refusals, changes and snapshots, over restores in which
 * each takes over what the other one gave.
 */
import type { ColumnBatch } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import type { JoinKind, JoinSpec } from "../../src/join/Join.ts"
import type { JoinPlan } from "../../src/join/JoinPlan.ts"
import { type EmitJoined, type JoinState, makeJoinState } from "../../src/join/JoinState.ts"
import type { KeepingHost } from "../../src/state/KeptRecord.ts"
import { applyEncoded, encodeDelta, PartWriter } from "../../src/state/StateCodec.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { piecesOf } from "../support/Captures.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { memoryFolder } from "../support/StateFolders.ts"

interface Row {
  readonly id: number
  readonly n: number
}

const common = { allowedLatenessMs: 0, recordsHeldMax: Number.POSITIVE_INFINITY, recordsPerKeyMax: 1000 }
const interval = (kind: JoinKind, lowerMs: number, upperMs: number, rest: Partial<typeof common> = {}): JoinSpec => ({
  ...common,
  ...rest,
  _tag: "Interval",
  kind,
  lowerMs,
  upperMs
})
const asOf = (kind: "inner" | "left", ttlMs: number, rest: Partial<typeof common> = {}): JoinSpec => ({
  ...common,
  ...rest,
  _tag: "AsOf",
  kind,
  ttlMs
})
const latest = (kind: JoinKind, ttlMs: number, rest: Partial<typeof common> = {}): JoinSpec => ({
  ...common,
  ...rest,
  _tag: "Latest",
  kind,
  ttlMs
})

const specs: ReadonlyArray<readonly [string, JoinSpec]> = [
  ["interval", interval("inner", -3000, 4000)],
  ["interval, late and bounded", interval("inner", 0, 9000, { allowedLatenessMs: 4000, recordsPerKeyMax: 3 })],
  ["interval of the left side", interval("left", -8000, -1000, { allowedLatenessMs: 2000 })],
  ["interval of both sides", interval("full", -2000, 30_000)],
  ["interval of both sides, bounded", interval("full", -5000, 5000, { recordsPerKeyMax: 4 })],
  ["as of", asOf("inner", 12_000)],
  ["as of, of the left side and late", asOf("left", 40_000, { allowedLatenessMs: 5000 })],
  // what is over by its time to live is counted longer in memory where it came late
  ["as of, bounded", asOf("left", 86_400_000, { recordsPerKeyMax: 4 })],
  ["latest", latest("inner", 15_000)],
  ["latest of both sides, late", latest("full", 9000, { allowedLatenessMs: 3000 })],
  ["latest of the left side, bounded", latest("left", 600_000, { recordsPerKeyMax: 4 })]
]

const planOf = (spec: JoinSpec, cacheBytesMax: number): JoinPlan => ({
  name: "j",
  spec,
  key: [],
  make: (one, other) => ({ pair: [one?.["id"] ?? null, other?.["id"] ?? null, one?.["n"] ?? null] }),
  kept: undefined,
  shape: "s",
  store: { cacheBytesMax }
})

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** One record, as joins read it of a batch. */
const batchOf = (row: Row): ColumnBatch => {
  const bytes = encoder.encode(JSON.stringify(row))
  const source = { bytes, offsets: [row.id], valueStarts: [0], valueEnds: [bytes.length] }
  return { source } as unknown as ColumnBatch // joins read nothing else
}

const host: KeepingHost = {
  judging: undefined,
  firedAt: 0,
  readBack: (bytes) => JSON.parse(decoder.decode(bytes)) as Record<string, unknown>, // of batchOf
  threw: (_, __, ___, error) => {
    throw error
  }
}

interface Twins {
  readonly disk: JoinState
  readonly memory: JoinState
}

/** What one call gives: of results at one time the order is nobody's. */
const given = (call: (emit: EmitJoined) => unknown) => {
  const results: Array<readonly [time: number, watermark: number, text: string]> = []
  const answer = call((record, { offset }, time, watermark) =>
    results.push([time, watermark, `${JSON.stringify(record)} by ${offset}`])
  )
  const stamped = results.map(([time, watermark]) => [time, watermark])
  return { answer, stamped, texts: results.map(([time, , text]) => `${time} ${text}`).sort() }
}

/** One call of each; what it gave of both must be the same. */
const both = (twins: Twins, what: string, call: (state: JoinState, emit: EmitJoined) => unknown) => {
  const found = given((emit) => call(twins.disk, emit))
  assert.deepStrictEqual(
    found,
    given((emit) => call(twins.memory, emit)),
    what
  )
  return found
}

const inOrder = (key: string, value: unknown) =>
  (key === "left" || key === "right") && Array.isArray(value) ? value.map((each) => JSON.stringify(each)).sort() : value

/** What people read of every key once changes were loaded. */
const readOf = (state: JoinState, watermark: number) =>
  Array.from({ length: 14 }, (_, key) => JSON.stringify(state.read?.(`k${key}`, watermark) ?? null, inOrder))

const loaded = (plan: JoinPlan, parts: ReadonlyArray<Uint8Array>, watermark: number, open?: OpenStore) => {
  const state = makeJoinState(plan, open)
  for (const part of parts) applyEncoded([state], part)
  state.restored(watermark, false)
  return state
}

/** Snapshots of both: a base and increments, each taken over by both, too. */
const partOf = (state: JoinState, kind: "base" | "increment", watermark: number): Uint8Array => {
  const writer = new PartWriter()
  for (const piece of piecesOf(state, kind, watermark)) writer.add(state.name, piece)
  return writer.take()
}

const runTwins = (plan: JoinPlan, seed: number, chance: Chance) => {
  const folder = memoryFolder(seed % 2 === 0)
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed: seed % 2 === 0 })
  let twins: Twins = { disk: makeJoinState(plan, open), memory: makeJoinState(plan) }
  const met = { results: 0, refused: 0, reads: 0 }
  let watermark = Number.NEGATIVE_INFINITY
  let at = 1_000_000
  const chains = { disk: new Array<Uint8Array>(), memory: new Array<Uint8Array>() }
  let deltas = { disk: new Array<Uint8Array>(), memory: new Array<Uint8Array>() }

  const compareChanges = (what: string) => {
    for (const of of ["disk", "memory"] as const) deltas[of].push(encodeDelta([twins[of]]))
    const found = (["disk", "memory"] as const).flatMap((of) =>
      [undefined, open].map((into) => {
        const state = loaded(plan, [...chains[of], ...deltas[of]], watermark, into)
        const read = readOf(state, watermark)
        state.discard?.()
        return read
      })
    )
    for (const read of found.slice(1)) assert.deepStrictEqual(read, found[0], what)
  }
  const snapshot = (kind: "base" | "increment") => {
    for (const of of ["disk", "memory"] as const) {
      if (kind === "base") chains[of] = []
      chains[of].push(partOf(twins[of], kind, watermark))
    }
    deltas = { disk: [], memory: [] }
  }
  const restart = () => {
    met.reads += twins.disk.stored?.().reads ?? 0
    twins.disk.discard?.()
    // each takes over what the other one had
    const parts = { disk: [...chains.memory, ...deltas.memory], memory: [...chains.disk, ...deltas.disk] }
    twins = { disk: loaded(plan, parts.disk, watermark, open), memory: loaded(plan, parts.memory, watermark) }
    snapshot("base")
  }
  const advance = (what: string) => {
    // as the running stage asks
    const due = both(twins, what, (state, emit) => {
      if (watermark > state.nextAt()) state.advance(watermark, host, emit)
      return undefined
    })
    met.results += due.texts.length
  }
  snapshot("base")
  for (let offset = 0; offset < 200; offset++) {
    at += chance.below(chance.once(40) ? 30_000 : 500)
    const time = at - (chance.once(4) ? chance.below(40_000) : chance.below(2500))
    const side = chance.pick([0, 1] as const)
    const row = { id: offset, n: chance.below(9) }
    const changed = chance.once(3)
    const input = {
      side,
      port: side,
      key: `k${Math.min(chance.below(12), chance.below(12))}`,
      time,
      deleted: plan.spec._tag !== "Interval" && row.n === 0,
      record: changed ? { ...row, n: -row.n } : row,
      cells: undefined,
      changed
    }
    const what = `seed ${seed}, record ${offset}`
    const taken = both(twins, what, (state, emit) => state.take(input, batchOf(row), 0, watermark, host, emit))
    if (taken.answer !== undefined) met.refused++
    met.results += taken.texts.length
    watermark = Math.max(watermark, time - 2000)
    advance(`seed ${seed}, behind ${offset}`)
    if (chance.once(12)) {
      compareChanges(`seed ${seed}, changes up to ${offset}`)
      snapshot(chance.once(4) ? "base" : "increment")
    }
    if (!chance.once(60)) continue
    compareChanges(`seed ${seed}, changes before a restart at ${offset}`)
    restart()
  }
  met.results += both(twins, `seed ${seed}, at the end`, (state, emit) => state.close(host, emit)).texts.length
  met.reads += twins.disk.stored?.().reads ?? 0
  twins.disk.discard?.()
  assert.strictEqual(folder.files.size, 0)
  return met
}

/** More of them by `SEEDS`. */
const seeds = Number(process.env["SEEDS"] ?? 1)

describe("joins on disk", () => {
  const met = { results: 0, reads: 0, refused: 0 }
  for (const [index, [name, spec]] of specs.entries()) {
    it(`give what those in memory give, call by call: ${name}`, () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const chance = makeChance(seed + 100 * index)
        const ran = runTwins(planOf(spec, chance.pick([0, 3000, 10_000])), seed, chance)
        for (const what of ["results", "reads", "refused"] as const) met[what] += ran[what]
      }
    })
  }

  it("give results, read from disk and refuse records in these tests", () => {
    assert.isAbove(met.results, 500)
    assert.isAbove(met.reads, 1000)
    assert.isAbove(met.refused, 100)
  })
})
