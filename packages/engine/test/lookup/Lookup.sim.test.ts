/** Lookups under faults: whatever crashes and wherever, each record is answered, failed or dead-lettered once. */
import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { LogError } from "../../src/index.ts"
import { claimsJob, Payments } from "../support/Claims.ts"
import { crashAt, epochPoints, hurried, onLog } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { assertEachOnce, policyOf, seededClaims, seededLines } from "../support/LookupWorld.ts"

const options = { epochRecords: 8, epochMs: 20, checkpointEveryMs: 0 }
const records = 40
const decoder = new TextDecoder()

const run = (seed: number, order: "ordered" | "unordered") =>
  runToEnd(claimsJob(policyOf(order)), options).pipe(Effect.provide(seededClaims(seed)))

const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]

describe("a job with lookups that crashes", () => {
  for (const point of points) {
    it.effect(`at ${point} gives each record's outcome once`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (let nth = 1; nth <= 10; nth += 3) {
          const order = nth % 2 === 0 ? "ordered" : "unordered"
          const lines = seededLines(nth, records)
          yield* Effect.gen(function* () {
            yield* append(Payments, lines)
            // a restart crashes where it restores
            if (point === "mid-restore")
              yield* Effect.exit(hurried(run(nth, order)).pipe(crashAt("after-epoch-commit", 2 + nth)))
            const first = yield* Effect.exit(hurried(run(nth, order)).pipe(crashAt(point, nth)))
            if (Exit.isFailure(first)) crashes++
            yield* hurried(run(nth, order))
            yield* assertEachOnce(nth, lines, order, `${point}, crossing ${nth}, seed ${nth}`)
          }).pipe(Effect.provide(world))
        }
        assert.isAbove(crashes, 0, `${point} was never crossed`)
      })
    )
  }

  it.effect("again and again restores what was in flight: it is in the epochs", () =>
    Effect.gen(function* () {
      const seed = 5
      const lines = seededLines(seed, records)
      yield* append(Payments, lines)
      let inFlight = 0
      const watched = onLog((log) => ({
        commit: (epoch) => {
          for (const { delta } of epoch.shards) {
            if (delta !== null && decoder.decode(delta).includes('"came":[{')) inFlight++
          }
          return log.commit(epoch)
        }
      }))
      let crashes = 0
      for (let attempt = 0; attempt < 40; attempt++) {
        const exit = yield* Effect.exit(hurried(run(seed, "ordered")).pipe(crashAt("after-epoch-commit", 3), watched))
        if (Exit.isSuccess(exit)) break
        crashes++
      }
      yield* hurried(run(seed, "ordered"))
      assert.isAbove(crashes, 3)
      assert.isAbove(inFlight, 3)
      yield* assertEachOnce(seed, lines, "ordered", `seed ${seed}`)
    }).pipe(Effect.provide(world))
  )

  for (const landed of [true, false]) {
    it.effect(`and does not know what became of a commit that ${landed ? "landed" : "did not land"} asks again`, () =>
      Effect.gen(function* () {
        for (let nth = 1; nth <= 7; nth += 3) {
          const lines = seededLines(nth, records)
          yield* Effect.gen(function* () {
            yield* append(Payments, lines)
            let commits = 0
            const unknown = onLog((log) => ({
              commit: (epoch) => {
                if (++commits % (nth + 1) !== nth) return log.commit(epoch)
                const lost = new LogError({ reason: "OutcomeUnknown", message: "the answer was lost" })
                return landed ? Effect.andThen(log.commit(epoch), lost) : lost
              }
            }))
            yield* hurried(run(nth, "unordered").pipe(unknown))
            yield* assertEachOnce(nth, lines, "unordered", `seed ${nth}`)
          }).pipe(Effect.provide(world))
        }
      })
    )
  }
})

describe("a lookup over random outcomes", () => {
  for (const order of ["ordered", "unordered"] as const) {
    it.effect(`that is ${order} gives what a plain loop gives`, () =>
      Effect.gen(function* () {
        for (let seed = 100; seed < 108; seed++) {
          const lines = seededLines(seed, records)
          yield* Effect.gen(function* () {
            yield* append(Payments, lines)
            yield* hurried(run(seed, order))
            yield* assertEachOnce(seed, lines, order, `seed ${seed}`)
          }).pipe(Effect.provide(world))
        }
      })
    )
  }
})
