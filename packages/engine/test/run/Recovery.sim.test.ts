import { FaultPoint, type FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Job, Log } from "../../src/index.ts"
import { accounts, expectedOf, paymentLines, Payments } from "../support/Accounts.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

const lines = paymentLines(400)
const expected = expectedOf(lines)

class Crash extends Error {
  override readonly name = "Crash"
}

/** Dies at the `nth` crossing of `name`, once. */
const crashingAt = (name: FaultPointName, nth: number) => {
  let crossings = 0
  return {
    hit: (point: FaultPointName) =>
      point === name && ++crossings === nth ? Effect.die(new Crash(`at ${name}, crossing ${nth}`)) : Effect.void
  }
}

const options = { epochRecords: 20, checkpointEveryMs: 0 }

const assertOutputs = Effect.gen(function* () {
  const totals = (yield* readAll("totals")).map((line) => line.value)
  const large = (yield* readAll("large")).map((line) => line.value)
  assert.deepStrictEqual(totals.sort(), expected.totals)
  assert.deepStrictEqual(large.sort(), expected.large)
  const letters = yield* readAll("dead-letter")
  assert.strictEqual(letters.length, expected.deadLetters)
  const places = new Set(letters.map((line) => line.value.replace(/"message".*/, "")))
  assert.strictEqual(places.size, expected.deadLetters)
})

/** Runs, crashing where told, then again without: until the job says that it finished. */
const crashAndRecover = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    yield* append(Payments, lines)
    const first = yield* Effect.exit(
      runToEnd(accounts, options).pipe(Effect.provideService(FaultPoint, crashingAt(name, nth)))
    )
    yield* runToEnd(accounts, options)
    yield* assertOutputs
    return Exit.isFailure(first)
  }).pipe(Effect.provide(world))

const points: ReadonlyArray<FaultPointName> = [
  "after-init",
  "before-epoch-commit",
  "during-epoch-commit",
  "after-epoch-commit",
  "before-snapshot",
  "after-snapshot",
  "before-name",
  "before-delta-drop",
  "snapshot-delete"
]

describe("a job that crashes", () => {
  for (const name of points) {
    it.live(`at ${name}, at any crossing, gives the same outputs once`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (let nth = 1; nth <= 40; nth++) {
          if (!(yield* crashAndRecover(name, nth))) break
          crashes++
        }
        assert.isAbove(crashes, 0, `${name} was never crossed`)
      })
    )
  }

  it.live("while it restores, at any crossing of mid-restore, restores again", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      yield* Effect.exit(
        runToEnd(accounts, options).pipe(Effect.provideService(FaultPoint, crashingAt("after-epoch-commit", 7)))
      )
      yield* Effect.exit(
        runToEnd(accounts, options).pipe(Effect.provideService(FaultPoint, crashingAt("mid-restore", 2)))
      )
      yield* runToEnd(accounts, options)
      yield* assertOutputs
    }).pipe(Effect.provide(world))
  )

  it.live("does nothing more once it finished", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      yield* runToEnd(accounts, options)
      const log = yield* Log
      const before = yield* log.bounds("totals")
      yield* runToEnd(accounts, options)
      assert.deepStrictEqual(yield* log.bounds("totals"), before)
    }).pipe(Effect.provide(world))
  )

  it.live("counts what went in and out, also over restarts", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      yield* Effect.exit(
        runToEnd(accounts, options).pipe(Effect.provideService(FaultPoint, crashingAt("after-epoch-commit", 5)))
      )
      const monitor = Job.monitor()
      yield* runToEnd(accounts, { ...options, observer: monitor })
      const [status] = monitor.status()
      assert.strictEqual(status?.in, lines.length)
      assert.deepStrictEqual(status?.out, { totals: expected.totals.length, large: expected.large.length })
      assert.strictEqual(status?.deadLettered, expected.deadLetters)
    }).pipe(Effect.provide(world))
  )
})
