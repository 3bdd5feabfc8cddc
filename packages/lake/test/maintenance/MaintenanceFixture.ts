/**
 * A table of real Parquet files in a folder, written in small commits: for tests of maintenance.
 *
 * Rows are numbers with a day; what a snapshot must hold is remembered when it is made, by none of the readers.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FaultPoint, type FaultPointName, layerLocal, localPath, Storage } from "@frazil/core"
import { Effect, Layer, Stream } from "effect"
import { Catalog, type Table } from "../../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import type { MaintenanceReport } from "../../src/maintenance/MaintenanceReport.ts"
import type { AsOf } from "../../src/read/AsOf.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { type Encoding, ParquetWriter } from "../../src/write/parquet/ParquetWriter.ts"
import { append } from "../../src/write/TableAction.ts"
import { byDay, Everythings, everythingSchema, makeBatches, randomInput, seeded } from "../write/parquet/WriterCases.ts"

export const table = { namespace: "test", name: "everything" }

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-maintenance-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The lake in a folder that goes with the test. */
export const layerLake = Layer.unwrap(
  Effect.map(folder, (path) =>
    Layer.merge(
      layerSqliteCatalog({ file: join(path, "catalog.db"), warehouse: join(path, "warehouse") }).pipe(
        Layer.provideMerge(FileIO.layer)
      ),
      DuckDb.layer({ dataDirectory: path })
    ).pipe(Layer.provideMerge(layerLocal(path)))
  )
)

export const createTable = (properties: ReadonlyMap<string, string> = new Map()) =>
  Catalog.use((catalog) =>
    catalog.createTable({ identifier: table, schema: everythingSchema, partitionSpec: byDay, properties })
  )

export const load = Catalog.use((catalog) => catalog.loadTable(table))

/** Writes rows `from` to `from + rows`, spread over `days` days, and appends them. */
export const appendRows = Effect.fnUntraced(function* (from: number, rows: number, days = 2, encoding?: Encoding) {
  const { metadata } = yield* load
  const writer = yield* ParquetWriter.make({
    schema: everythingSchema,
    spec: byDay,
    shape: Everythings.shape,
    sourceTopic: "everything",
    targetDirectory: dataFolder(metadata),
    filePrefix: `rows-${from}-${rows}`,
    ...(encoding === undefined ? {} : { encoding })
  })
  const below = seeded(from + 1)
  const inputs = Array.from({ length: rows }, () => randomInput(below, days))
  yield* writer.write(makeBatches()(inputs, from), 0)
  const files = yield* writer.finish
  return yield* commitTable({ table, retriesMax: 30, actions: () => Effect.succeed([append(files)]) })
}, Effect.scoped)

/** The table's rows as text, every column, in order of their offsets. */
export const rowsAt = Effect.fnUntraced(function* (asOf: AsOf = { _tag: "Current" }) {
  const query = "SELECT * FROM t ORDER BY source_partition, source_offset"
  const { rows } = yield* readTable(yield* load, { asOf, query })
  return JSON.stringify(rows)
})

export const rowsOf = (snapshotId: bigint) => rowsAt({ _tag: "SnapshotId", snapshotId })

/** Everything below the table's folder. */
export const filesBelow = Effect.fnUntraced(function* ({ metadata }: Table) {
  const storage = yield* Storage
  const objects = yield* Stream.runCollect(storage.list(`${metadata.location}/`))
  return objects.map(({ uri }) => uri).sort()
})

/** Makes a file as old as `ageMs` before the present of the machine. */
export const aged = (uri: string, ageMs: number) =>
  Effect.clockWith((clock) => {
    const at = new Date(clock.currentTimeMillisUnsafe() - ageMs)
    return Effect.promise(() => utimes(localPath(uri) ?? uri, at, at))
  })

/** What a dry run and the real one must agree on. */
export const figures = ({
  dryRun: _,
  finishedAtMs: _f,
  snapshotId: _i,
  startedAtMs: _s,
  ...report
}: MaintenanceReport) => report

/** A file that nobody knows. */
export const stray = Effect.fnUntraced(function* (uri: string, ageMs: number) {
  yield* Effect.promise(() => writeFile(localPath(uri) ?? uri, "stray"))
  yield* aged(uri, ageMs)
  return uri
})

export class Crash extends Error {}

/** Ends `effect` with a defect the n-th time that it crosses a fault point; tells whether it came to that. */
export const crashAt = <A, E, R>(effect: Effect.Effect<A, E, R>, n: number, only?: FaultPointName) => {
  let crossed = 0
  return effect.pipe(
    Effect.provideService(FaultPoint, {
      hit: (name) =>
        (only === undefined || name === only) && ++crossed === n ? Effect.die(new Crash(name)) : Effect.void
    }),
    Effect.exit,
    Effect.map((exit) => ({ exit, crashed: crossed >= n }))
  )
}
