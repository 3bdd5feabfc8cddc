/** A folder of its own for a benchmark's tables, and the services over it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal, type Storage } from "@frazil/core"
import { type Catalog, DuckDb, FileIO, layerSqliteCatalog } from "@frazil/lake"
import { type DataDirectory, dataDirectory } from "@frazil/platform"
import { Effect, Layer } from "effect"

export type LakeServices = Catalog | FileIO | Storage | DuckDb

/** Tables without their rows: what planning needs. */
export const tablesLayer = (directory: DataDirectory) =>
  layerSqliteCatalog({ file: directory.catalogFile, warehouse: directory.warehouseUri }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provideMerge(layerLocal(directory.warehouseUri))
  )

/** `threads`: of DuckDB. */
export const lakeLayer = (directory: DataDirectory, threads = 1) =>
  Layer.merge(tablesLayer(directory), DuckDb.layer({ dataDirectory: directory.root, threadsMax: threads })).pipe(
    Layer.provideMerge(layerLocal(directory.warehouseUri))
  )

/** Runs in a new folder, which is removed afterwards. */
export const inNewFolder = async (run: (directory: DataDirectory) => Promise<void>): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), "frazil-lake-"))
  try {
    await run(dataDirectory(join(root, "data")))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

export const withLake = <A, E>(
  directory: DataDirectory,
  program: Effect.Effect<A, E, LakeServices>,
  threads = 1
): Promise<A> => Effect.runPromise(program.pipe(Effect.provide(lakeLayer(directory, threads))))
