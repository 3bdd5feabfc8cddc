/**
 * Compaction: how many GB of small files a minute become large ones, bin-packed, on the threads that DuckDB has by default.
 *
 * usage: bun bench/src/compact.ts FILE.ndjson. Lands the file in many small commits, copies nothing, compacts once, and
 * checks that the rows are still there. Prints one JSON object; DuckDB alone does about 1.3 GB a minute on one core.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Catalog, compactTable, readTable, runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { catalogLayer, dataDirectory, duckDbLayer, storageLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { peakRssMb } from "./support/Measure.ts"

/** Rows of a commit: small files, as a short lake commit makes them. */
const attemptRowsMax = 50_000

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/compact.ts FILE.ndjson")
const landing = tables.find(({ topic }) => topic.name === RawTransactions.name)
if (landing === undefined) throw new Error("lakehouse/src/tables.ts lands raw-transactions no more")
const directory = dataDirectory(await mkdtemp(join(tmpdir(), "frazil-compact-")))
const source = makeFileLog(RawTransactions.name, file)
const services = Layer.mergeAll(source.layer, catalogLayer(directory), storageLayer(directory), duckDbLayer(directory))

const rowsNow = Effect.gen(function* () {
  const catalog = yield* Catalog
  const query = "SELECT count(*)::VARCHAR AS n, sum(amount)::VARCHAR AS s FROM t"
  const { rows } = yield* readTable(yield* catalog.loadTable(landing), { query })
  return JSON.stringify(rows[0])
})

const program = Effect.gen(function* () {
  yield* runLanding(landing, { attemptRowsMax, inputComplete: () => Effect.sync(source.complete) })
  const before = yield* rowsNow
  const cpu = process.cpuUsage()
  const report = yield* compactTable(landing)
  const used = process.cpuUsage(cpu)
  const wallMs = report.finishedAtMs - report.startedAtMs
  const gigabytes = report.bytesBefore / 1e9
  process.stdout.write(
    `${JSON.stringify({
      w: "compact",
      files_before: report.filesBefore,
      files_after: report.filesAfter,
      megabytes: Math.round(report.bytesBefore / 1e6),
      megabytes_after: Math.round(report.bytesAfter / 1e6),
      same_rows: before === (yield* rowsNow),
      wall_s: wallMs / 1000,
      cpu_s: (used.user + used.system) / 1e6,
      gigabytesPerMinute: Number((gigabytes / (wallMs / 60_000)).toFixed(2)),
      cpuMinutesPerGigabyte: Number(((used.user + used.system) / 60e6 / gigabytes).toFixed(2)),
      rss_megabytes: peakRssMb()
    })}\n`
  )
})
await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(services)))
await rm(directory.root, { recursive: true, force: true })
