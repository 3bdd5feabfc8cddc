/**
 * One snapshot of a shard's keyed state: written once under a name of its own, trusted only by its hash.
 *
 * The task captures the bytes right after an epoch, writes them here, and names them in its next epoch.
 */
import { createHash } from "node:crypto"
import { faultPoint } from "@frazil/core"
import { Effect } from "effect"
import type { ShardId, SnapshotName } from "../log/Log.ts"
import { JobError } from "../run/JobError.ts"
import { CheckpointStore } from "./CheckpointStore.ts"

/** A record in force names so many, newest first: older ones stand in for a damaged one (rule 2). */
export const snapshotsKept = 3

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** The folder of a shard's snapshots, ending in a slash. */
export const snapshotFolder = (id: ShardId) => `${id.uid}/${id.stage}/${id.shard}/`

/** Writes a snapshot that contains everything up to `epoch`. The incarnation is in the name: no file is ever written twice (rule 6). */
export const writeSnapshot = Effect.fnUntraced(function* (
  id: ShardId,
  epoch: number,
  incarnation: string,
  bytes: Uint8Array
) {
  const store = yield* CheckpointStore
  yield* faultPoint("before-snapshot")
  const name: SnapshotName = {
    file: `${snapshotFolder(id)}${epoch}-${incarnation}`,
    epoch,
    sha256: sha256(bytes),
    bytes: bytes.length
  }
  yield* store.writeNew(name.file, bytes)
  yield* faultPoint("after-snapshot")
  return name
})

/** Reads a named snapshot; a missing, short or changed one is `Corrupt`. */
export const readSnapshot = Effect.fnUntraced(function* (name: SnapshotName) {
  const store = yield* CheckpointStore
  const bytes = yield* store.read(name.file).pipe(
    Effect.catchIf(
      (error) => error.reason === "NotFound" || error.reason === "Corrupt",
      (cause) =>
        Effect.fail(
          new JobError({ reason: "Corrupt", message: `snapshot ${name.file} is missing or cannot be read`, cause })
        )
    )
  )
  if (bytes.length !== name.bytes || sha256(bytes) !== name.sha256) {
    return yield* new JobError({
      reason: "Corrupt",
      message: `snapshot ${name.file} is not what was written (${bytes.length} bytes of ${name.bytes}, or another hash)`
    })
  }
  return bytes
})
