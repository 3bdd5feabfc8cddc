/**
 * Data directories for tests of commands: empty ones, and one that a whole bounded run has filled.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { DeadLetters as DeadLetterContract, Job, Log } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, makeDeadLetter, RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { Effect } from "effect"

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-cli-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const complete = () => Effect.succeed(true)

/** Of all tables, those that these lines land in. */
const landed = tables.filter(({ table }) => ["transactions.raw", "system.dead_letter"].includes(table))

/** A line of `raw-transactions`. */
export const transaction = (i: number): string =>
  JSON.stringify({
    transaction_id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    account_id: `ACC${i % 10}`,
    amount: 12.5,
    currency: "EUR",
    type: "purchase",
    merchant_id: "M1",
    merchant_category: "grocery",
    country: "DE",
    city: "Berlin",
    lat: 52.5,
    lon: 13.4,
    channel: "pos",
    device_id: "D1",
    ip: "10.0.0.1",
    event_timestamp: new Date(Date.UTC(2026, 0, 14 + (i % 2), 12, 0, i % 60)).toISOString()
  })

/** So many lines; every fifth does not decode. */
export const transactions = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => (i % 5 === 4 ? "{torn" : transaction(i)))

export const services = (data: string) => systemLayer(dataDirectory(data))

/** Feeds the lines, runs the transactions job to its end, lands everything. */
export const fillData = Effect.fnUntraced(function* (folder: string, lines: ReadonlyArray<string>) {
  const data = join(folder, "data")
  const file = join(folder, "in.ndjson")
  yield* Effect.promise(() => writeFile(file, lines.map((line) => `${line}\n`).join("")))
  yield* Effect.gen(function* () {
    const log = yield* Log
    const { name: topic, partitions } = RawTransactions
    yield* log.ensureTopic({ name: topic, partitions })
    yield* feedFile({ file, topic, keys: KeyScanner.make(RawTransactions), owner: "test" })
    const [job] = flows.transactions
    yield* Job.run(job, { bounded: true, inputComplete: complete }).pipe(
      Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
    )
    for (const landing of landed) yield* runLanding(landing, { commitEveryMs: 1, inputComplete: complete })
  }).pipe(Effect.provide(services(data)))
  return data
})
