/** Entries of a scan as compaction's plan is told of them, of files that are nowhere. */
import type { DeleteEntry } from "../../src/read/DeletesOf.ts"
import type { ManifestEntry } from "../../src/spec/Manifest.ts"
import { eventFile } from "../LakeFixtures.ts"

/** A data file of a day's partition. */
export const plannedFile = (name: string, day: number, bytes: number, rows = 100): ManifestEntry => ({
  status: "existing",
  snapshotId: 1n,
  sequenceNumber: 1n,
  fileSequenceNumber: 1n,
  dataFile: { ...eventFile(name, day, 0, rows), fileSizeInBytes: BigInt(bytes) }
})

/** Delete files of one data file, each of so many positions. */
export const plannedDeletes = (
  { dataFile }: ManifestEntry,
  ...positions: ReadonlyArray<number>
): ReadonlyArray<DeleteEntry> =>
  positions.map((count, i) => ({
    status: "existing",
    snapshotId: 1n,
    sequenceNumber: 2n,
    fileSequenceNumber: 2n,
    dataFile: {
      ...dataFile,
      filePath: `${dataFile.filePath}-${i}`,
      content: "position-deletes",
      recordCount: BigInt(count),
      equalityIds: [],
      referencedDataFile: dataFile.filePath,
      contentOffset: null,
      contentSizeInBytes: null
    }
  }))
