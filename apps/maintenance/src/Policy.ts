/**
 * How each action is done: thresholds as options and as lines of the schedule file, with their bounds. Pure.
 */
import { parseDuration } from "@frazil/core"
import type { MaintenanceAction } from "@frazil/lake"

/** Left out: the table's own property, or the default of the action. */
export interface Policy {
  readonly fileBytesTarget: number | undefined
  readonly inputFilesMin: number | undefined
  /** What one compaction of a table takes in. */
  readonly compactBytesMax: number | undefined
  readonly compactFilesMax: number | undefined
  readonly compactMsMax: number | undefined
  readonly snapshotAgeMsMax: number | undefined
  readonly snapshotsKeptMin: number | undefined
  readonly orphanAgeMsMin: number | undefined
}

/** In the order in which `all` does them: none changes what a later one would report in a dry run. */
export const actions: ReadonlyArray<MaintenanceAction> = ["expire", "orphans", "manifests", "compact"]

/** Attempts to commit end within an hour: a younger file may still be committed. */
const orphanAgeMsLeast = 2 * 3_600_000

const unitBytes: ReadonlyMap<string, number> = new Map([
  ["KB", 1024],
  ["MB", 1024 ** 2],
  ["GB", 1024 ** 3]
])
const fileBytesLeast = 4096
const fileBytesMost = 16 * 1024 ** 3

/** A value, or what was expected instead. */
export type Read<A> = A | { readonly expected: string }

/** `128MB`, powers of 1,024. */
export const readSize = (text: string): Read<number> => {
  const [, digits, unit] = /^([0-9]{1,6})(KB|MB|GB)$/.exec(text) ?? []
  const bytes = Number(digits) * (unitBytes.get(unit ?? "") ?? Number.NaN)
  return bytes >= fileBytesLeast && bytes <= fileBytesMost
    ? bytes
    : { expected: "a size from 4KB to 16GB, such as 128MB" }
}

export const readAge = (text: string): Read<number> =>
  parseDuration(text) ?? { expected: "a duration such as 12h or 3d" }

export const readOrphanAge = (text: string): Read<number> => {
  const ms = parseDuration(text)
  return ms !== undefined && ms >= orphanAgeMsLeast
    ? ms
    : { expected: "a duration of at least 2h, such as 3d: younger files may be a commit's in the making" }
}

/** A whole number of at least `least`. */
export const readCount =
  (least: number) =>
  (text: string): Read<number> => {
    const count = /^[0-9]{1,7}$/.test(text) ? Number(text) : -1
    return count >= least ? count : { expected: `a whole number of at least ${least}` }
  }
