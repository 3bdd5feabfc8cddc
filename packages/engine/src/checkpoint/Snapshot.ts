/**
 * A snapshot of a shard's keyed state in files: parts, each written once under a name of its own and trusted only by its
 * hash, and where there are several a list of them, which is what the record in force names.
 *
 * `CaptureShard.ts` writes them and the task's next commit names them; `Restore.ts` reads them. Parts are shared: an increment
 * lists those of the snapshot before, and its own behind them.
 */
import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import type { ShardId, SnapshotName } from "../log/Log.ts"
import type { StateSeal } from "../state/StateSeal.ts"
import { JobError } from "../run/JobError.ts"
import { CheckpointStore } from "./CheckpointStore.ts"

/** A record in force names so many, newest first: older ones stand in for a damaged one (rule 2). */
export const snapshotsKept = 3

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** The folder of a shard's snapshots, ending in a slash. */
export const snapshotFolder = (id: ShardId) => `${id.uid}/${id.stage}/${id.shard}/`

/** A file as a list or a record in force names it. */
export interface FileName {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

const PartList = Schema.Struct({
  version: Schema.Literal(2),
  /** In the order in which they are loaded. */
  parts: Schema.Array(Schema.Struct({ file: Schema.String, bytes: Schema.Int, sha256: Schema.String }))
})

const encoder = new TextEncoder()
const decodeList = Schema.decodeUnknownEffect(Schema.fromJsonString(PartList))

/** A file to be written, and how it is named. */
export interface SnapshotFile {
  readonly name: FileName
  readonly bytes: Uint8Array
}

const snapshotFile = (file: string, bytes: Uint8Array): SnapshotFile => ({
  name: { file, bytes: bytes.length, sha256: sha256(bytes) },
  bytes
})

/** Writes a file, once. */
export const writeFile = Effect.fnUntraced(function* ({ bytes, name }: SnapshotFile) {
  const store = yield* CheckpointStore
  yield* store.writeNew(name.file, bytes)
  return name
})

/** A snapshot's files: whose, begun when, and by which capture of which incarnation. No file is ever written twice (rule 6). */
export interface SnapshotPlace {
  readonly id: ShardId
  /** The epoch at whose end the capture began. */
  readonly epoch: number
  readonly incarnation: string
}

const fileOf = ({ epoch, id, incarnation }: SnapshotPlace) => `${snapshotFolder(id)}${epoch}-${incarnation}`

/** The part with that number, from 0. */
export const partFile = (place: SnapshotPlace, part: number, bytes: Uint8Array, { seal }: StateSeal): SnapshotFile => {
  const file = `${fileOf(place)}.${part}`
  return snapshotFile(file, seal(bytes, file))
}

/** What the next commit names: the only part itself, or a list of all. */
export const writeSnapshot = Effect.fnUntraced(function* (place: SnapshotPlace, parts: ReadonlyArray<FileName>) {
  const { epoch } = place
  const [only, ...others] = parts as readonly [FileName, ...ReadonlyArray<FileName>] // a base has a part, also an empty one
  if (others.length === 0) return { ...only, epoch } satisfies SnapshotName
  const list: typeof PartList.Type = { version: 2, parts }
  const named = yield* writeFile(snapshotFile(fileOf(place), encoder.encode(JSON.stringify(list))))
  return { ...named, epoch, list: true } satisfies SnapshotName
})

/** Reads a file; a missing, short or changed one is `Corrupt`. */
export const readFile = Effect.fnUntraced(function* (name: FileName) {
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

/** Everything that a named snapshot needs: the file that is named, and the parts that it lists. */
export const filesOf = ({ file }: SnapshotName, parts: ReadonlyArray<FileName>): ReadonlyArray<string> => [
  ...new Set([file, ...parts.map((part) => part.file)])
]

/** The parts of a named snapshot, in the order in which they are loaded. */
export const partsOf = Effect.fnUntraced(function* (name: SnapshotName) {
  if (name.list !== true) return [name] satisfies ReadonlyArray<FileName>
  const bytes = yield* readFile(name)
  const { parts } = yield* Effect.mapError(
    decodeList(new TextDecoder().decode(bytes)),
    () =>
      new JobError({ reason: "Corrupt", message: `snapshot ${name.file} is no list of parts that this program reads` })
  )
  return parts satisfies ReadonlyArray<FileName>
})
