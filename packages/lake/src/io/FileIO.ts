/**
 * The lake's metadata files over storage: table metadata, manifest lists, manifests. The only place that reads or writes them.
 *
 * Files are immutable, so what was read or written lately is remembered. Damage and absence come as one LakeError that
 * names the file.
 */
import { Storage, type StorageShape } from "@frazil/core"
import { Context, Effect, Layer } from "effect"
import { fromFormat, fromStorage, LakeError } from "../LakeError.ts"
import type { ManifestEntry, ManifestFile } from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import { tableMetadataFromBytes, tableMetadataToBytes } from "../spec/TableMetadataJson.ts"
import {
  decodeManifest,
  decodeManifestFiles,
  encodeManifest,
  type ManifestLayout,
  type NamedFile
} from "./ManifestCodec.ts"
import { decodeManifestList, encodeManifestList, type ManifestListOwner } from "./ManifestListCodec.ts"
import { Recent } from "./Recent.ts"

export interface FileIOShape {
  readonly readTableMetadata: (uri: string) => Effect.Effect<TableMetadata, LakeError>
  readonly writeTableMetadata: (uri: string, metadata: TableMetadata) => Effect.Effect<void, LakeError>
  readonly readManifestList: (uri: string) => Effect.Effect<ReadonlyArray<ManifestFile>, LakeError>
  readonly writeManifestList: (
    uri: string,
    owner: ManifestListOwner,
    manifests: ReadonlyArray<ManifestFile>
  ) => Effect.Effect<void, LakeError>
  /** Entries of a manifest of data files; a manifest of deletes is Unsupported. */
  readonly readManifest: (
    manifest: ManifestFile,
    partition: ReadonlyArray<BoundPartitionField>
  ) => Effect.Effect<ReadonlyArray<ManifestEntry>, LakeError>
  /** Live files of a manifest of data files or of deletes: only their names and sizes. */
  readonly readManifestFiles: (manifest: ManifestFile) => Effect.Effect<ReadonlyArray<NamedFile>, LakeError>
  /** Gives the file's size. */
  readonly writeManifest: (
    uri: string,
    layout: ManifestLayout,
    entries: ReadonlyArray<ManifestEntry>
  ) => Effect.Effect<bigint, LakeError>
}

/** Metadata of this many tables and lists of this many snapshots are remembered. */
const metadataRememberedMax = 8
const listsRememberedMax = 16

const make = (storage: StorageShape): FileIOShape => {
  const metadataRead = new Recent<TableMetadata>(metadataRememberedMax)
  const listsRead = new Recent<ReadonlyArray<ManifestFile>>(listsRememberedMax)

  const read = <A>(what: string, uri: string, decode: (bytes: Uint8Array) => A): Effect.Effect<A, LakeError> =>
    storage.read(uri).pipe(
      Effect.mapError(fromStorage(what)),
      Effect.flatMap((bytes) => Effect.try({ try: () => decode(bytes), catch: fromFormat(what, uri) }))
    )

  const write = (what: string, uri: string, bytes: Uint8Array): Effect.Effect<void, LakeError> =>
    Effect.mapError(storage.writeNew(uri, bytes), fromStorage(what))

  const remembered = <A>(
    recent: Recent<A>,
    uri: string,
    load: Effect.Effect<A, LakeError>
  ): Effect.Effect<A, LakeError> =>
    Effect.suspend(() => {
      const known = recent.get(uri)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.tap(load, (value) => Effect.sync(() => recent.set(uri, value)))
    })

  return {
    readTableMetadata: (uri) => remembered(metadataRead, uri, read("table metadata", uri, tableMetadataFromBytes)),
    writeTableMetadata: (uri, metadata) =>
      Effect.suspend(() => write("table metadata", uri, tableMetadataToBytes(metadata))).pipe(
        Effect.tap(() => Effect.sync(() => metadataRead.set(uri, metadata)))
      ),
    readManifestList: (uri) => remembered(listsRead, uri, read("manifest list", uri, decodeManifestList)),
    writeManifestList: (uri, owner, manifests) =>
      Effect.suspend(() => write("manifest list", uri, encodeManifestList(owner, manifests))).pipe(
        Effect.tap(() => Effect.sync(() => listsRead.set(uri, manifests)))
      ),
    readManifest: (manifest, partition) =>
      manifest.content === "data"
        ? read("manifest", manifest.manifestPath, (bytes) => decodeManifest(bytes, manifest, partition))
        : Effect.fail(
            new LakeError({
              reason: "Unsupported",
              message: `manifest ${manifest.manifestPath}: delete files are not applied here; read the table with another engine`
            })
          ),
    readManifestFiles: (manifest) =>
      read("manifest", manifest.manifestPath, (bytes) => decodeManifestFiles(bytes, manifest)),
    writeManifest: (uri, layout, entries) =>
      Effect.suspend(() => {
        const bytes = encodeManifest(layout, entries)
        return Effect.as(write("manifest", uri, bytes), BigInt(bytes.length))
      })
  }
}

/** The lake's metadata files. */
export class FileIO extends Context.Service<FileIO, FileIOShape>()("@frazil/lake/FileIO") {
  static readonly layer: Layer.Layer<FileIO, never, Storage> = Layer.effect(FileIO, Effect.map(Storage, make))
}
