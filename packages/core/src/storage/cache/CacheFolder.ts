/**
 * The files of a cache in a folder that several processes share: named by what they are copies of and their size, given
 * up oldest read first.
 *
 * **Guarantees**: a copy appears whole or not (a rename); who has linked one keeps it, whoever gives it up. **Bounds**:
 * `bytesMax` of the folder; each process looks at what all of them have brought in after an eighth of it, so that many
 * may pass it by an eighth each for a moment.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { link, readdir, rename, stat, unlink, utimes } from "node:fs/promises"
import { basename, join } from "node:path"

export interface CopyName {
  readonly hash: string
  readonly sizeBytes: number
}

/** A copy read again within this time is not noted again. */
const touchEveryMs = 30_000
/** Unfinished files of processes that died. */
const partAgeMs = 3_600_000
/** Room made at a time, so that it is not made for every file. */
const keptShare = 0.9

const copyPattern = /^([0-9a-f]{40})-(\d{1,15})$/
const missing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

export const hashOf = (uri: string): string => createHash("sha256").update(uri).digest("hex").slice(0, 40)

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

export class CacheFolder {
  private readonly folder: string
  private readonly bytesMax: number
  /** Files that this process holds links to. */
  private readonly own: string
  /** Of copies whose size nobody says. */
  private readonly sizes = new Map<string, number>()
  private readonly touched = new Map<string, number>()
  private bytes = 0
  private addedBytes = 0

  /** Makes the folder, or takes over what is there. */
  constructor(folder: string, bytesMax: number, nowMs: number, nonce: string) {
    this.folder = folder
    this.bytesMax = bytesMax
    this.own = join(folder, "links", `${process.pid}-${nonce}`)
    mkdirSync(this.own, { recursive: true })
    for (const name of readdirSync(join(folder, "links"))) {
      if (!alive(Number(name.split("-", 1)[0]))) rmSync(join(folder, "links", name), { recursive: true, force: true })
    }
    for (const name of readdirSync(folder)) {
      const copy = copyPattern.exec(name)
      const path = join(folder, name)
      const found = statSync(path, { throwIfNoEntry: false })
      if (copy !== null && found !== undefined) {
        this.sizes.set(copy[1] ?? "", Number(copy[2]))
        this.bytes += found.size
      } else if (name.endsWith(".part") && found !== undefined && nowMs - found.mtimeMs > partAgeMs) {
        rmSync(path, { force: true })
      }
    }
  }

  /** Removes what this process holds. */
  close(): void {
    rmSync(this.own, { recursive: true, force: true })
  }

  sizeOf(hash: string): number | undefined {
    return this.sizes.get(hash)
  }

  pathOf({ hash, sizeBytes }: CopyName): string {
    return join(this.folder, `${hash}-${sizeBytes}`)
  }

  partPath(nonce: string): string {
    return join(this.folder, `${nonce}.part`)
  }

  /** A path of this process's own, ending as the object's name does. */
  linkPath(uri: string, nonce: string): string {
    return join(this.own, `${nonce}-${basename(uri)}`)
  }

  /** Notes that the copy was read; false when it is not there, or not of its size. */
  async use(copy: CopyName, nowMs: number): Promise<boolean> {
    const path = this.pathOf(copy)
    const found = await stat(path).catch((cause: unknown) => {
      if (missing(cause)) return undefined
      throw cause
    })
    if (found?.size !== copy.sizeBytes) {
      await this.remove(copy.hash, copy.sizeBytes)
      return false
    }
    if (nowMs - (this.touched.get(copy.hash) ?? 0) > touchEveryMs) {
      this.touched.set(copy.hash, nowMs)
      const now = new Date(nowMs)
      await utimes(path, found.atime, now).catch(() => undefined)
    }
    this.sizes.set(copy.hash, copy.sizeBytes)
    return true
  }

  /** A second name of the copy, which stays when the copy is given up; false when it has gone. */
  async hold(path: string, to: string): Promise<boolean> {
    try {
      await link(path, to)
      return true
    } catch (cause) {
      if (missing(cause)) return false
      throw cause
    }
  }

  /** Whether a file of this size is kept: one that would push out half of the others is not. */
  keeps(sizeBytes: number): boolean {
    return sizeBytes <= this.bytesMax / 2
  }

  /** Takes a finished file in; `part` is gone afterwards. */
  async publish(part: string, copy: CopyName): Promise<void> {
    if (this.bytes + copy.sizeBytes > this.bytesMax || this.addedBytes > this.bytesMax / 8) {
      await this.makeRoom(copy.sizeBytes)
    }
    await rename(part, this.pathOf(copy))
    this.sizes.set(copy.hash, copy.sizeBytes)
    this.bytes += copy.sizeBytes
    this.addedBytes += copy.sizeBytes
  }

  /** Gives up what was read longest ago, until this many bytes more are within the bound. */
  async makeRoom(neededBytes: number): Promise<void> {
    const found: Array<{ readonly copy: CopyName; readonly readMs: number }> = []
    let total = 0
    for (const name of await readdir(this.folder)) {
      const parts = copyPattern.exec(name)
      const file = parts === null ? undefined : await stat(join(this.folder, name)).catch(() => undefined)
      if (parts === null || file === undefined) continue
      found.push({ copy: { hash: parts[1] ?? "", sizeBytes: Number(parts[2]) }, readMs: file.mtimeMs })
      total += file.size
    }
    if (total + neededBytes > this.bytesMax) {
      found.sort((a, b) => a.readMs - b.readMs)
      const goal = Math.max(0, Math.min(this.bytesMax * keptShare, this.bytesMax - neededBytes))
      for (const { copy } of found) {
        if (total <= goal) break
        await this.remove(copy.hash, copy.sizeBytes)
        total -= copy.sizeBytes
      }
    }
    this.bytes = total
    this.addedBytes = 0
  }

  async remove(hash: string, sizeBytes: number): Promise<void> {
    this.sizes.delete(hash)
    this.touched.delete(hash)
    await unlink(this.pathOf({ hash, sizeBytes })).catch((cause: unknown) => {
      if (!missing(cause)) throw cause
    })
  }
}
