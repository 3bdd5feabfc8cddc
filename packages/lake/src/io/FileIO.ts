/**
 * The lake's metadata files over storage: table metadata, manifest lists, manifests. The only place that reads or writes them.
 *
 * Files are immutable, so what was read or written lately is remembered. Damage and absence come as one LakeError that
 * names the file.
 */
import { localPath, Storage, type StorageShape } from "@frazil/core"
import { Context, Effect, Layer } from "effect"
import { fromFormat, fromStorage, LakeError } from "../LakeError.ts"
import type { DataFile, DeleteFile } from "../spec/DataFile.ts"
import { corrupt, unsupported } from "../spec/FormatError.ts"
import {
  footerElements,
  footerFromBytes,
  footerLength,
  footerRowCount,
  trailerLength,
  type FooterElement,
  type ParquetFooter
} from "../write/parquet/ParquetFooter.ts"
import type { AnyEntry, ManifestEntry, ManifestFile } from "../spec/Manifest.ts"
import { manifestsInline } from "../spec/ManifestsInline.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import { tableMetadataToBytes } from "../spec/TableMetadataJson.ts"
import type { EntryPick } from "./EntryPick.ts"
import {
  decodeDeleteManifest,
  decodeManifest,
  decodeManifestFiles,
  encodeManifest,
  type ManifestLayout,
  type ManifestTrust,
  type NamedFile
} from "./ManifestCodec.ts"
import { countManifest } from "./CountManifest.ts"
import {
  decodeManifestList,
  encodeManifestList,
  isCounted,
  type ListedManifest,
  type ManifestListOwner
} from "./ManifestListCodec.ts"
import { tableMetadataFromFile, uriOver } from "./MetadataChecksum.ts"
import { decodeVector } from "./puffin/DeletionVector.ts"
import { decodePuffinFooter, puffinFooterBytes, puffinTailBytes, type ReadBlob } from "./puffin/PuffinFile.ts"
import type { RowPositions } from "./puffin/RowPositions.ts"
import { Recent } from "./Recent.ts"
import { RecentEntries } from "./RecentEntries.ts"
import type { StagedFile } from "./StagedFile.ts"
import { unzipMetadata } from "./UnzipMetadata.ts"

export interface FileIOShape {
  /** As the storage below it. */
  readonly localFile: StorageShape["localFile"]
  readonly readTableMetadata: (uri: string) => Effect.Effect<TableMetadata, LakeError>
  /** Writes files that were staged, all at once; any of them may be there when it fails. */
  readonly write: (files: ReadonlyArray<StagedFile>) => Effect.Effect<void, LakeError>
  /** Where `uri` ends as `metadataFileName` does, the file's own has a checksum in it. */
  readonly stageTableMetadata: (uri: string, metadata: TableMetadata) => Effect.Effect<StagedFile>
  readonly readManifestList: (uri: string) => Effect.Effect<ReadonlyArray<ManifestFile>, LakeError>
  readonly stageManifestList: (
    uri: string,
    owner: ManifestListOwner,
    manifests: ReadonlyArray<ManifestFile>
  ) => Effect.Effect<StagedFile>
  /** Entries of a manifest of data files; with `pick`, live ones that it wants. */
  readonly readManifest: (
    manifest: ManifestFile,
    partition: ReadonlyArray<BoundPartitionField>,
    pick?: EntryPick,
    trust?: ManifestTrust
  ) => Effect.Effect<ReadonlyArray<ManifestEntry>, LakeError>
  /** Entries of a manifest, whatever its content. */
  readonly readEntries: (
    manifest: ManifestFile,
    partition: ReadonlyArray<BoundPartitionField>,
    trust?: ManifestTrust
  ) => Effect.Effect<ReadonlyArray<AnyEntry>, LakeError>
  /** Entries of a manifest of delete files. */
  readonly readDeleteManifest: (
    manifest: ManifestFile,
    partition: ReadonlyArray<BoundPartitionField>,
    trust?: ManifestTrust
  ) => Effect.Effect<ReadonlyArray<ManifestEntry<DeleteFile>>, LakeError>
  /** The rows that a deletion vector means: as many as its manifest says, or however many it has. */
  readonly readDeletionVector: (
    file: DeleteFile,
    rows?: "promised" | "counted"
  ) => Effect.Effect<RowPositions, LakeError>
  /** What a Puffin file says of its blobs. */
  readonly readPuffinBlobs: (
    file: Pick<DeleteFile, "filePath" | "fileSizeInBytes">
  ) => Effect.Effect<ReadonlyArray<ReadBlob>, LakeError>
  /** Live files of a manifest of data files or of deletes: only their names and sizes. */
  readonly readManifestFiles: (manifest: ManifestFile) => Effect.Effect<ReadonlyArray<NamedFile>, LakeError>
  readonly readDataFileFooter: (
    file: Pick<DataFile, "filePath" | "fileSizeInBytes">
  ) => Effect.Effect<ParquetFooter, LakeError>
  /**
   * The columns of a Parquet file as its footer has them. Corrupt when it has other rows, or as a local file another size, than
   * its manifest promises. `present`: a local file that was put in the place of a known one is read anew.
   */
  readonly readDataFileSchema: (
    file: Pick<DataFile, "filePath" | "fileSizeInBytes" | "recordCount">,
    as?: "known" | "present"
  ) => Effect.Effect<ReadonlyArray<FooterElement>, LakeError>
  readonly stageManifest: (
    uri: string,
    layout: ManifestLayout,
    entries: ReadonlyArray<AnyEntry>,
    content?: ManifestFile["content"]
  ) => Effect.Effect<StagedFile>
}

