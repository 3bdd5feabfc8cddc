/** Checks of the data directory itself: its disk, and where checkpoints go. Makes no file. */
import { constants } from "node:fs"
import { access, stat, statfs } from "node:fs/promises"
import { localPath } from "@frazil/core"
import { Effect } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import * as Units from "../Units.ts"
import { healthy, ill, type Part } from "./Part.ts"

const succeeds = (run: () => Promise<unknown>): Effect.Effect<boolean> =>
  Effect.promise(() =>
    run().then(
      () => true,
      () => false
    )
  )

/** Free space on the data directory's disk. */
export const checkDisk = (directory: DataDirectory, freeBytesMin: number): Effect.Effect<Part> =>
  Effect.promise(async () => {
    const disk = await statfs(directory.root).catch(() => undefined)
    if (disk === undefined) return ill("disk", `${directory.root} cannot be asked for its free space`)
    const free = disk.bavail * disk.bsize
    const detail = `${Units.bytes(free)} free of ${Units.bytes(disk.blocks * disk.bsize)}`
    return free >= freeBytesMin
      ? healthy("disk", detail)
      : ill("disk", `${detail}, less than ${Units.bytes(freeBytesMin)}: make room`)
  })

/** Checkpoints can be written: their folder, or the one that it will be made in. */
export const checkCheckpoints = Effect.fnUntraced(function* (directory: DataDirectory): Effect.fn.Return<Part> {
  const folder = localPath(directory.checkpointsUri) ?? directory.root
  const exists = yield* succeeds(() => stat(folder))
  const asked = exists ? folder : directory.root
  const writable = yield* succeeds(() => access(asked, constants.W_OK | constants.X_OK))
  if (!writable) return ill("checkpoints", `${asked} cannot be written: check that this user may write there`)
  return healthy("checkpoints", exists ? `${folder} can be written` : "none yet; their folder can be made")
})
