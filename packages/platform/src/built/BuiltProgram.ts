/**
 * Where a program's build lies, and whether it still is what its sources say.
 *
 * `Start.ts` asks when a program starts, `Build.ts` makes builds. A build stands for its sources only while each of them has the
 * size and the time that it was made from, under the same version of the runtime: any other is as good as none, and the
 * sources run. Loading them one by one takes half of a short run's start.
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"

/** What a build was made from. */
export interface BuildRecord {
  readonly runtime: string
  /** The file to load, in the build's folder. */
  readonly entry: string
  /** Each source with its size and the time of its last change. */
  readonly sources: ReadonlyArray<readonly [path: string, size: number, mtimeMs: number]>
}

/** Says which packages are installed: a build stands for them as well. */
export const lockName = "bun.lock"
export const recordName = "current.json"

/** The folder of the repository that a program belongs to; undefined outside of one. */
export const rootOf = (program: string): string | undefined => {
  for (let folder = dirname(program); ; folder = dirname(folder)) {
    if (existsSync(join(folder, lockName))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

/** A program's builds lie in here, each in a folder of its own; `recordName` says which one is in force. */
export const buildFolder = (root: string, program: string): string =>
  join(root, ".cache/built", relative(root, program).replaceAll(/[^\w.-]+/g, "_"))

/** Size and time of a file; undefined when it is not there. */
export const stampOf = (path: string): readonly [size: number, mtimeMs: number] | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : [stat.size, stat.mtimeMs]
}

const isRecord = (value: unknown): value is BuildRecord =>
  typeof value === "object" && value !== null && "runtime" in value && "entry" in value && "sources" in value

const readRecord = (folder: string): BuildRecord | undefined => {
  try {
    const record: unknown = JSON.parse(readFileSync(join(folder, recordName), "utf8"))
    return isRecord(record) ? record : undefined
  } catch {
    // none was made, or it was cut off: either way there is none
    return undefined
  }
}

/** The file to load in the place of `program`; undefined when its sources are to be run. */
export const currentBuild = (program: string): string | undefined => {
  const runtime = process.versions["bun"]
  const root = runtime === undefined ? undefined : rootOf(program)
  if (root === undefined) return undefined
  const folder = buildFolder(root, program)
  const record = readRecord(folder)
  if (record === undefined || record.runtime !== runtime) return undefined
  const changed = record.sources.some(([path, size, mtimeMs]) => {
    const stamp = stampOf(join(root, path))
    return stamp === undefined || stamp[0] !== size || stamp[1] !== mtimeMs
  })
  return changed ? undefined : join(folder, record.entry)
}
