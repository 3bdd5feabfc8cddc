/** How much memory another process holds: asked of the system, since the process itself may be too busy to say. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"

const pageBytes = 4096

const fromPs = (pid: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    execFile("ps", ["-o", "rss=", "-p", String(pid)], (error, stdout) => {
      const kibibytes = Number(stdout.trim())
      resolve(error === null && kibibytes > 0 ? kibibytes * 1024 : undefined)
    })
  })

/** Resident bytes; undefined when the process is gone or the system cannot say. */
export const residentBytes = async (pid: number): Promise<number | undefined> => {
  if (process.platform !== "linux") return fromPs(pid)
  const text = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => undefined)
  const pages = Number(text?.split(" ")[1])
  return Number.isFinite(pages) ? pages * pageBytes : undefined
}
