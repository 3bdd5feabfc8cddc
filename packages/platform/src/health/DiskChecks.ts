/** Checks of the data directory itself: its disk, and where checkpoints go, there or elsewhere. Makes no file. */
import { constants } from "node:fs"
import { access, stat, statfs } from "node:fs/promises"
import { dirname } from "node:path"
import { localPath, Storage } from "@frazil/core"
import { Effect, Stream } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import { storageBelow } from "../StorageLayer.ts"
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

/** What is there of a folder that may have to be made: itself, or the nearest above it; of one in the data directory no higher. */
const nearest = Effect.fnUntraced(function* (folder: string, { root }: DataDirectory) {
  let at = folder
  while (at !== root && at !== dirname(at) && !(yield* succeeds(() => stat(at)))) at = dirname(at)
  return at
})

/** A store far away can be asked for checkpoints. Whether it takes new ones is not tried: a check leaves nothing behind. */
const checkFar = (directory: DataDirectory): Effect.Effect<Part> =>
  Storage.use((storage) => Stream.runHead(storage.list(directory.checkpointsUri))).pipe(
    Effect.provide(storageBelow(directory.checkpointsUri, directory)),
    Effect.match({
      onSuccess: () => healthy("checkpoints", `${directory.checkpointsUri} answers`),
      onFailure: ({ message }) => ill("checkpoints", message)
    })
  )

/** Checkpoints can be written: their folder, or the one that it will be made in. */
export const checkCheckpoints = Effect.fnUntraced(function* (directory: DataDirectory): Effect.fn.Return<Part> {
  const folder = localPath(directory.checkpointsUri)
  if (folder === undefined) return yield* checkFar(directory)
  const asked = yield* nearest(folder, directory)
  const writable = yield* succeeds(() => access(asked, constants.W_OK | constants.X_OK))
  if (!writable) return ill("checkpoints", `${asked} cannot be written: check that this user may write there`)
  return healthy("checkpoints", asked === folder ? `${folder} can be written` : "none yet; their folder can be made")
})
