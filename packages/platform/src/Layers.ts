/**
 * The services over a data directory: what every app opens, opened one way.
 *
 * Nothing is read or made until a layer is built. An app builds what it needs: commands that only look leave DuckDB out.
 */
import { EmbeddedLog } from "@frazil/connect"
import { layerLocal } from "@frazil/core"
import { CheckpointStore } from "@frazil/engine"
import { DuckDb, FileIO, layerSqliteCatalog } from "@frazil/lake"
import { Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"

/** Files of tables. */
export const storageLayer = (directory: DataDirectory) => layerLocal(directory.warehouseUri)

export const logLayer = (directory: DataDirectory) => EmbeddedLog.layer({ file: directory.logFile })

const checkpointLayer = (directory: DataDirectory) =>
  CheckpointStore.layer(directory.checkpointsUri).pipe(Layer.provide(layerLocal(directory.checkpointsUri)))

/** The catalog and the lake's metadata files. */
export const catalogLayer = (directory: DataDirectory) =>
  layerSqliteCatalog({ file: directory.catalogFile, warehouse: directory.warehouseUri }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(storageLayer(directory))
  )

export const duckDbLayer = (directory: DataDirectory) => DuckDb.layer({ dataDirectory: directory.root })

/** Everything that the pipeline needs of a data directory. */
export const systemLayer = (directory: DataDirectory) =>
  Layer.mergeAll(
    logLayer(directory),
    checkpointLayer(directory),
    catalogLayer(directory),
    duckDbLayer(directory),
    storageLayer(directory)
  )