/** Metadata of this many tables and lists of this many snapshots are remembered. */
const metadataRememberedMax = 8
const listsRememberedMax = 16
/** Manifests of format version 1 that are read at once to be counted. */
const countsAtOnce = 8
/** So are the bytes of this many small manifests, as commits of few files leave them: they are merged and planned by soon after. */
const manifestsRememberedMax = 256
const manifestBytesRememberedMax = 32 * 1024
/** So are the columns of this many data files. */
const schemasRememberedMax = 10_000

/** A deletion vector of ten million scattered rows is a fifth of this. */
const vectorBytesMax = 64 * 1024 * 1024

/** Where a vector lies in its file, as its manifest says. */
const vectorRange = ({ contentOffset, contentSizeInBytes, fileSizeInBytes }: DeleteFile) => {
  if (contentOffset === null || contentSizeInBytes === null)
    return corrupt("", "its manifest does not say where it lies")
  if (contentOffset < 0n || contentSizeInBytes < 0n || contentOffset + contentSizeInBytes > fileSizeInBytes) {
    return corrupt("", "it would lie beyond the end of its file")
  }
  if (contentSizeInBytes > vectorBytesMax)
    return unsupported(`it is ${contentSizeInBytes} bytes long: compact the table`)
  return { at: Number(contentOffset), size: Number(contentSizeInBytes) }
}

/** A file's columns, and when it was written that had them: 0 where objects cannot be written anew. */
interface SchemaRead {
  readonly version: number
  readonly elements: ReadonlyArray<FooterElement>
}

