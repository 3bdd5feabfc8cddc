/** The machine's folder for state on disk, in memory: what a killed process leaves stays until somebody sweeps it. */
import { StateFolder, type StateFolderShape } from "@frazil/engine"
import { Context } from "effect"
import type { SimReport } from "./Sim.ts"

/** Where a job keeps state, as its operators are told: in memory, or on disk with a cache in which little stays. */
export type Kept = Record<never, never> | { readonly store: { readonly disk: { readonly cacheBytesMax: number } } }

interface SimStateFolder {
  readonly shape: StateFolderShape
  readonly filesLeft: () => number
}

const makeStateFolder = (sealed: boolean): SimStateFolder => {
  const files = new Map<string, Array<number>>()
  const create = (path: string) => {
    const bytes: Array<number> = []
    if (files.has(path)) throw new Error(`${path} is written a second time`)
    files.set(path, bytes)
    return {
      append: (more: Uint8Array, length: number) => {
        for (let at = 0; at < length; at++) bytes.push(more[at]!)
      },
      read: (into: Uint8Array, length: number, position: number) => {
        if (position + length > bytes.length) throw new Error(`${path} is read beyond its end`)
        for (let at = 0; at < length; at++) into[at] = bytes[position + at]!
      },
      discard: () => void files.delete(path)
    }
  }
  return {
    filesLeft: () => files.size,
    shape: {
      sealed,
      make: (path) => ({ place: path, create: (name) => create(`${path}/${name}`) }),
      remove: (path) => {
        for (const file of files.keys()) if (file.startsWith(`${path}/`)) files.delete(file)
      }
    }
  }
}

/** Runs a job with such a folder; files that it leaves are a violation. In half of the seeds the folder is sealed. */
export const runOnDisk = (seed: number, run: (services: Context.Context<never>) => SimReport): SimReport => {
  const folder = makeStateFolder(seed % 2 === 0)
  const report = run(Context.make(StateFolder, folder.shape))
  const left = folder.filesLeft()
  return left === 0 || report.violations.length > 0
    ? report
    : { ...report, violations: [`${left} files of state are left`] }
}
