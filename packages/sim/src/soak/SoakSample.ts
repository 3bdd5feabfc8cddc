/**
 * What a soak looks at, and whether it grows: the medians of the second and of the last third of the time are compared.
 *
 * `judge` is pure. The first third is warm-up: windows fill, files reach their size.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"

/** One look, at the same age of each process. */
export interface SoakSample {
  readonly rssBytes: number
  readonly logBytes: number
  readonly checkpointFiles: number
  readonly metadataFiles: number
  readonly dataFiles: number
  /** Locks, temporary files and whatever else lies in the data directory. */
  readonly otherFiles: number
}

const filesBelow = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch {
    // not made yet, or a folder went while it was listed
    return []
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

export const takeSample = (data: string, rssBytes: number): SoakSample => {
  const files = filesBelow(data)
  const checkpointFiles = files.filter((file) => file.startsWith(`${data}/checkpoints/`)).length
  const metadataFiles = files.filter((file) => file.includes("/metadata/")).length
  const dataFiles = files.filter((file) => file.includes("/data/") && file.endsWith(".parquet")).length
  return {
    rssBytes,
    logBytes: sizeOf(`${data}/log.db`) + sizeOf(`${data}/log.db-wal`),
    checkpointFiles,
    metadataFiles,
    dataFiles,
    otherFiles: files.length - checkpointFiles - metadataFiles - dataFiles
  }
}

interface Bound {
  readonly of: keyof SoakSample
  readonly what: string
  readonly factorMax: number
  /** Beyond the factor: what a count may differ by without meaning anything. */
  readonly slack: number
}

const bounds: ReadonlyArray<Bound> = [
  { of: "rssBytes", what: "memory", factorMax: 1.15, slack: 0 },
  { of: "logBytes", what: "log.db and its WAL", factorMax: 1.15, slack: 0 },
  { of: "checkpointFiles", what: "files in checkpoints", factorMax: 1.15, slack: 4 },
  { of: "metadataFiles", what: "metadata files of tables", factorMax: 1.15, slack: 20 },
  // rows are kept for good: a file of the target size more now and then is what they take
  { of: "dataFiles", what: "data files of tables", factorMax: 1.15, slack: 20 },
  { of: "otherFiles", what: "other files", factorMax: 1.15, slack: 4 }
]

export interface Judged {
  readonly what: string
  readonly of: keyof SoakSample
  readonly first: number
  readonly second: number
  readonly last: number
  readonly bound: number
  readonly grows: boolean
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export const judge = (samples: ReadonlyArray<SoakSample>): ReadonlyArray<Judged> => {
  const third = Math.floor(samples.length / 3)
  return bounds.map(({ factorMax, of, slack, what }) => {
    const medianOf = (from: number, to: number) => median(samples.slice(from, to).map((sample) => sample[of]))
    const second = medianOf(third, 2 * third)
    const last = medianOf(2 * third, samples.length)
    const bound = second * factorMax + slack
    return { what, of, first: medianOf(0, third), second, last, bound, grows: last > bound }
  })
}
