/** What commits and checkpoints must never do: protocol rules 5, 6 and 10. Each test names the rule it fails without. */
import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { CheckpointStore, Job, Log, LogError, type SnapshotName } from "../../src/index.ts"
import { accounts, assertAnswers, expectedOf, paymentLines, Payments } from "../support/Accounts.ts"
import { makeChance } from "../support/Chance.ts"
import { atPoint, crashAt, eventually, hurried, onLog, onStore } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

const lines = paymentLines(240)
const options = { epochRecords: 20, checkpointEveryMs: 0 }
const live = { ...options, bounded: false }
const ids = [0, 1, 2].map((shard) => ({ uid: "accounts", stage: "payments", shard }))

/** Counts the crossings of a run's points, by running it. */
const crossingsOf = (point: FaultPointName) =>
  Effect.gen(function* () {
    let crossings = 0
    yield* append(Payments, lines)
    yield* runToEnd(accounts, options).pipe(
      atPoint(
        point,
        undefined,
        Effect.sync(() => void crossings++)
      )
    )
    return crossings
  }).pipe(Effect.provide(world))

describe("rule 5: an outcome that nobody knows", () => {
  it.effect("is read back: at every commit, kept or undone, the outputs are there once", () =>
    Effect.gen(function* () {
      // the log crosses this point before and after each COMMIT: what fails before is undone, what fails after is kept
      const crossings = yield* crossingsOf("epoch-unknown")
      assert.isAbove(crossings, 12)
      for (let nth = 1; nth <= crossings; nth++) {
        yield* Effect.gen(function* () {
          yield* append(Payments, lines)
          yield* hurried(runToEnd(accounts, options).pipe(crashAt("epoch-unknown", nth)))
          yield* assertAnswers(lines, `unknown at crossing ${nth}`)
        }).pipe(Effect.provide(world))
      }
    })
  )

  for (const landed of [true, false]) {
    it.effect(
      `that ${landed ? "landed" : "did not land"} discards all memory: the next thing is a fence by another owner`,
      () =>
        Effect.gen(function* () {
          yield* append(Payments, lines)
          const calls: Array<string> = []
          const incarnations: Array<unknown> = []
          let commits = 0
          const unknown = onLog((log) => ({
            fence: (owner, shards) => {
              calls.push(`fence ${owner.split(".")[1]}`)
              return log.fence(owner, shards)
            },
            commit: (epoch) => {
              calls.push(`commit ${epoch.owner.split(".")[1]}`)
              if (++commits !== 4) return log.commit(epoch)
              const lost = new LogError({ reason: "OutcomeUnknown", message: "the answer was lost" })
              return landed ? Effect.andThen(log.commit(epoch), lost) : lost
            }
          }))
          const observer = { started: (_: unknown, shards: unknown) => void incarnations.push(shards) }
          yield* hurried(runToEnd(accounts, { ...options, observer }).pipe(unknown))
          assert.deepStrictEqual(calls.slice(0, 7), [
            "fence 0",
            ...Array.from({ length: 4 }, () => "commit 0"),
            "fence 1",
            "commit 1"
          ])
          assert.strictEqual(new Set(incarnations).size, 2)
          yield* assertAnswers(lines)
        }).pipe(Effect.provide(world))
    )
  }
})

/** Names of the snapshots in force, all shards'. */
const namesInForce = (log: Log["Service"]) =>
  Effect.map(Effect.forEach(ids, log.inForce), (records) =>
    records.flatMap((record): ReadonlyArray<SnapshotName> => record?.snapshots ?? []).map(({ file }) => file)
  )

const filesThere = Effect.gen(function* () {
  const store = yield* CheckpointStore
  return (yield* store.list("accounts/")).map(({ name }) => name)
})

