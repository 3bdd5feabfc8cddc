import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Job, Log } from "../../src/index.ts"
import { accounts, assertAnswers, expectedOf, paymentLines, Payments } from "../support/Accounts.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const lines = paymentLines(300)
const expected = expectedOf(lines)

const options = { epochRecords: 20, checkpointEveryMs: 0 }

/** Runs, crashing where told, then again without: until the job says that it finished. */
const crashAndRecover = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    yield* append(Payments, lines)
    const first = yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt(name, nth)))
    yield* runToEnd(accounts, options)
    yield* assertAnswers(lines)
    return Exit.isFailure(first)
  }).pipe(Effect.provide(world))

describe("a job that crashes", () => {
  for (const name of epochPoints) {
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
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", 7)))
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("mid-restore", 2)))
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.live("again and again, sooner than snapshots are due, comes to one all the same", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const log = yield* Log
      // an epoch stands for a second, and a snapshot is due every ten: no life has as many
      const hasty = { epochRecords: 5, epochMs: 1_000, checkpointEveryMs: 10_000 }
      const snapshots: Array<number> = []
      for (let life = 0; life < 4; life++) {
        const died = yield* Effect.exit(runToEnd(accounts, hasty).pipe(crashAt("after-epoch-commit", 4)))
        assert.isTrue(Exit.isFailure(died))
        const shards = yield* Effect.forEach(yield* log.shards, log.inForce)
        snapshots.push(Math.max(...shards.map((shard) => shard?.snapshots.length ?? 0)))
      }
      assert.deepStrictEqual(snapshots, [0, 0, 0, 1])
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
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
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", 5)))
      const monitor = Job.monitor()
      yield* runToEnd(accounts, { ...options, observer: monitor })
      const [status] = monitor.status()
      assert.strictEqual(status?.in, lines.length)
      assert.deepStrictEqual(status?.out, { totals: expected.totals.length, large: expected.large.length })
      assert.strictEqual(status?.deadLettered, expected.deadLetters)
    }).pipe(Effect.provide(world))
  )
})
