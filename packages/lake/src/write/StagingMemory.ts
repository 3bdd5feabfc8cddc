/**
 * What stays the same over the attempts of one commit, so that a conflict costs no file twice.
 */
import type { FileIOShape } from "../io/FileIO.ts"
import type { StagedFiles } from "../io/StagedFile.ts"
import type { ContentFile, DataFile } from "../spec/DataFile.ts"
import type { ManifestEntry, ManifestFile } from "../spec/Manifest.ts"

export interface StagingMemory {
  readonly fileIO: FileIOShape
  /** Where files that are made go: they are written before the swap. */
  readonly staged: Pick<StagedFiles, "add">
  readonly snapshotId: bigint
  /** What is committed to. */
  readonly branch: string
  /** Manifests written for these very files, sequence numbers still open. */
  readonly manifests: Map<ReadonlyArray<ContentFile>, ReadonlyArray<ManifestFile>>
  /** Merged manifests by the paths that they were merged from. */
  readonly merged: Map<string, ManifestFile>
  /** For these very files to be replaced: by path, what stands in the place of a manifest that names some of them. */
  readonly rewritten: Map<ReadonlyArray<DataFile>, Map<string, RewrittenManifest | undefined>>
  /** What tells of all entries of manifests of which nothing is left, by their paths. */
  readonly emptied: Map<string, ReadonlyArray<ManifestFile>>
  /** Manifests that a rewrite of manifests wrote last, and what it made them of. */
  rewrittenList?: { readonly replaced: ReadonlyArray<ManifestFile>; readonly written: ReadonlyArray<ManifestFile> }
  /** Files of the snapshot that is being picked. */
  picked?: ReadonlyArray<DataFile>
}

export interface RewrittenManifest {
  /** Without live entries that were not replaced, none is written: their entries go together. */
  readonly manifest: ManifestFile | undefined
  /** Live entries of it that were replaced, as the new snapshot deletes them. */
  readonly replaced: ReadonlyArray<ManifestEntry>
}
