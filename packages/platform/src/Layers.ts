/**
 * The services over a data directory: what every app opens, opened one way.
 *
 * Nothing is read or made until a layer is built. An app builds what it needs: commands that only look leave DuckDB out.
 */
import { FileCache, HttpCalls, layerLocal, layerS3, s3Place, type Storage, StorageError } from "@frazil/core"
import { type Catalog, DuckDb, FileIO, LakeError, layerRestCatalog, layerSqliteCatalog } from "@frazil/lake"
import { Effect, Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import { cacheBytesMax, restOptions, s3Options } from "./LakeAccess.ts"
import { checkpointLayer, logLayer, type LogOptions } from "./LogLayers.ts"

/** Files of tables: on local disk, or on S3 with copies in the data directory. */
export const storageLayer = ({ cacheFolder, warehouseUri }: DataDirectory): Layer.Layer<Storage, StorageError> =>
  s3Place(warehouseUri) === undefined
    ? layerLocal(warehouseUri)
    : Layer.unwrap(
        Effect.gen(function* () {
          const options = yield* s3Options(warehouseUri).pipe(
            Effect.mapError(({ message }) => new StorageError({ reason: "Refused", uri: warehouseUri, message }))
          )
          const cache = FileCache.layer({ folder: cacheFolder, bytesMax: yield* cacheBytesMax })
          return layerS3(options).pipe(Layer.provide(cache), Layer.provide(HttpCalls.layer))
        })
      )

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
