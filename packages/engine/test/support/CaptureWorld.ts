// Snapshots of a state taken piece by piece while it changes, against the same state told by deltas alone.
import { assert } from "@effect/vitest"
import type { Capture } from "../../src/state/Capture.ts"
import { applyEncoded, encodeDelta, PartWriter } from "../../src/state/StateCodec.ts"
import type { OperatorState } from "../../src/state/OperatorState.ts"
import { type Chance, makeChance } from "./Chance.ts"

/** A state that a test changes at random, and how it is brought to a time after it was loaded. */
export interface World {
  readonly make: () => OperatorState
  /** A few changes; time goes on. */
  readonly change: (state: OperatorState, chance: Chance) => void
  readonly restored: (state: OperatorState) => void
  readonly watermark: () => number
  /** Without what is over and merely not forgotten yet. */
  readonly living: (read: object | undefined) => object | undefined
}

/** What people read of every key. */
const contentOf = (world: World, state: OperatorState) =>
  Array.from({ length: 20 }, (_, key) => world.living(state.read?.(`k${key}`, world.watermark())))

interface Begun {
  readonly capture: Capture
  readonly writer: PartWriter
  readonly at: number
}

/** Runs a state and snapshots it all the time; at each named snapshot compares what is restored with the state itself. */
const runWorld = (world: World, chance: Chance): number => {
  const state = world.make()
  const deltas: Array<Uint8Array> = []
  let parts: Array<Uint8Array> = []
  let chain: { readonly parts: Array<Uint8Array>; readonly from: number } | undefined
  let begun: Begun | undefined
  let compared = 0
  for (let turn = 0; turn < 120; turn++) {
    world.change(state, chance)
    if (begun !== undefined) {
      const piece = begun.capture.next(1 + chance.below(4))
      if (piece !== undefined) begun.writer.add(state.name, piece)
      else {
        // named by the epoch that commits now, or by a later one
        parts = [...parts, begun.writer.take()]
        chain = { parts, from: begun.at }
        begun = undefined
      }
    }
    if (!chance.once(3)) continue
    deltas.push(encodeDelta([state]))
    if (chain !== undefined) {
      const restored = world.make()
      for (const part of chain.parts) applyEncoded([restored], part)
      for (const delta of deltas.slice(chain.from)) applyEncoded([restored], delta)
      world.restored(restored)
      const whole = world.make()
      for (const delta of deltas) applyEncoded([whole], delta)
      world.restored(whole)
      const twin = contentOf(world, whole)
      assert.deepStrictEqual(contentOf(world, restored), twin)
      compared++
    }
    if (begun === undefined && chance.once(2)) {
      const base = chain === undefined || chance.once(4)
      if (base) parts = []
      begun = {
        capture: state.capture(base ? "base" : "increment", world.watermark()),
        writer: new PartWriter(),
        at: deltas.length
      }
    }
  }
  return compared
}

/** So many seeds; how often something was compared. */
export const runSeeds = (make: () => World, seeds: number): number => {
  let compared = 0
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      compared += runWorld(make(), makeChance(seed))
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
  return compared
}
