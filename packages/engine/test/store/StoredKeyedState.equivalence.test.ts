/** State on disk answers as state in memory does, with a cache in which nothing stays, over snapshots and restores. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { StateDeclaration } from "../../src/flow/Node.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { makeKeyedState, type KeyedState } from "../../src/state/KeyedState.ts"
import type { Capture } from "../../src/state/Capture.ts"
import { applyEncoded, encodeDelta } from "../../src/state/StateCodec.ts"
import { makeChance } from "../support/Chance.ts"
import { memoryFolder } from "../support/StateFolders.ts"

const ttlMs = 2000
const outOfOrdernessMs = 300
const Value = Schema.Struct({ count: Schema.Finite, last: Schema.Date, sums: Schema.Array(Schema.BigInt) })
type Value = typeof Value.Type

interface DeltaDocument {
  readonly sections: ReadonlyArray<{
    readonly entries: ReadonlyArray<readonly [key: string, value: unknown, at: number]>
  }>
}

const declaration = (cacheBytesMax: number | undefined): StateDeclaration => ({
  schema: Value as unknown as Schema.Codec<unknown, unknown>, // the engine holds state untyped
  initial: (): Value => ({ count: 0, last: new Date(0), sums: [] }),
  ttlMs,
  update: (state) => [state, []],
  ...(cacheBytesMax === undefined ? {} : { store: { cacheBytesMax } })
})

/** What a shard's records in force would name: parts, and the changes since they were begun. */
const makeSnapshots = (seed: number) => {
  // of its own: how many pieces a capture has differs
  const chance = makeChance(seed + 10_000)
  let parts: ReadonlyArray<unknown> = []
  let from = 0
  const deltas: Array<Uint8Array> = []
  let open:
    | {
        readonly capture: Capture
        readonly before: ReadonlyArray<unknown>
        readonly from: number
        readonly pieces: Array<unknown>
      }
    | undefined
  let mayIncrement = false
  return {
    /** A record was taken, or at an epoch's end, a delta. */
    go: (state: KeyedState, watermark: number, delta: Uint8Array | undefined) => {
      if (delta !== undefined) deltas.push(delta)
      if (open === undefined) {
        if (delta === undefined || !chance.once(4)) return
        const kind = mayIncrement && chance.once(2) ? "increment" : "base"
        const before = kind === "base" ? [] : parts
        open = { capture: state.capture(kind, watermark), before, from: deltas.length, pieces: [] }
      }
      const piece = open.capture.next(1 + chance.below(4))
      if (piece !== undefined) open.pieces.push(piece)
      else if (delta !== undefined) {
        // named by a commit at or after the last piece
        parts = [...open.before, ...open.pieces]
        from = open.from
        open = undefined
        mayIncrement = true
      }
    },
    restore: (state: KeyedState) => {
      open = undefined
      mayIncrement = false
      for (const part of parts) state.load(part)
      for (const delta of deltas.slice(from)) applyEncoded([state], delta)
    }
  }
}

/** An answer to each record, and each change that is not over. */
const answersOf = (seed: number, cacheBytesMax: number | undefined, keys: number, sealed: boolean) => {
  const chance = makeChance(seed)
  const folder = memoryFolder(sealed)
  const snapshots = makeSnapshots(seed)
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed })
  const make = () => makeKeyedState("sums", declaration(cacheBytesMax), open)
  let state = make()
  let watermark = Number.NEGATIVE_INFINITY
  let at = 0
  let reads = 0
  let forgotten = 0
  const answers: Array<unknown> = []
  for (let record = 0; record < 800; record++) {
    at += chance.once(60) ? chance.below(ttlMs) : chance.below(40)
    const eventTime = at - chance.below(chance.once(10) ? ttlMs : outOfOrdernessMs)
    const key = `k${chance.below(keys)}`
    const before = state.get(key, Math.max(eventTime, watermark)) as Value
    answers.push([key, before])
    if (before.count === 0 && record > 300) forgotten++
    const sums = [...before.sums, BigInt(record)].slice(-3)
    state.set(key, { count: before.count + 1, last: new Date(at), sums }, eventTime)
    watermark = Math.max(watermark, eventTime - outOfOrdernessMs)
    const delta = chance.once(7) ? encodeDelta([state]) : undefined
    if (delta !== undefined) {
      const changes = (JSON.parse(new TextDecoder().decode(delta)) as DeltaDocument).sections[0]!.entries
      answers.push(changes.filter(([, , writtenAt]) => watermark - writtenAt < ttlMs))
    }
    snapshots.go(state, watermark, delta)
    if (delta === undefined || !chance.once(12)) continue
    reads += state.stored?.().reads ?? 0
    state.discard?.()
    state = make()
    snapshots.restore(state)
  }
  reads += state.stored?.().reads ?? 0
  state.discard?.()
  assert.strictEqual(folder.files.size, 0)
  return { answers, forgotten, reads }
}

describe("state on disk", () => {
  it("gives the same answers and changes as state in memory, whatever the cache holds: 12 seeds", () => {
    let reads = 0
    let compared = 0
    let forgotten = 0
    for (let seed = 1; seed <= 12; seed++) {
      const keys = 3 + (seed % 4) * 30
      const memory = answersOf(seed, undefined, keys, false)
      for (const cacheBytesMax of [0, 4000]) {
        const disk = answersOf(seed, cacheBytesMax, keys, seed % 2 === 0)
        assert.deepStrictEqual(disk.answers, memory.answers, `seed ${seed}, a cache of ${cacheBytesMax} bytes`)
        reads += disk.reads
      }
      compared += memory.answers.length
      forgotten += memory.forgotten
    }
    assert.isAbove(compared, 8_000)
    assert.isAbove(forgotten, 100)
    assert.isAbove(reads, 10_000)
  })
})
