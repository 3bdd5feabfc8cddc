/** A folder for files in the making, gone with its scope. */
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { DuckDbShape } from "./DuckDb.ts"
import { randomUuid } from "./RandomIds.ts"
import { fromFileError, type ParquetError } from "../write/parquet/ParquetError.ts"

/** Below DuckDB's own: on the file system of the data directory. `what` begins its name. */
export const scratchFolder = (duckDb: DuckDbShape, what: string): Effect.Effect<string, ParquetError, Scope.Scope> =>
  Effect.flatMap(randomUuid, (name) => {
    const path = join(duckDb.scratchDirectory, `${what}-${name}`)
    return Effect.acquireRelease(
      Effect.tryPromise({ try: () => mkdir(path, { recursive: true }), catch: fromFileError }).pipe(Effect.as(path)),
      () => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
  })
