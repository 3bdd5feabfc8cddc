/**
 * Queries through the gateway against DuckDB by itself on the same files, and the oldest snapshot against the newest.
 *
 * usage: bun bench/src/query.ts [--rows N]. Prints one JSON object: the least time of each query, and the two figures that
 * have a bound, the worst over all queries: how much longer than 1.1 times DuckDB, and the oldest over the newest.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { Analytics } from "@frazil/analytics"
import { serveGateway, System } from "@frazil/gateway"
import { append, Catalog, commitTable } from "@frazil/lake"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { numberOf } from "./support/Words.ts"

const rows = numberOf("--rows", 10_000_000)
const files = 10
const snapshots = 1000
const rounds = 15
const restMs = 100
const threads = 2

const table = { namespace: "transactions", name: "raw" }
const queries: Readonly<Record<string, string>> = {
  count: "SELECT count(*) AS n FROM TABLE",
  total: "SELECT sum(amount) AS total, avg(lat) AS lat FROM TABLE",
  group:
    "SELECT account_id, count(*) AS n, sum(amount) AS total FROM TABLE GROUP BY account_id ORDER BY total DESC LIMIT 20",
  filter: "SELECT count(*) AS n, max(amount) AS most FROM TABLE WHERE account_id = 'acc-77' AND amount > 500",
  distinct: "SELECT count(DISTINCT transaction_id) AS n FROM TABLE",
  days: "SELECT date_trunc('hour', event_timestamp) AS hour, count(*) AS n FROM TABLE GROUP BY 1 ORDER BY 1"
}

const columns = [
  ["transaction_id", "string"],
  ["account_id", "string"],
  ["event_timestamp", "timestamptz"],
  ["lat", "double"]
] as const

const dataFile = (path: string, recordCount: number) => ({
  filePath: `file://${path}`,
  fileFormat: "PARQUET" as const,
  specId: 0,
  partition: [],
  recordCount: BigInt(recordCount),
  fileSizeInBytes: BigInt(statSync(path).size),
  columnSizes: new Map(),
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map(),
  splitOffsets: [4n],
  sortOrderId: null
})

const makeRows = (from: number, to: number) => `
  SELECT 'tx-' || i AS transaction_id, 'acc-' || (hash(i) % 1000) AS account_id,
    TIMESTAMPTZ '2026-01-14 00:00:00+00' + to_milliseconds(i * 20) AS event_timestamp,
    ((hash(i) % 18000) / 100 - 90)::DOUBLE AS lat, ((hash(i + 1) % 100000) / 100)::DECIMAL(18, 2) AS amount
  FROM range(${from}, ${to}) t(i)`

/**
 * The least of several rounds of each, taken in turns: what else the machine does only adds. Every round begins with another
 * one, after a rest: what a run leaves to be done behind it is no part of the next.
 */
const leastMs = async (runs: ReadonlyArray<() => Promise<unknown>>): Promise<ReadonlyArray<number>> => {
  const least = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      const index = (round + turn) % runs.length
      await new Promise((done) => setTimeout(done, restMs))
      const started = performance.now()
      await runs[index]!()
      least[index] = Math.min(least[index] ?? 0, performance.now() - started)
    }
  }
  return least
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10

const root = mkdtempSync(join(tmpdir(), "frazil-query-"))
const directory = dataDirectory(join(root, "data"))
const folder = join(root, "data/warehouse/transactions/raw/data")
mkdirSync(folder, { recursive: true })

/** The table's files, and a thousand snapshots over them. */
const fill = Effect.gen(function* () {
  const catalog = yield* Catalog
  const fields = columns.map(([name, type], index) => ({
    id: index + 1,
    name,
    required: false,
    type: { _tag: type }
  }))
  const amount = { id: 5, name: "amount", required: false, type: { _tag: "decimal", precision: 18, scale: 2 } } as const
  yield* catalog.createTable({
    identifier: table,
    schema: { schemaId: 0, identifierFieldIds: [], fields: [...fields, amount] }
  })
  const database = yield* Effect.promise(() => DuckDBInstance.create(":memory:"))
  const connection = yield* Effect.promise(() => database.connect())
  const ids = [...fields, amount].map(({ id, name }) => `${name}: ${id}`).join(", ")
  const paths: Array<string> = []
  for (let index = 0; index < files; index++) {
    const path = join(folder, `part-${index}.parquet`)
    const rowsOf = makeRows((index * rows) / files, ((index + 1) * rows) / files)
    yield* Effect.promise(() =>
      connection.run(`COPY (${rowsOf}) TO '${path}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${ids}})`)
    )
    paths.push(path)
  }
  connection.disconnectSync()
  database.closeSync()
  const all = paths.map((path) => dataFile(path, rows / files))
  const first = yield* commitTable({ table, actions: () => Effect.succeed([append(all)]) })
  for (let index = 1; index < snapshots; index++) {
    yield* commitTable({ table, actions: () => Effect.succeed([append([])]) })
  }
  return { oldest: String(first.snapshot?.snapshotId), paths }
})

const ask = async (address: string, sql: string, asOf?: string): Promise<string> => {
  const answer = await fetch(`${address}/v1/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/x-ndjson" },
    body: JSON.stringify({ sql, ...(asOf === undefined ? {} : { as_of: asOf }), limits: { memory_mb: 1024 } })
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(text)
  return text
}

const program = Effect.gen(function* () {
  const { oldest, paths } = yield* fill
  const address = yield* serveGateway({ port: 0 })
  const own = yield* Effect.promise(() =>
    DuckDBInstance.create(":memory:", { threads: String(threads), memory_limit: "1GiB" })
  )
  const connection = yield* Effect.promise(() => own.connect())
  const source = `read_parquet([${paths.map((path) => `'${path}'`).join(", ")}])`
  const figures: Record<string, unknown> = {}
  let overDuckDbMs = Number.NEGATIVE_INFINITY
  let oldestOverNewest = 0
  for (const [name, query] of Object.entries(queries)) {
    const sql = query.replace("TABLE", "transactions.raw")
    yield* Effect.promise(() => ask(address, sql))
    const [duckDbMs = 0, gatewayMs = 0, oldestMs = 0] = yield* Effect.promise(() =>
      leastMs([
        () => connection.runAndReadAll(query.replace("TABLE", source)),
        () => ask(address, sql),
        () => ask(address, sql, oldest)
      ])
    )
    overDuckDbMs = Math.max(overDuckDbMs, gatewayMs - duckDbMs * 1.1)
    oldestOverNewest = Math.max(oldestOverNewest, oldestMs / gatewayMs)
    figures[name] = { duckDbMs: tenths(duckDbMs), gatewayMs: tenths(gatewayMs), oldestMs: tenths(oldestMs) }
  }
  const worst = { overDuckDbMs: tenths(overDuckDbMs), oldestOverNewest: Number(oldestOverNewest.toFixed(3)) }
  return { w: "query", rows, snapshots, ...figures, ...worst }
})

const services = Layer.mergeAll(
  Analytics.layer({ temporaryFolder: directory.temporaryFolder, threads, personal: [] }),
  Layer.succeed(System, {
    directory,
    declared: { jobs: [], landings: [], deadLetterTopic: "", ledgerTopic: "" },
    live: () => []
  })
).pipe(Layer.provideMerge(systemLayer(directory)))

const result = await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(services)))
process.stdout.write(`${JSON.stringify(result)}\n`)
rmSync(root, { recursive: true, force: true })
