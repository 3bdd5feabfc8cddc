/**
 * How much the processes of a folder have written, as the system counts it: one that writes to a pipe which nobody reads comes
 * to stand still. For tests of backpressure, which memory of a process that also does other things says little about.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"

/** Undefined for a process that is gone, or another user's. */
const writtenBy = (pid: string, folder: string): number | undefined => {
  try {
    if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)) return undefined
    const count = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]
    return count === undefined ? undefined : Number(count)
  } catch {
    return undefined
  }
}

/** Bytes that processes working in `folder` or below have written; 0 also where the system does not tell. */
export const bytesWrittenIn = (folder: string): number => {
  if (!existsSync("/proc/self/io")) return 0
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  return pids.reduce((sum, pid) => sum + (writtenBy(pid, folder) ?? 0), 0)
}
