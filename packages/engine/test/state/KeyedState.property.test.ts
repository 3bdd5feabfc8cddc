/** Keyed state forgets by event time, judged when read: when memory is swept or restored changes no answer. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { StateDeclaration } from "../../src/flow/Node.ts"
import { type KeyedState, makeKeyedState } from "../../src/state/KeyedState.ts"
import { applyEncoded, encodeDelta } from "../../src/state/StateCodec.ts"
import { encodeWhole, piecesOf } from "../support/Captures.ts"
import { makeChance } from "../support/Chance.ts"

const ttlMs = 1000
const outOfOrdernessMs = 300

const declaration = (schema: Schema.Codec<unknown, unknown>, initial: () => unknown = () => 0): StateDeclaration => ({
  schema,
  initial,
  ttlMs,
  update: (state) => [state, []]
})
const counting = () => makeKeyedState("count", declaration(Schema.Unknown))

interface Step {
  readonly key: string
  readonly eventTime: number
  /** What happens to the tested state before the record. */
  readonly before: "nothing" | "sweep" | "restore from snapshot" | "restore from deltas"
}

const steps = (seed: number): ReadonlyArray<Step> => {
  const chance = makeChance(seed)
  let at = 0
  return Array.from({ length: 300 }, () => {
    at += chance.once(20) ? chance.below(2 * ttlMs) : chance.below(120)
    return {
      key: `k${chance.below(6)}`,
      // now and then later than the watermark allows
      eventTime: at - (chance.once(4) ? chance.below(2 * ttlMs) : chance.below(outOfOrdernessMs)),
      before: chance.pick(["nothing", "nothing", "nothing", "sweep", "restore from snapshot", "restore from deltas"])
    }
  })
}

/** Counts the records of a key, as an operator does; what each saw. */
const answersOf = (run: ReadonlyArray<Step>, disturbed: boolean): ReadonlyArray<unknown> => {
  let state: KeyedState = counting()
  let watermark = Number.NEGATIVE_INFINITY
  let deltas: Array<Uint8Array> = []
  let snapshot: Uint8Array | undefined
  const restored = () => {
    const fresh = counting()
    if (snapshot !== undefined) applyEncoded([fresh], snapshot)
    for (const delta of deltas) applyEncoded([fresh], delta)
    return fresh
  }
  return run.map(({ before, eventTime, key }) => {
    if (disturbed && before !== "nothing") {
      deltas.push(encodeDelta([state]))
      if (before !== "restore from deltas") {
        snapshot = encodeWhole([state], watermark)
        deltas = []
      }
      if (before !== "sweep") state = restored()
    }
    const seen = state.get(key, Math.max(eventTime, watermark)) as number // counted below
    state.set(key, seen + 1, eventTime)
    watermark = Math.max(watermark, eventTime - outOfOrdernessMs)
    return seen
  })
}

describe("keyed state", () => {
  it("gives the same answers whenever it is swept, written to a snapshot or restored: 60 seeds", () => {
    let forgotten = 0
    for (let seed = 1; seed <= 60; seed++) {
      const run = steps(seed)
      const answers = answersOf(run, false)
      assert.deepStrictEqual(answersOf(run, true), answers, `seed ${seed}`)
      forgotten += answers.filter((answer, index) => answer === 0 && index > 20).length
    }
    assert.isAbove(forgotten, 100)
  })

  it("is forgotten once the ttl has passed since it was last written, by event time or watermark", () => {
    const state = counting()
    state.set("a", 7, 5000)
    assert.strictEqual(state.get("a", 5999), 7)
    assert.strictEqual(state.get("a", 6000), 0)
    // a late record does not shorten its life
    state.set("a", 8, 4000)
    assert.strictEqual(state.get("a", 5999), 8)
    assert.strictEqual(state.size(), 1)
  })

  it("leaves memory when a snapshot is taken after its time, but not before its change was committed", () => {
    const state = counting()
    state.set("a", 7, 0)
    assert.strictEqual(piecesOf(state, "base", ttlMs).length, 1)
    assert.strictEqual(state.takeDelta().length, 1)
    assert.strictEqual(piecesOf(state, "base", ttlMs - 1).length, 1)
    assert.deepStrictEqual(piecesOf(state, "base", ttlMs), [])
    assert.strictEqual(state.size(), 0)
  })

  it("takes any key: names of object properties are keys like others", () => {
    const state = counting()
    for (const key of ["__proto__", "constructor", "", "toString", "\ud800"]) {
      assert.strictEqual(state.get(key, 0), 0)
      state.set(key, 1, 0)
    }
    const fresh = counting()
    applyEncoded([fresh], encodeDelta([state]))
    for (const key of ["__proto__", "constructor", "", "toString"]) assert.strictEqual(fresh.get(key, 0), 1)
  })
})

describe("the codec of state", () => {
  const restoredValue = (schema: Schema.Codec<unknown, unknown>, value: unknown) => {
    const state = makeKeyedState("s", declaration(schema))
    state.set("k", value, 0)
    const fresh = makeKeyedState("s", declaration(schema))
    applyEncoded([fresh], encodeDelta([state]))
    return fresh.get("k", 0)
  }

  it("brings back what JSON has no form for: NaN, infinities, bigints, dates, nested structs", () => {
    const numbers = Schema.Number as Schema.Codec<unknown, unknown> // the engine holds state untyped
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1.5]) {
      assert.deepStrictEqual(restoredValue(numbers, value), value)
    }
    const Nested = Schema.Struct({
      big: Schema.BigInt,
      at: Schema.Date,
      list: Schema.Array(Schema.NullOr(Schema.Number))
    })
    const value = { big: 12_345_678_901_234_567_890n, at: new Date(5), list: [null, Number.NaN] }
    assert.deepStrictEqual(restoredValue(Nested as unknown as Schema.Codec<unknown, unknown>, value), value) // as above
  })

  it("says which state holds a value that its schema refuses, without the value", () => {
    const state = makeKeyedState("limits", declaration(Schema.Finite as Schema.Codec<unknown, unknown>)) // as above
    state.set("k", "secret", 0)
    let message = ""
    try {
      encodeDelta([state])
    } catch (error) {
      message = String(error)
    }
    assert.include(message, "state limits: a value that its update returned does not fit the state's schema")
    assert.notInclude(message, "secret")
  })

  it("skips operators that the job no longer has, starts new ones empty, refuses another version", () => {
    const gone = makeKeyedState("gone", declaration(Schema.Unknown))
    gone.set("k", 1, 0)
    const bytes = encodeDelta([gone])
    const fresh = makeKeyedState("fresh", declaration(Schema.Unknown))
    applyEncoded([fresh], bytes)
    assert.strictEqual(fresh.size(), 0)
    const later = new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"version":2', '"version":3'))
    assert.throws(() => applyEncoded([fresh], later), "state of version 3, which this program does not read")
  })
})