const make = (storage: StorageShape): FileIOShape => {
  const metadataRead = new Recent<TableMetadata>(metadataRememberedMax)
  const schemasRead = new Recent<SchemaRead>(schemasRememberedMax)
  const listsRead = new Recent<ReadonlyArray<ManifestFile>>(listsRememberedMax)
  const manifestsRead = new Recent<Uint8Array>(manifestsRememberedMax)
  const entriesRead = new RecentEntries()

  const decoded = <A>(what: string, uri: string, decode: () => A): Effect.Effect<A, LakeError> =>
    Effect.try({ try: decode, catch: fromFormat(what, uri) })

  const read = <A>(what: string, uri: string, decode: (bytes: Uint8Array) => A): Effect.Effect<A, LakeError> =>
    storage.read(uri).pipe(
      Effect.mapError(fromStorage(what)),
      Effect.flatMap((bytes) => decoded(what, uri, () => decode(bytes)))
    )

  const write = (files: ReadonlyArray<StagedFile>): Effect.Effect<void, LakeError> =>
    storage.writeNewAll(files).pipe(
      Effect.mapError((error) => fromStorage(files.find(({ uri }) => uri === error.uri)?.what ?? "metadata")(error)),
      Effect.tap(() => Effect.sync(() => files.forEach(({ written }) => written?.())))
    )

  const rememberManifest = (uri: string, bytes: Uint8Array): void => {
    if (bytes.length <= manifestBytesRememberedMax) manifestsRead.set(uri, bytes)
  }

  const manifestBytes = (uri: string, trust: ManifestTrust): Effect.Effect<Uint8Array, LakeError> =>
    Effect.suspend(() => {
      // an audit looks at what is there now
      const known = trust === "list" ? manifestsRead.get(uri) : undefined
      if (known !== undefined) return Effect.succeed(known)
      return storage.read(uri).pipe(
        Effect.mapError(fromStorage("manifest")),
        Effect.tap((bytes) => Effect.sync(() => rememberManifest(uri, bytes)))
      )
    })

  const readManifest: FileIOShape["readManifest"] = (manifest, partition, pick, trust = "list") => {
    const small = trust === "list" && entriesRead.takes(manifest)
    const known = small ? entriesRead.get(manifest, partition) : undefined
    // an effect that is done already: whoever reads many at once needs no fiber for it
    if (known !== undefined) return Effect.succeed(known)
    return Effect.flatMap(manifestBytes(manifest.manifestPath, trust), (bytes) =>
      decoded("manifest", manifest.manifestPath, () => {
        // of a small one all is decoded: it is soon asked for again, and passing over its entries gains little
        const entries = decodeManifest(bytes, manifest, partition, small ? undefined : pick, trust)
        if (small) entriesRead.set(manifest, partition, entries)
        return entries
      })
    )
  }
  const readDeleteManifest: FileIOShape["readDeleteManifest"] = (manifest, partition, trust = "list") =>
    Effect.flatMap(manifestBytes(manifest.manifestPath, trust), (bytes) =>
      decoded("manifest", manifest.manifestPath, () => decodeDeleteManifest(bytes, manifest, partition, trust))
    )

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

  const readFooter = Effect.fnUntraced(function* ({
    filePath,
    fileSizeInBytes
  }: Pick<DataFile, "filePath" | "fileSizeInBytes">) {
    const size = Number(fileSizeInBytes)
    const range = (from: number, length: number) =>
      Effect.mapError(storage.readRange(filePath, from, length), fromStorage("data file"))
    const trailer = yield* range(size - trailerLength, trailerLength)
    const length = yield* decoded("data file", filePath, () => {
      const found = footerLength(trailer)
      return found <= size - trailerLength ? found : corrupt("Parquet footer", "it is longer than the file")
    })
    const bytes = yield* range(size - trailerLength - length, length)
    return yield* decoded("data file", filePath, () => footerFromBytes(bytes))
  })

  const readElements = (file: Pick<DataFile, "filePath" | "fileSizeInBytes" | "recordCount">) => {
    const elements = (footer: ParquetFooter) => {
      const rows = footerRowCount(footer)
      if (BigInt(rows) !== file.recordCount)
        corrupt("Parquet footer", `has ${rows} rows, but the manifest says ${file.recordCount}`)
      return footerElements(footer)
    }
    return Effect.flatMap(readFooter(file), (footer) => decoded("data file", file.filePath, () => elements(footer)))
  }

  /** What is remembered of a local file holds as long as nobody wrote it anew: files are immutable, disks are not. */
  const versionOf = Effect.fnUntraced(function* ({
    filePath,
    fileSizeInBytes
  }: Pick<DataFile, "filePath" | "fileSizeInBytes">) {
    if (localPath(filePath) === undefined) return 0
    const { modifiedMs, sizeBytes } = yield* Effect.mapError(storage.stat(filePath), fromStorage("data file"))
    if (BigInt(sizeBytes) === fileSizeInBytes) return modifiedMs
    const message = `data file ${filePath}: has ${sizeBytes} bytes, but the manifest says ${fileSizeInBytes}; restore it from a copy`
    return yield* new LakeError({ reason: "Corrupt", message })
  })

  const readSchema = Effect.fnUntraced(function* (
    file: Pick<DataFile, "filePath" | "fileSizeInBytes" | "recordCount">,
    as: "known" | "present" = "known"
  ) {
    const known = schemasRead.get(file.filePath)
    if (known !== undefined && as === "known") return known.elements
    const version = yield* versionOf(file)
    if (known?.version === version) return known.elements
    const elements = yield* readElements(file)
    schemasRead.set(file.filePath, { version, elements })
    return elements
  })

  const readList = (uri: string): Effect.Effect<ReadonlyArray<ListedManifest>, LakeError> => {
    const inline = manifestsInline(uri)
    return inline === undefined
      ? read("manifest list", uri, decodeManifestList)
      : Effect.succeed(
          inline.map((manifestPath) => ({
            manifestPath,
            partitions: null,
            partitionSpecId: null,
            addedSnapshotId: null
          }))
        )
  }

  const countAll = (listed: ReadonlyArray<ListedManifest>) =>
    Effect.forEach(
      listed,
      (each) =>
        isCounted(each)
          ? Effect.succeed(each)
          : read("manifest", each.manifestPath, (bytes) => countManifest(bytes, each)),
      { concurrency: countsAtOnce }
    )

  const readBlobs = Effect.fnUntraced(function* ({
    filePath,
    fileSizeInBytes
  }: Pick<DeleteFile, "filePath" | "fileSizeInBytes">) {
    const size = Number(fileSizeInBytes)
    const decoded = <A>(decode: () => A) => Effect.try({ try: decode, catch: fromFormat("Puffin file", filePath) })
    const last = (length: number) =>
      length > size
        ? decoded(() => corrupt("Puffin file", "its footer is longer than the file"))
        : Effect.mapError(storage.readRange(filePath, size - length, length), fromStorage("Puffin file"))
    const tail = yield* last(puffinTailBytes)
    const footer = yield* last(yield* decoded(() => puffinFooterBytes(tail)))
    return yield* decoded(() => decodePuffinFooter(footer))
  })

  const readVector = Effect.fnUntraced(function* (file: DeleteFile, rows: "promised" | "counted" = "promised") {
    const wrong = fromFormat("deletion vector in", file.filePath)
    const { at, size } = yield* Effect.try({ try: () => vectorRange(file), catch: wrong })
    const bytes = yield* Effect.mapError(storage.readRange(file.filePath, at, size), fromStorage("deletion vector"))
    return yield* Effect.try({
      try: () => decodeVector(bytes, rows === "promised" ? file.recordCount : undefined),
      catch: wrong
    })
  })

  return {
    localFile: (uri, sizeBytes) => storage.localFile(uri, sizeBytes),
    readTableMetadata: (uri) =>
      remembered(
        metadataRead,
        uri,
        read("table metadata", uri, (bytes) => tableMetadataFromFile(uri, unzipMetadata(bytes)))
      ),
    write,
    stageTableMetadata: (uri, metadata) =>
      Effect.sync(() => {
        const bytes = tableMetadataToBytes(metadata)
        const name = uriOver(uri, bytes)
        return { what: "table metadata", uri: name, bytes, written: () => metadataRead.set(name, metadata) }
      }),
    readManifestList: (uri) => remembered(listsRead, uri, Effect.flatMap(readList(uri), countAll)),
    stageManifestList: (uri, owner, manifests) =>
      Effect.sync(() => {
        const written = () => listsRead.set(uri, manifests)
        return { what: "manifest list", uri, bytes: encodeManifestList(owner, manifests), written }
      }),
    readManifest,
    readDeleteManifest,
    readEntries: (manifest, partition, trust) =>
      manifest.content === "data"
        ? readManifest(manifest, partition, undefined, trust)
        : readDeleteManifest(manifest, partition, trust),
    readDeletionVector: readVector,
    readPuffinBlobs: readBlobs,
    readManifestFiles: (manifest) =>
      read("manifest", manifest.manifestPath, (bytes) => decodeManifestFiles(bytes, manifest)),
    readDataFileFooter: readFooter,
    readDataFileSchema: readSchema,
    stageManifest: (uri, layout, entries, content) =>
      Effect.sync(() => {
        const bytes = encodeManifest(layout, entries, content)
        return { what: "manifest", uri, bytes, written: () => rememberManifest(uri, bytes) }
      })
  }
}

/** The lake's metadata files. */
export class FileIO extends Context.Service<FileIO, FileIOShape>()("@frazil/lake/FileIO") {
  static readonly layer: Layer.Layer<FileIO, never, Storage> = Layer.effect(FileIO, Effect.map(Storage, make))
}
