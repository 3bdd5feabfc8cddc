/**
 * W5: all valid records into an Iceberg table partitioned by day of event time, a commit every 10 s, as the peers' do; the file
 * once, or so many times over that commits fall into the run.
 *
 * Rows are `day,rows,cents`, read back from the table's files; the cost is that up to the last commit.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { Log } from "@frazil/engine"
import { DuckDb, type LandingStatus, makeLandingMonitor, runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { catalogLayer, type DataDirectory, dataDirectory, duckDbLayer, storageLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { makeFileLog, openFile } from "../support/FileLog.ts"
import { cpuMicros, measureProcess } from "../support/Measure.ts"
import type { Answered } from "./Answer.ts"
import { type LogCost, type Through } from "./RunJob.ts"
import { source } from "./Transactions.ts"

const declared = tables.find(({ topic }) => topic.name === RawTransactions.name)
if (declared === undefined) throw new Error("lakehouse/src/tables.ts lands raw-transactions no more")
/** Of one partition, as the file. */
const landing = { ...declared, topic: { ...declared.topic, partitions: source.partitions } }

type Day = readonly [day: string, rows: number, cents: bigint]

const byDay = Effect.fnUntraced(function* ({ root }: DataDirectory) {
  const duckDb = yield* DuckDb
  const connection = yield* duckDb.connect
  const files = `${root}/warehouse/transactions/raw/data/**/*.parquet`
  const result = yield* connection.query(
    `SELECT (event_timestamp AT TIME ZONE 'UTC')::DATE::VARCHAR AS day, count(*)::VARCHAR, sum(amount)::VARCHAR FROM read_parquet('${files}', hive_partitioning = false) GROUP BY ALL ORDER BY day`,
    "reading the table back"
  )
  return result
    .getRows()
    .map(([day, rows, sum]): Day => [String(day), Number(rows), BigInt(String(sum).replace(".", ""))])
})

/** Lands what the log in its context has, then reads the table back. */
const land = Effect.fnUntraced(function* (directory: DataDirectory, complete: () => boolean) {
  const monitor = makeLandingMonitor()
  const commits = new Set<string>()
  const counting = {
    ...monitor,
    update: (table: string, change: Partial<LandingStatus>) => {
      if (change.snapshotId !== undefined) commits.add(change.snapshotId)
      monitor.update(table, change)
    }
  }
  yield* runLanding(landing, { commitEveryMs: 10_000, inputComplete: () => Effect.sync(complete), monitor: counting })
  const [status] = monitor.status()
  const { files = 0, rows = 0, skipped = 0 } = status ?? {}
  const n = rows + skipped
  const measured = measureProcess(n)
  const days = files === 0 ? [] : yield* byDay(directory)
  return {
    counts: { n, invalid: skipped, amount_cents: days.reduce((sum, [, , each]) => sum + each, 0n) },
    rows: days.map((day) => day.join(",")),
    tableRows: rows,
    rows_count_sum: days.reduce((sum, [, each]) => sum + each, 0),
    rows_cents_sum: days.reduce((sum, [, , each]) => sum + each, 0n),
    more: { by_day: days, files, commits: commits.size },
    measured
  } satisfies Answered
})

const throughLog = Effect.fnUntraced(function* (directory: DataDirectory, file: string) {
  const log = yield* Log
  const before = cpuMicros()
  yield* log.ensureTopic({ name: source.name, partitions: source.partitions })
  yield* feedFile({ file, topic: source.name, keys: KeyScanner.make(source), owner: "bench" })
  const fed = cpuMicros()
  const answered = yield* land(directory, () => true)
  const logCost: LogCost = { feedMicros: fed - before, jobMicros: answered.measured.cpuSeconds * 1e6 - fed }
  return { ...answered, logCost }
})

export const w5 = async (file: string, through: Through, passes = 1): Promise<Answered> => {
  const directory = dataDirectory(await mkdtemp(join(tmpdir(), "frazil-w5-")))
  const lake = Layer.mergeAll(catalogLayer(directory), storageLayer(directory), duckDbLayer(directory))
  const overFile = Effect.suspend(() => {
    const { complete, layer } = makeFileLog(source.name, openFile(file, passes))
    return land(directory, complete).pipe(Effect.provide(layer))
  })
  const overLog = throughLog(directory, file).pipe(
    Effect.provide(EmbeddedLog.layer({ file: join(directory.root, "log.db") }))
  )
  try {
    return await Effect.runPromise(Effect.scoped(through === "log" ? overLog : overFile).pipe(Effect.provide(lake)))
  } finally {
    await rm(directory.root, { recursive: true, force: true })
  }
}
