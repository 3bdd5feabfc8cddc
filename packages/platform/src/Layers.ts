/**
 * The services over a data directory: what every app opens, opened one way.
 *
 * Nothing is read or made until a layer is built. An app builds what it needs: commands that only look leave DuckDB out.
 */
import { HttpCalls } from "@frazil/core"
import { type Catalog, DuckDb, FileIO, LakeError, layerRestCatalog, layerSqliteCatalog } from "@frazil/lake"
import { Effect, Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import { restOptions } from "./LakeAccess.ts"
import { checkpointLayer, logLayer, type LogOptions } from "./LogLayers.ts"
import { storageBelow } from "./StorageLayer.ts"

/** Files of tables. */
export const storageLayer = (directory: DataDirectory) => storageBelow(directory.warehouseUri, directory)

/** The catalog and the lake's metadata files. */
export const catalogLayer = (directory: DataDirectory): Layer.Layer<Catalog | FileIO, LakeError> =>
  catalogOf(directory).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(
      storageLayer(directory).pipe(
        Layer.catchTag("StorageError", ({ cause, message }) =>
          Layer.effectContext(Effect.fail(new LakeError({ reason: "Refused", message, cause })))
        )
      )
    )
  )

const catalogOf = ({ catalog, catalogFile, warehouseUri }: DataDirectory): Layer.Layer<Catalog, LakeError, FileIO> =>
  catalog._tag === "Sqlite"
    ? layerSqliteCatalog({ file: catalogFile, warehouse: warehouseUri })
    : Layer.unwrap(
        Effect.map(
          Effect.mapError(
            restOptions(catalog.url, warehouseUri),
            ({ message }) => new LakeError({ reason: "Refused", message })
          ),
          (options) => layerRestCatalog(options)
        )
      ).pipe(Layer.provide(HttpCalls.layer))

export const duckDbLayer = (directory: DataDirectory) => DuckDb.layer({ dataDirectory: directory.root })

/** Everything that the pipeline needs of a data directory. */
export const systemLayer = (directory: DataDirectory, log: LogOptions = {}) =>
  Layer.mergeAll(
    logLayer(directory, log),
    checkpointLayer(directory),
    catalogLayer(directory),
    duckDbLayer(directory),
    storageLayer(directory)
  )
