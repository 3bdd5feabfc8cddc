/**
 * Health names the part that is ill, and no other.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { holdJobLock } from "@frazil/connect"
import { DeadLetters as DeadLetterContract, Job, Log } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { Catalog } from "@frazil/lake"
import { DeadLetters, makeDeadLetter, RawTransactions } from "@frazil/model"
import { dataDirectory, tellAddress } from "@frazil/platform"
import { Effect, Fiber } from "effect"
import { fillData, services, temporaryFolder, transaction, transactions } from "../DataFixture.ts"
import { frazil } from "../RunFrazil.ts"

const filled = Effect.flatMap(temporaryFolder, (folder) => fillData(folder, transactions(50)))

interface Health {
  readonly error: string | undefined
  readonly healthy: boolean
  readonly ill: ReadonlyArray<string>
  /** What is said of a part. */
  readonly detail: (name: string) => string | undefined
}

const healthOf = Effect.fnUntraced(function* (data: string, ...options: ReadonlyArray<string>) {
  const ended = yield* frazil(["health", "--data", data, "--json", ...options])
  // the shape that the command promises
  const report = JSON.parse(ended.stdout) as {
    healthy: boolean
    ill: ReadonlyArray<string>
    parts: ReadonlyArray<{ name: string; detail: string }>
  }
  const detail = (name: string) => report.parts.find((part) => part.name === name)?.detail
  return { error: ended.error, healthy: report.healthy, ill: report.ill, detail } satisfies Health
})

describe("health", () => {
  it.live("is well after a run that finished, and says so part by part", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const health = yield* healthOf(data)
      assert.isUndefined(health.error)
      assert.deepStrictEqual([health.healthy, health.ill], [true, []])
      assert.match(health.detail("log") ?? "", /^60 records in \d+ topics$/)
      assert.strictEqual(health.detail("job transactions"), "finished, 0 behind in raw-transactions")
      assert.match(health.detail("table transactions.raw") ?? "", /^40 rows, commit [0-9.]+ s ago, 0 behind$/)
      const text = yield* frazil(["health", "--data", data])
      assert.match(text.stdout, /^catalog +ok +2 tables$/m)
    })
  )

  it.live("no data directory: is ill, and makes none", () =>
    Effect.gen(function* () {
      const data = join(yield* temporaryFolder, "data")
      const health = yield* healthOf(data)
      assert.strictEqual(health.error, "ill: data directory (1 of 1 parts)")
      assert.isFalse(existsSync(data))
    })
  )

  it.live("a missing or damaged log, catalog or manifest is named, with what to do", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const lists = join(data, "warehouse/transactions/raw/metadata")
      const list = readdirSync(lists).find((name) => name.startsWith("snap-")) ?? "none"
      writeFileSync(join(lists, list), "Obj")
      const manifest = yield* healthOf(data)
      assert.deepStrictEqual(manifest.ill, ["table transactions.raw"])
      assert.include(manifest.detail("table transactions.raw"), list)

      writeFileSync(join(data, "catalog.db"), "x".repeat(5000))
      const catalog = yield* healthOf(data)
      assert.match(catalog.error ?? "", /^ill: catalog \(1 of \d+ parts\)$/)
      assert.include(catalog.detail("catalog"), "is no SQLite database")
      rmSync(join(data, "catalog.db"))
      const gone = yield* healthOf(data)
      assert.deepStrictEqual(gone.ill, ["catalog"])
      assert.isFalse(existsSync(join(data, "catalog.db")))

      writeFileSync(join(data, "log.db"), "x".repeat(5000))
      const log = yield* healthOf(data)
      assert.include(log.ill, "log")
      assert.include(log.detail("log"), "is not a log of frazil")
      rmSync(join(data, "log.db"))
      assert.include((yield* healthOf(data)).detail("log"), "is missing")
      assert.isFalse(existsSync(join(data, "log.db")))
    })
  )

  it.live("a table that is gone from the catalog is ill", () =>
    Effect.gen(function* () {
      const data = yield* filled
      yield* Catalog.use((catalog) => catalog.dropTable({ namespace: "transactions", name: "raw" })).pipe(
        Effect.provide(services(data))
      )
      const health = yield* healthOf(data)
      assert.deepStrictEqual(health.ill, ["table transactions.raw"])
      assert.strictEqual(health.detail("table transactions.raw"), "table transactions.raw is gone from the catalog")
    })
  )

  it.live("a job that is too far behind, and a table whose records wait too long, are ill", () =>
    Effect.gen(function* () {
      const data = yield* filled
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n${transaction(2)}\n`])
      yield* holdJobLock({ job: "transactions", dataDirectory: data })
      assert.deepStrictEqual((yield* healthOf(data)).ill, [])
      const strict = yield* healthOf(data, "--lag-max", "1", "--commit-age-max", "0ms")
      assert.deepStrictEqual(strict.ill, ["job transactions", "table transactions.raw"])
      assert.include(strict.detail("job transactions"), "running, 2 behind in raw-transactions, more than 1")
      assert.include(strict.detail("table transactions.raw"), "2 behind: records have waited for")
    })
  )

  it.live("a job that was stopped before its end, and one whose topic was made anew, are ill", () =>
    Effect.gen(function* () {
      const data = yield* filled
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n`])
      const running = yield* Effect.forkChild(
        Job.run(flows.transactions[0], { epochMs: 0 }).pipe(
          Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
          Effect.provide(services(data))
        )
      )
      // until it has taken the record
      while ((yield* healthOf(data)).ill.length === 0) yield* Effect.sleep(20)
      yield* Fiber.interrupt(running)
      const stopped = yield* healthOf(data)
      assert.deepStrictEqual(stopped.ill, ["job transactions"])
      assert.include(stopped.detail("job transactions"), "start the pipeline again")
      const anew = Effect.gen(function* () {
        const log = yield* Log
        yield* log.deleteTopic(RawTransactions.name)
        yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
      })
      yield* Effect.provide(anew, services(data))
      assert.include((yield* healthOf(data)).detail("job transactions"), "was deleted and made anew")
    })
  )

  it.live("checkpoints that cannot be written are ill", () =>
    Effect.gen(function* () {
      const data = yield* filled
      rmSync(join(data, "checkpoints"), { recursive: true, force: true })
      writeFileSync(join(data, "checkpoints"), "")
      const health = yield* healthOf(data)
      assert.deepStrictEqual(health.ill, ["checkpoints"])
      assert.include(health.detail("checkpoints"), "cannot be written")
    })
  )

  it.live("a gateway that does not answer is ill, and one that has gone is no part", () =>
    Effect.gen(function* () {
      const data = yield* filled
      // nothing listens there: a port below those that programs take
      const silent = Effect.gen(function* () {
        yield* tellAddress(dataDirectory(data), "http://127.0.0.1:1")
        return yield* healthOf(data)
      })
      const health = yield* Effect.scoped(silent)
      assert.deepStrictEqual(health.ill, ["api 127.0.0.1:1"])
      assert.include(health.detail("api 127.0.0.1:1"), "cannot be reached, though its process runs: restart it")
      assert.deepStrictEqual((yield* healthOf(data)).ill, [])
    })
  )

  it.live("a full disk is ill before it is full", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const health = yield* healthOf(data, "--disk-free-min", "2000000000")
      assert.deepStrictEqual(health.ill, ["disk"])
      assert.include(health.detail("disk"), "make room")
    })
  )
})
