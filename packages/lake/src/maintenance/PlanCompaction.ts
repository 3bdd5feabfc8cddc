/**
 * Which data files to rewrite together: bin-packing with Java's thresholds. Pure.
 *
 * Small files of a partition are put together in the order in which they came, up to the target size; too large ones are
 * split. **Guarantee**: each group of more than one file becomes exactly one, so that repeated runs come to an end.
 */
import type { DataFile } from "../spec/DataFile.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { partitionPath, type PartitionSpec } from "../spec/PartitionSpec.ts"

export interface CompactionSizes {
  readonly fileBytesTarget: number
  /** So many small files of a partition are worth a rewrite; fewer only when they fill a file. */
  readonly inputFilesMin: number
}

export const compactionDefaults: CompactionSizes = { fileBytesTarget: 128 * 1024 * 1024, inputFilesMin: 5 }

/** Files of one partition to be rewritten together. */
export interface FileGroup {
  readonly files: ReadonlyArray<DataFile>
  /** Files to be made of them. */
  readonly pieces: number
}

/** Java's: smaller than this share of the target is small, larger than that is large. */
const smallShare = 0.75
const largeShare = 1.8

/** Files of a group: what a reader opens at once. */
const groupFilesMax = 1000

const sizeOf = (file: DataFile): number => Number(file.fileSizeInBytes)

const totalSize = (files: ReadonlyArray<DataFile>): number => files.reduce((sum, file) => sum + sizeOf(file), 0)

/** As they were added; files of one commit by name, which ends in their number. */
const inOrder = (a: ManifestEntry, b: ManifestEntry): number => {
  const [x, y] = [a.sequenceNumber ?? 0n, b.sequenceNumber ?? 0n]
  if (x !== y) return x < y ? -1 : 1
  return a.dataFile.filePath < b.dataFile.filePath ? -1 : 1
}

/** Neighbours together, up to the target. */
const pack = (files: ReadonlyArray<DataFile>, target: number): ReadonlyArray<ReadonlyArray<DataFile>> => {
  const bins: Array<Array<DataFile>> = []
  let bytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    const bin = bins.at(-1)
    if (bin === undefined || bytes + sizeOf(file) > target || bin.length === groupFilesMax) {
      bins.push([file])
      bytes = sizeOf(file)
    } else {
      bin.push(file)
      bytes += sizeOf(file)
    }
  }
  return bins.filter((bin) => bin.length > 1)
}

const groupsOfPartition = (
  entries: ReadonlyArray<ManifestEntry>,
  { fileBytesTarget, inputFilesMin }: CompactionSizes
): ReadonlyArray<FileGroup> => {
  const files = entries.toSorted(inOrder).map(({ dataFile }) => dataFile)
  const small = files.filter((file) => sizeOf(file) < smallShare * fileBytesTarget)
  const worth = small.length >= inputFilesMin || (small.length > 1 && totalSize(small) > fileBytesTarget)
  const large = files.filter((file) => sizeOf(file) > largeShare * fileBytesTarget && file.recordCount > 1n)
  return [
    ...(worth ? pack(small, fileBytesTarget) : []).map((group) => ({ files: group, pieces: 1 })),
    ...large.map((file) => ({
      files: [file],
      pieces: Math.min(Number(file.recordCount), Math.round(sizeOf(file) / fileBytesTarget))
    }))
  ]
}

/** The groups, partition by partition. A file that is in the table twice is left alone. */
export const planCompaction = (
  entries: ReadonlyArray<ManifestEntry>,
  specOf: (specId: number) => PartitionSpec,
  sizes: CompactionSizes
): ReadonlyArray<FileGroup> => {
  const times = new Map<string, number>()
  for (const { dataFile } of entries) times.set(dataFile.filePath, (times.get(dataFile.filePath) ?? 0) + 1)
  const partitions = Map.groupBy(
    entries.filter(({ dataFile }) => times.get(dataFile.filePath) === 1),
    ({ dataFile }) => `${dataFile.specId}/${partitionPath(specOf(dataFile.specId), dataFile.partition)}`
  )
  return Array.from(partitions.keys())
    .sort()
    .flatMap((key) => groupsOfPartition(partitions.get(key) ?? [], sizes))
}
