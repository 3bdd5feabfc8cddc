/**
 * The metadata files in a table's folder: which version each has, whose it is, and which were superseded long ago.
 *
 * Expiry removes superseded ones; orphan removal asks whether the folder is the table's at all (protocol, rule 12).
 */
import { gunzipSync } from "node:zlib"
import { Storage, type StorageShape, type StoredObject } from "@frazil/core"
import { Effect, Stream } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { fromStorage, LakeError } from "../LakeError.ts"
import { metadataFolder } from "../spec/Locations.ts"
import { fileKey } from "./FileKey.ts"

/** `00012-<uuid>.metadata.json`, `v12.metadata.json`, gzipped or not. */
const namePattern = /\/v?(\d+)(?:-[^/]*)?(?:\.gz)?\.metadata\.json(?:\.gz)?$/

/** Writers put uuid and time before anything that grows; a table without snapshots is no longer than this. */
const headBytes = 32_768
const readsMax = 8

export const metadataVersion = (uri: string): number => {
  const [, version] = namePattern.exec(uri) ?? []
  return version === undefined ? -1 : Number(version)
}

/** Who wrote a metadata file: the beginning of it says so. */
export interface MetadataHead {
  readonly file: StoredObject
  readonly tableUuid: string
  readonly lastUpdatedMs: number
  /** Names no snapshot, hence no data: as a table is made. */
  readonly empty: boolean
}

/** Every metadata file in the table's metadata folder. */
export const listMetadataFiles = Effect.fnUntraced(function* ({ metadata }: Table) {
  const storage = yield* Storage
  const files = yield* Stream.runCollect(storage.list(`${metadataFolder(metadata)}/`)).pipe(
    Effect.mapError(fromStorage("listing the table's metadata"))
  )
  return files.filter(({ uri }) => namePattern.test(uri))
})

const readHead = (storage: StorageShape, file: StoredObject) =>
  Effect.gen(function* () {
    const head = yield* storage.readRange(file.uri, 0, Math.min(file.sizeBytes, headBytes))
    const zipped = head[0] === 0x1f && head[1] === 0x8b
    const bytes = zipped ? gunzipSync(yield* storage.read(file.uri)) : head
    const text = new TextDecoder().decode(bytes)
    const [, tableUuid] = /"table-uuid"\s*:\s*"([^"]+)"/.exec(text) ?? []
    const [, updated] = /"last-updated-ms"\s*:\s*(\d+)/.exec(text) ?? []
    return tableUuid === undefined || updated === undefined
      ? undefined
      : {
          file,
          tableUuid,
          lastUpdatedMs: Number(updated),
          empty: file.sizeBytes <= headBytes && !text.includes('"manifest-list"')
        }
  }).pipe(
    // removed meanwhile, by another expiry
    Effect.catchIf(
      (error) => error.reason === "NotFound",
      () => Effect.succeed("gone" as const)
    ),
    Effect.mapError(fromStorage("table metadata")),
    Effect.flatMap((head) =>
      head !== undefined
        ? Effect.succeed(head === "gone" ? undefined : head)
        : Effect.fail(
            new LakeError({
              reason: "LocationInDoubt",
              message: `${file.uri}: is no table metadata that can be read, so nobody can say whose folder this is; move it away`
            })
          )
    )
  )

/** Heads of metadata files that the table does not name: those that it names are its own. */
export const unnamedMetadata = Effect.fnUntraced(function* (
  table: Table,
  files: ReadonlyArray<StoredObject>
): Effect.fn.Return<ReadonlyArray<MetadataHead>, LakeError, Storage> {
  const storage = yield* Storage
  const named = new Set(table.metadata.metadataLog.map(({ metadataFile }) => fileKey(metadataFile)))
  named.add(fileKey(table.metadataLocation))
  const heads = yield* Effect.forEach(
    files.filter(({ uri }) => !named.has(fileKey(uri))),
    (file) => readHead(storage, file),
    { concurrency: readsMax }
  )
  return heads.filter((head) => head !== undefined)
})

/**
 * The table's own metadata files that its log no longer names and that are older than `ageMsMax`: beyond
 * `write.metadata.previous-versions-max`, or of attempts that lost.
 */
export const supersededMetadata = Effect.fnUntraced(function* (table: Table, ageMsMax: number, nowMs: number) {
  const { metadata, metadataLocation } = table
  const heads = yield* unnamedMetadata(table, yield* listMetadataFiles(table))
  const logged = metadata.metadataLog.map(({ metadataFile }) => metadataVersion(metadataFile))
  const oldest = Math.min(metadataVersion(metadataLocation), ...logged)
  return heads
    .filter(
      ({ file, tableUuid }) =>
        tableUuid === metadata.tableUuid && metadataVersion(file.uri) < oldest && nowMs - file.modifiedMs > ageMsMax
    )
    .map(({ file }) => file)
})
