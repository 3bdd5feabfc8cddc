/** A disk that fills: a file system of its own, as large as told. Only root on Linux can have one. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"

export const canMount = process.platform === "linux" && process.getuid?.() === 0

/** The path of a disk for so many bytes. */
export const smallDisk = (bytesMax: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = join(mkdtempSync(join(tmpdir(), "frazil-full-")), "disk")
      mkdirSync(path)
      const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytesMax}`, "tmpfs", path])
      assert.strictEqual(mount.status, 0, String(mount.stderr))
      return path
    }),
    (path) =>
      Effect.sync(() => {
        spawnSync("umount", [path])
        rmSync(join(path, ".."), { recursive: true, force: true })
      })
  )

/** What is free on the disk. */
export const bytesFree = (path: string): number => {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
