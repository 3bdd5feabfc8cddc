/** The storage of a root: on local disk, or on S3 with copies in the data directory. Files of tables and snapshots of state use it. */
import { FileCache, HttpCalls, layerLocal, layerS3, s3Place, type Storage, StorageError } from "@frazil/core"
import { Effect, Layer } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import { cacheBytesMax, s3Options } from "./LakeAccess.ts"

export const storageBelow = (
  uri: string,
  { cacheFolder }: Pick<DataDirectory, "cacheFolder">
): Layer.Layer<Storage, StorageError> =>
  s3Place(uri) === undefined
    ? layerLocal(uri)
    : Layer.unwrap(
        Effect.gen(function* () {
          const options = yield* s3Options(uri).pipe(
            Effect.mapError(({ message }) => new StorageError({ reason: "Refused", uri, message }))
          )
          const cache = FileCache.layer({ folder: cacheFolder, bytesMax: yield* cacheBytesMax })
          return layerS3(options).pipe(Layer.provide(cache), Layer.provide(HttpCalls.layer))
        })
      )