describe("rule 6: snapshot files", () => {
  it.effect("are never written twice, also when a crash left one without a name", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const written: Array<string> = []
      const spying = onStore((store) => ({
        writeNew: (name, bytes) => {
          written.push(name)
          return store.writeNew(name, bytes)
        }
      }))
      // each run dies with snapshots written and not named; the next one starts from the epoch before
      for (let crash = 0; crash < 3; crash++) {
        const exit = yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("before-name", 1), spying))
        assert.isTrue(Exit.hasDies(exit))
      }
      yield* runToEnd(accounts, options).pipe(spying)
      assert.isAbove(written.length, 12)
      assert.strictEqual(new Set(written).size, written.length)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "are there as long as a record in force names them, and go when a later commit of one's own displaced them",
    () =>
      Effect.gen(function* () {
        yield* append(Payments, lines)
        const log = yield* Log
        let removed = 0
        const checking = onStore((store) => ({
          remove: (name) =>
            Effect.gen(function* () {
              assert.notInclude(yield* Effect.orDie(namesInForce(log)), name)
              removed++
              yield* store.remove(name)
            })
        }))
        yield* runToEnd(accounts, options).pipe(checking)
        assert.isAbove(removed, 2)
        assert.deepStrictEqual((yield* filesThere).toSorted(), (yield* namesInForce(log)).toSorted())
      }).pipe(Effect.provide(world))
  )

  it.effect("are not deleted by a zombie", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const log = yield* Log
      let before: ReadonlyArray<string> = []
      const store = yield* CheckpointStore
      const takenOver = Effect.gen(function* () {
        yield* log.fence("successor", ids)
        before = (yield* store.list("accounts/")).map(({ name }) => name)
      }).pipe(Effect.orDie)
      // the fourth snapshot displaces the first
      const failure = yield* Effect.flip(runToEnd(accounts, options).pipe(atPoint("before-delta-drop", 4, takenOver)))
      assert.strictEqual(failure.reason, "Fenced")
      assert.isAbove(before.length, 0)
      assert.deepStrictEqual(yield* filesThere, before)
    }).pipe(Effect.provide(world))
  )

  it.effect("without a name go by age only", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines.slice(0, 120))
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("before-name", 2)))
      const log = yield* Log
      const named = yield* namesInForce(log)
      const unnamed = (yield* filesThere).filter((file) => !named.includes(file))
      assert.strictEqual(named.length, 3)
      assert.strictEqual(unnamed.length, 3)
      yield* TestClock.adjust("23 hours")
      yield* runToEnd(accounts, options)
      assert.includeMembers([...(yield* filesThere)], unnamed)
      yield* TestClock.adjust("2 hours")
      yield* append(Payments, lines.slice(120))
      yield* runToEnd(accounts, options)
      const left = yield* filesThere
      for (const file of unnamed) assert.notInclude(left, file)
      assert.includeMembers([...left], [...(yield* namesInForce(log))])
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("are not written for a shard whose state did not change", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const monitor = Job.monitor()
      // a snapshot takes some turns of the task
      const settled = Effect.repeat(TestClock.adjust(20), { times: 100 })
      const running = yield* Effect.forkChild(Job.run(accounts, { ...live, observer: monitor }))
      const read = (count: number) => Effect.sync(() => monitor.status()[0]?.in === count)
      yield* eventually("reading all", read(lines.length))
      yield* settled
      const before = yield* filesThere
      // one account: one partition's state changes
      const more = lines.filter(({ key }) => key === "A1")
      yield* append(Payments, more)
      yield* eventually("reading more", read(lines.length + more.length))
      yield* settled
      const fresh = (yield* filesThere).filter((file) => !before.includes(file))
      assert.strictEqual(new Set(fresh.map((file) => file.split("/")[2])).size, 1, fresh.join(", "))
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )
})

/** Points where another instance can take over: outside of the log's own transactions. */
const points: ReadonlyArray<FaultPointName> = [
  "after-init",
  "mid-restore",
  "before-epoch-commit",
  "after-epoch-commit",
  "before-snapshot",
  "after-snapshot",
  "before-name",
  "before-delta-drop",
  "snapshot-delete"
]

const zombieFailure = (exit: Exit.Exit<void, { readonly reason: string }>) =>
  Exit.isSuccess(exit)
    ? "done"
    : Option.match(Cause.findErrorOption(exit.cause), { onNone: () => "died", onSome: ({ reason }) => reason })

