/**
 * W5 of the peers' workloads: all valid records into an Iceberg table partitioned by day; the file is the source.
 *
 * usage: bun bench/src/w5.ts FILE.ndjson. Commits every 10 s, as the peers do. Prints one JSON object: rows and cents by
 * day read back from the table, and the cost of the whole process up to the last commit.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDb, makeLandingMonitor, runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { catalogLayer, dataDirectory, duckDbLayer, storageLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { measureProcess } from "./support/Measure.ts"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/w5.ts FILE.ndjson")
const landing = tables.find(({ topic }) => topic.name === RawTransactions.name)
if (landing === undefined) throw new Error("lakehouse/src/tables.ts lands raw-transactions no more")
const directory = dataDirectory(await mkdtemp(join(tmpdir(), "frazil-w5-")))
const source = makeFileLog(RawTransactions.name, file)
const monitor = makeLandingMonitor()
const services = Layer.mergeAll(source.layer, catalogLayer(directory), storageLayer(directory), duckDbLayer(directory))

const byDay = Effect.gen(function* () {
  const duckDb = yield* DuckDb
  const connection = yield* duckDb.connect
  const files = `${directory.root}/warehouse/transactions/raw/data/**/*.parquet`
  const result = yield* connection.query(
    `SELECT event_timestamp::DATE::VARCHAR AS day, count(*)::VARCHAR, (sum(amount) * 100)::BIGINT::VARCHAR FROM read_parquet('${files}', hive_partitioning = false) GROUP BY ALL ORDER BY day`,
    "reading the table back"
  )
  return result.getRows().map(([day, rows, cents]) => [day, Number(rows), Number(cents)])
})

const program = Effect.gen(function* () {
  yield* runLanding(landing, { commitEveryMs: 10_000, inputComplete: () => Effect.sync(source.complete), monitor })
  const [status] = monitor.status()
  const cost = measureProcess(source.read())
  process.stdout.write(
    `${JSON.stringify({ w: "W5", n: source.read(), rows: status?.rows ?? 0, files: status?.files ?? 0, by_day: yield* byDay, ...cost })}\n`
  )
})
await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(services)))
await rm(directory.root, { recursive: true, force: true })
