/**
 * Deletes files that nothing names any more. Expiry and orphan removal end with it.
 *
 * A crash between two deletes leaves the rest for the next orphan removal; deleting what is gone is fine. A file that cannot
 * be deleted is counted, and the others are still tried.
 */
import { faultPoint, Storage, type StorageError } from "@frazil/core"
import { Effect } from "effect"
import type { NamedFile } from "../io/ManifestCodec.ts"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { LakeError } from "../LakeError.ts"
import { namedFilesMax } from "./MaintenanceReport.ts"

export interface Removal {
  readonly filesLeft: number
  readonly bytesLeft: number
  /** Of the first file that could not be deleted. */
  readonly error: string | undefined
}

export const removeFiles = Effect.fnUntraced(function* (
  files: ReadonlyArray<NamedFile>
): Effect.fn.Return<Removal, never, Storage> {
  const storage = yield* Storage
  const left: Array<NamedFile> = []
  let first: StorageError | undefined
  for (const file of files) {
    yield* faultPoint("mid-orphan-removal")
    yield* storage.delete(file.uri).pipe(
      Effect.catch((error) =>
        Effect.sync(() => {
          first ??= error
          left.push(file)
        })
      )
    )
  }
  yield* faultPoint("mid-orphan-removal")
  const more = left.length > 1 ? `, and ${left.length - 1} more` : ""
  return {
    filesLeft: left.length,
    bytesLeft: bytesOf(left),
    error: first === undefined ? undefined : `${first.message}${more}`
  }
})

export const bytesOf = (files: ReadonlyArray<NamedFile>): number => files.reduce((sum, file) => sum + file.sizeBytes, 0)

/** In order of their URIs. */
export const sortedFiles = (files: Iterable<NamedFile>): ReadonlyArray<NamedFile> =>
  Array.from(files).sort((a, b) => (a.uri < b.uri ? -1 : a.uri > b.uri ? 1 : 0))

export const namesOf = (files: ReadonlyArray<NamedFile>): ReadonlyArray<string> =>
  files.slice(0, namedFilesMax).map(({ uri }) => uri)

/** A table whose files belong to others says `gc.enabled = false` (Spark's `snapshot` procedure does). */
export const refuseWithoutCollection = ({ identifier, metadata }: Table): Effect.Effect<void, LakeError> =>
  metadata.properties.get("gc.enabled") === "false"
    ? Effect.fail(
        new LakeError({
          reason: "Invalid",
          message: `table ${identifierText(identifier)} says gc.enabled = false: its files may be another table's, so none is deleted`
        })
      )
    : Effect.void
