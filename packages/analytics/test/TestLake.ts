/**
 * A lake in a temporary folder for tests: `transactions.raw` with three snapshots of real Parquet files, and an empty table.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { layerLocal } from "@frazil/core"
import { append, Catalog, commitTable, FileIO, layerSqliteCatalog } from "@frazil/lake"
import { Clock, Effect, Layer } from "effect"
import { Analytics, type AnalyticsOptions } from "../src/index.ts"

type CreateTable = Parameters<(typeof Catalog)["Service"]["createTable"]>[0]
type Fields = CreateTable["schema"]["fields"]

export const rowsPerSnapshot = 1000

export const field = (id: number, name: string, type: Fields[number]["type"]): Fields[number] => ({
  id,
  name,
  required: false,
  type
})

const rawFields: Fields = [
  field(1, "transaction_id", { _tag: "string" }),
  field(2, "account_id", { _tag: "string" }),
  field(3, "amount", { _tag: "decimal", precision: 18, scale: 2 }),
  field(4, "event_timestamp", { _tag: "timestamptz" }),
  field(5, "lat", { _tag: "double" }),
  field(6, "source_offset", { _tag: "long" })
]

/** The rows of snapshot `index`, as DuckDB makes them. */
const rowsOf = (index: number, rows: number): string => `
  SELECT 'tx-' || i AS transaction_id, CASE WHEN i % 97 = 0 THEN NULL ELSE 'acc-' || (i % 50) END AS account_id,
    ((i * 37) % 100000 / 100)::DECIMAL(18, 2) AS amount,
    TIMESTAMPTZ '2026-01-14 23:45:00+00' + to_milliseconds(i) AS event_timestamp,
    ((i % 180) - 90.5)::DOUBLE AS lat, i + 9007199254740000 AS source_offset
  FROM range(${index * rows}, ${(index + 1) * rows}) t(i)`

const ids = rawFields.map(({ id, name }) => `${name}: ${id}`).join(", ")

export interface TestLake {
  readonly folder: string
  readonly layer: Layer.Layer<Catalog | FileIO>
  /** Snapshot ids and files of `transactions.raw`, oldest first. */
  readonly snapshots: ReadonlyArray<{
    readonly id: bigint
    readonly committedMs: number
    readonly files: ReadonlyArray<string>
  }>
}

const raw = { namespace: "transactions", name: "raw" }

export const dataFile = (path: string, rows: number) => ({
  filePath: `file://${path}`,
  fileFormat: "PARQUET" as const,
  specId: 0,
  partition: [],
  recordCount: BigInt(rows),
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

/** Makes the lake; removed with the scope. */
export const makeTestLake = Effect.fnUntraced(function* (snapshotCount = 3, rows = rowsPerSnapshot) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-analytics-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const warehouse = `file://${folder}/warehouse/`
  const layer = layerSqliteCatalog({ file: `${folder}/catalog.db`, warehouse }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(layerLocal(warehouse)),
    Layer.orDie
  )
  const services = yield* Layer.build(layer)
  const database = yield* Effect.promise(() => DuckDBInstance.create(":memory:"))
  const connection = yield* Effect.promise(() => database.connect())
  const snapshots: Array<TestLake["snapshots"][number]> = []
  mkdirSync(`${folder}/warehouse/transactions/raw/data`, { recursive: true })
  yield* Effect.gen(function* () {
    const catalog = yield* Catalog
    const schema = { schemaId: 0, identifierFieldIds: [], fields: rawFields }
    yield* catalog.createTable({ identifier: raw, schema })
    yield* catalog.createTable({ identifier: { namespace: "system", name: "dead_letter" }, schema })
    for (let index = 0; index < snapshotCount; index++) {
      const path = `${folder}/warehouse/transactions/raw/data/part-${index}.parquet`
      yield* Effect.promise(() =>
        connection.run(
          `COPY (${rowsOf(index, rows)}) TO '${path}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${ids}})`
        )
      )
      yield* Effect.sleep(2)
      const { snapshot } = yield* commitTable({
        table: raw,
        actions: () => Effect.succeed([append([dataFile(path, rows)])])
      })
      if (snapshot === undefined) throw new Error("no snapshot")
      const before = snapshots.at(-1)?.files ?? []
      snapshots.push({ id: snapshot.snapshotId, committedMs: snapshot.timestampMs, files: [...before, path] })
    }
    // the next snapshot's time is another one
    yield* Clock.currentTimeMillis
  }).pipe(Effect.provideContext(services), Effect.orDie)
  connection.disconnectSync()
  database.closeSync()
  return { folder, layer: Layer.succeedContext(services), snapshots } satisfies TestLake
})

/** Another snapshot of `transactions.raw`: the last file once more. */
export const appendAgain = (lake: TestLake) =>
  commitTable({
    table: raw,
    actions: () => Effect.succeed([append([dataFile(lake.snapshots.at(-1)!.files.at(-1)!, rowsPerSnapshot)])])
  }).pipe(Effect.provide(lake.layer))

/** The query service over the lake. */
export const analyticsOver = (lake: Pick<TestLake, "folder" | "layer">, options: Partial<AnalyticsOptions> = {}) =>
  Analytics.layer({ temporaryFolder: join(lake.folder, "tmp"), personal: [], ...options }).pipe(
    Layer.provide(lake.layer)
  )
