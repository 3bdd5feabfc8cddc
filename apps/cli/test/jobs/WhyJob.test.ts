/** `frazil jobs why` over a data directory that a real run has filled. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { DeadLetters as DeadLetterContract, Job, Ledger as LedgerContract, Log } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { DeadLetters, ledgerService, makeDeadLetter, Transactions } from "@frazil/model"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { services, temporaryFolder } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const line = (customer: string, at: string) =>
  JSON.stringify({ customer_id: customer, amount: 5, merchant_id: "M1", timestamp: `2026-01-14T${at}Z` })

/** The velocity job has read all lines, and the end of the input has closed its windows. */
const filled = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const folder = yield* temporaryFolder
  const data = join(folder, "data")
  const file = join(folder, "in.ndjson")
  yield* Effect.promise(() => writeFile(file, lines.map((text) => `${text}\n`).join("")))
  yield* Effect.gen(function* () {
    const log = yield* Log
    yield* log.ensureTopic({ name: Transactions.name, partitions: Transactions.partitions })
    yield* feedFile({ file, topic: Transactions.name, keys: KeyScanner.make(Transactions), owner: "test" })
    yield* Job.run(flows.velocity[0], { bounded: true, inputComplete: () => Effect.succeed(true) }).pipe(
      Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
      Effect.provideService(LedgerContract, ledgerService)
    )
  }).pipe(Effect.provide(services(data)))
  return data
})

const lines = [line("C1", "12:01:00"), line("C1", "12:20:00"), line("C1", "12:02:00"), line("C1", "12:21:00")]
const at = (time: string) => ["jobs", "why", "velocity", "--key", "C1", "--at", `2026-01-14T${time}Z`]

describe("frazil jobs why", () => {
  it.live("says one cause a line, the most telling first, and what was read", () =>
    Effect.gen(function* () {
      const data = yield* filled(lines)
      const { error, stderr, stdout } = yield* frazil([...at("12:02:00"), "--data", data])
      assert.isUndefined(error)
      const told = stdout.trimEnd().split("\n")
      assert.match(
        told[0]!,
        /^the record at transactions\/\d offset 2, of 2026-01-14T12:02:00Z, came too late for velocity, 17 min 55 s behind the watermark/
      )
      assert.match(
        told[1]!,
        /^window velocity from .*12:00:00Z to .*12:05:00Z has ended; its result on fraud-features: /
      )
      assert.match(told[2]!, /offset 0, .* passed every condition and came to velocity$/)
      assert.strictEqual(told.length, 3)
      assert.match(stderr, /read 4 records of transactions\/\d, offsets 0 to 4/)
    })
  )

  it.live("gives programs the same as JSON", () =>
    Effect.gen(function* () {
      const data = yield* filled(lines)
      const found = yield* frazilJson(...at("12:02:00"), "--data", data)
      assert.deepInclude(found, { job: "velocity", key: "C1", at: "2026-01-14T12:02:00.000Z" })
      const { causes } = found as { causes: ReadonlyArray<Record<string, unknown>> } // what the command prints
      assert.deepStrictEqual(
        causes.map(({ kind, offset, operator }) => [kind, operator, offset]),
        [
          ["late", "velocity", 2],
          ["result", "velocity", null],
          ["came_to", "velocity", 0]
        ]
      )
    })
  )

  it.live("says what is wrong with what it was asked", () =>
    Effect.gen(function* () {
      const data = yield* filled(lines)
      const why = ["jobs", "why"]
      const rest = ["--key", "C1", "--at", "2026-01-14T12:00:00Z", "--data", data]
      assert.include((yield* frazil([...why, "no-job", ...rest])).error, "there is no job no-job in this build")
      const today = yield* frazil([...why, "velocity", "--key", "C1", "--at", "today", "--data", data])
      assert.isDefined(today.error)
      const around = yield* frazil([...why, "velocity", ...rest, "--around", "much"])
      assert.isDefined(around.error)
    })
  )
})
