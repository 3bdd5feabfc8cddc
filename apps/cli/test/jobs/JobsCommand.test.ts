/**
 * Jobs and landings are listed by what they committed, and by who holds their lock.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { holdJobLock } from "@frazil/connect"
import { DeadLetters as DeadLetterContract, Job, Ledger as LedgerContract } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Fiber } from "effect"
import { fillData, services, temporaryFolder, transaction, transactions } from "../DataFixture.ts"
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

describe("jobs describe", () => {
  it.live("shows what a job reads, writes and is made of, and where its shards stand", () =>
    Effect.gen(function* () {
      const data = yield* fillData(yield* temporaryFolder, transactions(100))
      const told = yield* frazilJson("jobs", "describe", "transactions", "--data", data)
      assert.deepInclude(told, { job: "transactions", reads: ["raw-transactions"] })
      assert.deepInclude(member(told, "stages", 0), { stage: "raw-transactions", state: "finished", lag: 0 })
      assert.deepInclude(member(told, "stages", 0, "counts"), {
        in: 100,
        dead_lettered: 20,
        fast_path: 80,
        slow_path: 0
      })
      const { stdout } = yield* frazil(["jobs", "describe", "transactions", "--data", data])
      assert.match(stdout, /^reads +raw-transactions$/m)
      assert.match(stdout, /^fast path +80 of 80 that decode$/m)
      assert.strictEqual(stdout.match(/^ +\d +\d+ +\d+ +\d+ +\d+ +2026-01-1\dT/gm)?.length, 4)
      const never = yield* frazil(["jobs", "describe", "claims", "--data", data])
      assert.match(never.stdout, /^stage +payment-events, never ran$/m)
      assert.match((yield* frazil(["jobs", "describe", "none", "--data", data])).error!, /there is no job none/)
    })
  )
})

describe("jobs state", () => {
  it.live("shows what the operators of a job hold of a key, while it runs and when it has stopped", () =>
    Effect.gen(function* () {
      const data = join(yield* temporaryFolder, "data")
      const paid = (customer: string, amount: number, minute: number) =>
        `{"customer_id":"${customer}","amount":${amount},"merchant_id":"M1","timestamp":"2026-01-14T12:0${minute}:00Z"}\n`
      const written = [paid("C1", 10, 1), paid("C2", 5, 1), paid("C1", 2.5, 2)]
      yield* frazil(["topics", "write", "transactions", "--data", data], written)
      const [velocity] = flows.velocity
      // a job that waits for more: its windows are open
      const fiber = yield* Effect.forkChild(
        Job.run(velocity, { epochMs: 0 }).pipe(
          Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
          Effect.provideService(LedgerContract, { topic: Ledger, make: makeLedgerEntry }),
          Effect.provide(services(data))
        )
      )
      let shown: unknown = {}
      const panes = () => member(shown, "operators", 0, "state", "panes")
      while (member(panes(), 0, "records") !== 2) {
        yield* Effect.sleep(20)
        const ended = yield* frazil(["jobs", "state", "velocity", "C1", "--json", "--data", data])
        if (ended.error === undefined) shown = JSON.parse(ended.stdout)
      }
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(member(shown, "operators", 0), {
        stage: "transactions",
        kind: "windows",
        operator: "velocity"
      })
      const values = { transaction_count_5min: 2, transaction_total_5min: "12.50" }
      const [start, end] = ["2026-01-14T12:00:00.000Z", "2026-01-14T12:05:00.000Z"]
      assert.deepStrictEqual(panes(), [{ start, end, records: 2, values }])
      const text = yield* frazil(["jobs", "state", "velocity", "C1", "--data", data])
      assert.include(text.stdout, "windows of transactions/")
      assert.include((yield* frazil(["jobs", "state", "velocity", "nobody", "--data", data])).stderr, "holds anything")
      const unknown = yield* frazil(["jobs", "state", "velocities", "C1", "--data", data])
      assert.match(unknown.error!, /there is no job velocities in this build; there are .*velocity/)
    })
  )
})
