/**
 * Which data files to rewrite together, and in which order: bin-packing with Java's thresholds, by value. Pure.
 *
 * Small files of a partition are put together in the order in which they came, up to the target size; too large ones are
 * split; a file of which many rows were deleted is rewritten by itself. Groups that free readers of the most files for the bytes
 * they take come first, and a budget ends the list. **Guarantee**: a group becomes fewer files, or files that are not chosen
 * again, so that repeated runs come to an end.
 */
import type { DeleteEntry } from "../read/DeletesOf.ts"
import type { ScanPlan } from "../read/PlanScan.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { fileBytesDefault } from "../spec/FileBytesTarget.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { partitionKey, type PartitionSpec } from "../spec/PartitionSpec.ts"

export interface CompactionSizes {
  readonly fileBytesTarget: number
  /** So many small files of a partition are worth a rewrite; fewer only when they fill a file. */
  readonly inputFilesMin: number
  /** Every file of a partition, whatever its size. */
  readonly all?: boolean
  /** Rows are sorted: more files go together, and become several that divide the order among them. */
  readonly sorted?: boolean
}

/** What one run may take in; the rest is left to the next. */
export interface CompactionBudget {
  readonly bytesMax?: number
  readonly filesMax?: number
}

export const compactionDefaults: CompactionSizes = { fileBytesTarget: fileBytesDefault, inputFilesMin: 5 }

/** Files of one partition to be rewritten together. */
export interface FileGroup {
  readonly files: ReadonlyArray<DataFile>
  /** Files to be made of them. */
  readonly pieces: number
}

/** Java's: smaller than this share of the target is small, larger than that is large. */
const smallShare = 0.75
const largeShare = 1.8

/** So many delete files mean a data file, or such a share of its rows, and it is rewritten whatever its size. */
const deleteFilesMin = 5
const deletedShareMin = 0.3

/** Files of a group: what a reader opens at once. */
const groupFilesMax = 1000

/** Rows that are sorted together: DuckDB spills them. */
const sortedBytesMax = 4 * 1024 ** 3

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

/** Deletes that readers would otherwise apply again and again: many files of them, or many rows. */
const deleteHeavy = ({ dataFile }: ManifestEntry, deletes: ReadonlyArray<DeleteEntry>): boolean => {
  const positions = deletes.filter((each) => each.dataFile.content === "position-deletes")
  const rows = positions.reduce((sum, each) => sum + Number(each.dataFile.recordCount), 0)
  // of no rows none is deleted
  return deletes.length >= deleteFilesMin || (rows > 0 && rows >= deletedShareMin * Number(dataFile.recordCount))
}

const groupsOfPartition = (
  entries: ReadonlyArray<ManifestEntry>,
  deletes: ScanPlan["deletes"],
  { all = false, fileBytesTarget, inputFilesMin, sorted: together = false }: CompactionSizes
): ReadonlyArray<FileGroup> => {
  const sorted = entries.toSorted(inOrder)
  const heavy = new Set(
    sorted.filter((entry) => deleteHeavy(entry, deletes.get(entry) ?? [])).map(({ dataFile }) => dataFile)
  )
  const files = sorted.map(({ dataFile }) => dataFile)
  const small = files.filter((file) => all || sizeOf(file) < smallShare * fileBytesTarget)
  const worth = all || small.length >= inputFilesMin || (small.length > 1 && totalSize(small) > fileBytesTarget)
  const packed = worth ? pack(small, together ? Math.max(fileBytesTarget, sortedBytesMax) : fileBytesTarget) : []
  const piecesOf = (group: ReadonlyArray<DataFile>) => Math.max(1, Math.round(totalSize(group) / fileBytesTarget))
  const large = files.filter((file) => sizeOf(file) > largeShare * fileBytesTarget && file.recordCount > 1n)
  const taken = new Set([...packed.flat(), ...large])
  return [
    ...packed.map((group) => ({ files: group, pieces: together ? piecesOf(group) : 1 })),
    ...large.map((file) => ({
      files: [file],
      pieces: Math.min(Number(file.recordCount), piecesOf([file]))
    })),
    ...Array.from(heavy)
      .filter((file) => !taken.has(file))
      .map((file) => ({ files: [file], pieces: 1 }))
  ]
}

/** Files and delete files that readers open less, for each byte that is rewritten. */
const valueOf = ({ files, pieces }: FileGroup, deletesOf: ReadonlyMap<DataFile, number>): number =>
  (files.length - pieces + files.reduce((sum, file) => sum + (deletesOf.get(file) ?? 0), 0)) /
  Math.max(1, totalSize(files))

/** The groups that a budget allows, and how many it leaves. One that does not fit makes room for a later, smaller one. */
export const withinBudget = (
  groups: ReadonlyArray<FileGroup>,
  { bytesMax = Number.POSITIVE_INFINITY, filesMax = Number.POSITIVE_INFINITY }: CompactionBudget
): { readonly groups: ReadonlyArray<FileGroup>; readonly left: number } => {
  let bytes = 0
  let files = 0
  const allowed = groups.filter((group) => {
    const size = totalSize(group.files)
    if (bytes + size > bytesMax || files + group.files.length > filesMax) return false
    bytes += size
    files += group.files.length
    return true
  })
  return { groups: allowed, left: groups.length - allowed.length }
}

/** The groups, those of the most value first. A file that is in the table twice is left alone. */
export const planCompaction = (
  { deletes, entries }: Pick<ScanPlan, "deletes" | "entries">,
  specOf: (specId: number) => PartitionSpec,
  sizes: CompactionSizes
): ReadonlyArray<FileGroup> => {
  const times = new Map<string, number>()
  for (const { dataFile } of entries) times.set(dataFile.filePath, (times.get(dataFile.filePath) ?? 0) + 1)
  const partitions = Map.groupBy(
    entries.filter(({ dataFile }) => times.get(dataFile.filePath) === 1),
    ({ dataFile }) => partitionKey(specOf(dataFile.specId).specId, dataFile.partition)
  )
  const deletesOf = new Map(entries.map((entry) => [entry.dataFile, deletes.get(entry)?.length ?? 0]))
  return Array.from(partitions.keys())
    .sort()
    .flatMap((key) => groupsOfPartition(partitions.get(key) ?? [], deletes, sizes))
    .map((group) => ({ group, value: valueOf(group, deletesOf) }))
    .sort((a, b) => b.value - a.value)
    .map(({ group }) => group)
}
