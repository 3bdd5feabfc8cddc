/**
 * `StateFolder` on local disk, with node:fs: the same code on Bun, Deno and Node.
 *
 * Its calls are the synchronous ones: a read of a block is some microseconds, less than what a turn of the event loop costs.
 * Nothing is synced, since nothing of it is read by another process.
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { StateFile, StateFolderShape } from "./StateFolder.ts"
import { StoreError } from "./StoreError.ts"

const reasons: Readonly<Record<string, StoreError["reason"]>> = {
  ENOSPC: "Full",
  EDQUOT: "Full",
  EACCES: "Refused",
  EPERM: "Refused",
  EROFS: "Refused",
  ENOTDIR: "Refused"
}

const explanations: Readonly<Record<StoreError["reason"], string>> = {
  Full: "cannot be written: the disk is full. Make room, or give the pipeline a data directory on a larger disk, and start it again",
  Refused: "cannot be written: give the program the right to write there, or another data directory",
  Unavailable: "cannot be read or written",
  Damaged: "is damaged"
}

const attempt = <A>(path: string, run: () => A): A => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    const errno = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined
    const reason = (errno === undefined ? undefined : reasons[errno]) ?? "Unavailable"
    const detail = errno === undefined ? "" : ` (${errno})`
    throw new StoreError({ reason, message: `the state folder ${path} ${explanations[reason]}${detail}`, cause })
  }
}

const makeFile = (path: string): StateFile => {
  const descriptor = attempt(path, () => openSync(path, "wx+"))
  let end = 0
  return {
    append: (bytes, length) =>
      attempt(path, () => {
        for (let written = 0; written < length;)
          written += writeSync(descriptor, bytes, written, length - written, end + written)
        end += length
      }),
    read: (into, length, position) =>
      attempt(path, () => {
        for (let done = 0; done < length;) {
          const count = readSync(descriptor, into, done, length - done, position + done)
          if (count === 0)
            throw new StoreError({ reason: "Damaged", message: `${path} is shorter than it was written` })
          done += count
        }
      }),
    discard: () =>
      attempt(path, () => {
        closeSync(descriptor)
        // whoever took the shard over may have swept it
        try {
          unlinkSync(path)
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error
        }
      })
  }
}

/** Folders below `root`, made when the first store needs it. */
export const localStateFolder = (root: string, sealed = false): StateFolderShape => ({
  sealed,
  make: (path) => {
    const folder = join(root, path)
    attempt(folder, () => mkdirSync(folder, { recursive: true }))
    return { place: folder, create: (name) => makeFile(join(folder, name)) }
  },
  remove: (path) => attempt(join(root, path), () => rmSync(join(root, path), { recursive: true, force: true }))
})
