/** Alerts of a running job in virtual time: its breaker, and snapshots that do not come. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeCheckpointAges } from "../../src/watch/CheckpointAges.ts"
import { alerts, layerOf, makeWorld, pass, startWatched } from "./WatchedJob.ts"

const toldOf = (kind: string) =>
  Effect.map(alerts, (all) =>
    all.filter((each) => each.kind === kind).map(({ state, subject }) => `${subject} ${state}`)
  )

describe("breaker_open", () => {
  it.effect("fires once while a service is gone, probes included, and clears when it is back", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* startWatched({})
      yield* pass(3, 5)
      assert.deepStrictEqual(yield* toldOf("breaker_open"), [])
      world.pricesUp = false
      yield* pass(60, 5)
      assert.deepStrictEqual(yield* toldOf("breaker_open"), ["pricing firing"])
      world.pricesUp = true
      yield* pass(30, 5)
      assert.deepStrictEqual(yield* toldOf("breaker_open"), ["pricing firing", "pricing cleared"])
    }).pipe(Effect.scoped, Effect.provide(layerOf(world)))
  })
})

const counts = { in: 0, out: {}, validated: 0, deadLettered: 0, failed: 0 }

/** Of a job `j` with one shard; with records to read once there is a snapshot. */
const stageOf = (epoch: number, deltasFrom: number | null, finished: boolean, snapshot?: number) => {
  const detail = { maxEventTime: null, idle: false, counts, deltasFrom, finished }
  const snapshots = snapshot === undefined ? [] : [snapshot]
  const shard = { partition: 0, epoch, position: 0, end: 0, snapshots, detail }
  return { job: "j", topic: "t", shards: [shard], lag: snapshot === undefined ? 0 : 10, finished }
}

describe("checkpoint_age", () => {
  const bound = { checkpointAgeMsMax: 20_000 }

  it.effect("fires while the store fails, which stops no record, and clears after a snapshot", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* startWatched(bound)
      yield* pass(30, 5)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), [])
      world.storeUp = false
      yield* pass(40, 5)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), ["pricing firing"])
      world.storeUp = true
      yield* pass(30, 5)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), ["pricing firing", "pricing cleared"])
    }).pipe(Effect.scoped, Effect.provide(layerOf(world)))
  })

  it.effect("fires while the store hangs, since there is more to read", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* startWatched(bound)
      yield* pass(10, 5)
      world.storeHangs = true
      yield* pass(40, 5)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), ["pricing firing"])
    }).pipe(Effect.scoped, Effect.provide(layerOf(world)))
  })

  it.effect("is nothing in a job that has nothing to do", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* startWatched(bound)
      yield* pass(7, 5)
      yield* pass(100)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), [])
    }).pipe(Effect.scoped, Effect.provide(layerOf(world)))
  })

  it.effect("is nothing in a job that waits for a service", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* startWatched(bound)
      yield* pass(7, 5)
      world.pricesUp = false
      yield* pass(100, 5)
      assert.deepStrictEqual(yield* toldOf("checkpoint_age"), [])
    }).pipe(Effect.scoped, Effect.provide(layerOf(world)))
  })

  it("stands still while a lookup waits", () => {
    const ages = makeCheckpointAges()
    const stage = stageOf(8, 1, false, 5)
    const age = (waiting: ReadonlyArray<string>, nowMs: number) => ages.look([stage], new Set(waiting), nowMs).get("j")
    assert.deepStrictEqual([age([], 0), age(["j"], 1_000), age([], 2_000), age(["k"], 3_000)], [0, 0, 1_000, 2_000])
  })

  it("is not of stages without state, nor of finished runs, nor of state that is all written", () => {
    const ages = makeCheckpointAges()
    const none = new Set<string>()
    ages.look([stageOf(1, 1, false)], none, 0)
    assert.deepStrictEqual([...ages.look([stageOf(2, 1, false)], none, 1_000)], [["j", 1_000]])
    assert.deepStrictEqual([...ages.look([stageOf(3, null, false)], none, 2_000)], [])
    assert.deepStrictEqual([...ages.look([stageOf(4, 1, true)], none, 3_000)], [["j", 0]])
    // all is written, whatever else may be slow
    ages.look([stageOf(6, 1, false, 5)], none, 4_000)
    assert.deepStrictEqual([...ages.look([stageOf(6, 1, false, 5)], none, 5_000)], [["j", 0]])
  })
})