describe("rule 10: only the owner that took a shard last commits to it", () => {
  it.effect("a second instance fences the first, which stops without effect; the second goes on", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const log = yield* Log
      const wrote = (count: number) =>
        Effect.map(
          Effect.orElseSucceed(readAll("totals"), () => []),
          (totals) => totals.length === expectedOf(paymentLines(count)).totals.length
        )
      const first = yield* Effect.forkChild(Effect.flip(Job.run(accounts, live)))
      yield* eventually("the first's work", wrote(lines.length))
      const more = paymentLines(60, lines.length)
      const appendMore = append(Payments, more).pipe(Effect.provideService(Log, log), Effect.orDie)
      const goOn = yield* Deferred.make<void>()
      // the second has fenced and not yet committed: the epoch alone would let the first go on
      const second = yield* Effect.forkChild(
        Job.run(accounts, live).pipe(atPoint("after-init", 1, Effect.andThen(appendMore, Deferred.await(goOn))))
      )
      yield* eventually(
        "the first's end",
        Effect.sync(() => first.pollUnsafe() !== undefined)
      )
      const stopped = yield* Fiber.join(first)
      assert.deepStrictEqual([stopped._tag, stopped.reason], ["LogError", "Fenced"])
      assert.include(stopped.message, "was taken by another owner")
      yield* assertAnswers(lines)
      yield* Deferred.succeed(goOn, undefined)
      yield* eventually("the second's work", wrote(lines.length + more.length))
      yield* assertAnswers([...lines, ...more])
      assert.isUndefined(second.pollUnsafe())
      yield* Fiber.interrupt(second)
    }).pipe(Effect.provide(world))
  )

  it.effect("a zombie that wakes at any point after another instance did all the work has no effect", () =>
    Effect.gen(function* () {
      for (const point of points) {
        for (let nth = 1; nth <= 7; nth += 3) {
          yield* Effect.gen(function* () {
            yield* append(Payments, lines)
            const context = yield* Effect.context<Log | CheckpointStore>()
            const other = runToEnd(accounts, options).pipe(Effect.provide(context), Effect.provide(world), Effect.orDie)
            const exit = yield* Effect.exit(runToEnd(accounts, options).pipe(atPoint(point, nth, other)))
            assert.include(["Fenced", "done"], zombieFailure(exit), `${point}, crossing ${nth}`)
            yield* assertAnswers(lines, `${point}, crossing ${nth}`)
          }).pipe(Effect.provide(world))
        }
      }
    })
  )

  const seeds = 40
  it.effect(`instances that take over from each other, at random and many deep, never double: ${seeds} seeds`, () =>
    Effect.gen(function* () {
      const met = { Fenced: 0, done: 0 }
      for (let seed = 1; seed <= seeds; seed++) {
        const chance = makeChance(seed)
        yield* Effect.gen(function* () {
          yield* append(Payments, lines)
          const context = yield* Effect.context<Log | CheckpointStore>()
          /** An instance that stands still somewhere while others run, and then goes on as if nothing had happened. */
          const instance = (depth: number): Effect.Effect<void> =>
            Effect.suspend(() => {
              const nested =
                depth === 0
                  ? Effect.void
                  : Effect.andThen(instance(depth - 1), chance.once(2) ? instance(0) : Effect.void)
              const standing = runToEnd(accounts, options).pipe(
                atPoint(chance.pick(points), 1 + chance.below(6), nested)
              )
              return Effect.map(Effect.exit(standing), (exit) => {
                const end = zombieFailure(exit)
                assert.include(["Fenced", "done"], end, `seed ${seed}`)
                met[end as "Fenced" | "done"]++ // one of the two, as was just asserted
              }).pipe(Effect.provide(context), Effect.provide(world), Effect.orDie)
            })
          yield* instance(3)
          yield* runToEnd(accounts, options)
          yield* assertAnswers(lines, `seed ${seed}`)
        }).pipe(Effect.provide(world))
      }
      assert.isAbove(met.Fenced, seeds / 2)
      assert.isAbove(met.done, seeds / 2)
    })
  )
})
