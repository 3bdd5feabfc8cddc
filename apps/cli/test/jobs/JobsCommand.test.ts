/**
 * Jobs and landings are listed by what they committed, and by who holds their lock.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { holdJobLock } from "@frazil/connect"
import { Effect } from "effect"
import { fillData, temporaryFolder, transaction, transactions } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), value)

describe("jobs list", () => {
  it.live("shows a finished run: counts, positions, watermark, nothing behind", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(100))
      const listed = yield* frazilJson("jobs", "list", "--data", data)
      const job = member(listed, "jobs", 0)
      assert.deepInclude(job, {
        job: "transactions",
        stage: "raw-transactions",
        state: "finished",
        lag: 0,
        problem: null
      })
      assert.deepInclude(member(job, "counts"), { in: 100, validated: 80, dead_lettered: 20, failed: 0 })
      // of the partition that is furthest behind: it has events of the 14th only, up to 12:00:50, at most 5 s out of order
      assert.strictEqual(member(job, "watermark"), "2026-01-14T12:00:45.000Z")
      const read = [0, 1, 2, 3].map((i) => Number(member(job, "shards", i, "position")))
      assert.strictEqual(
        read.reduce((sum, position) => sum + position, 0),
        100
      )
      assert.deepInclude(member(listed, "landings", 0), {
        table: "transactions.raw",
        state: "finished",
        rows: 80,
        lag: 0
      })
      const text = (yield* frazil(["jobs", "list", "--data", data])).stdout
      assert.match(text, /^transactions +raw-transactions +finished +4 +\d+ +100 +80 +20 +0 /m)
      assert.match(text, /^system\.dead_letter +dead-letter +finished +20 +0 /m)
    })
  )

  it.live("tells running from stopped by the job's lock, also for the tables that it lands", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(10))
      const states = Effect.map(frazilJson("jobs", "list", "--data", data), (listed) => [
        member(listed, "jobs", 0, "state"),
        member(listed, "landings", 0, "state"),
        member(listed, "jobs", 0, "lag"),
        member(listed, "landings", 0, "lag")
      ])
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n${transaction(2)}\n`])
      assert.deepStrictEqual(yield* states, ["finished", "stopped", 2, 2])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdJobLock({ job: "transactions", dataDirectory: data })
          assert.deepStrictEqual(yield* states, ["running", "running", 2, 2])
        })
      )
    })
  )

  it.live("shows jobs that never ran, and says when nothing has landed", () =>
    Effect.gen(function* () {
      const data = join(yield* temporaryFolder, "data")
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n`])
      const ended = yield* frazil(["jobs", "list", "--data", data])
      assert.match(ended.stdout, /^transactions +raw-transactions +never ran +0 +0 +0 +0 +0 +1 +- +-$/m)
      assert.include(ended.stderr, "there is no catalog yet")
      rmSync(join(data, "log.db"))
      assert.include((yield* frazil(["jobs", "list", "--data", data])).error, "holds no log.db")
    })
  )
})
