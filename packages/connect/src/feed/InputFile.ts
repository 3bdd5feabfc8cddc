/**
 * The file that a feed reads: opened once, read in order, its bytes hashed as they are consumed.
 */
import { Effect, type Scope } from "effect"
import { createHash, type Hash } from "node:crypto"
import { type FileHandle, open } from "node:fs/promises"
import { FeedError } from "./FeedError.ts"

const verifyBytesPerRead = 4 * 1_048_576

export interface InputFile {
  readonly path: string
  readonly size: Effect.Effect<number, FeedError>
  /** Reads at `position` into `buffer` from `at` on; the number of bytes, 0 at the end. */
  readonly read: (buffer: Uint8Array, at: number, position: number) => Effect.Effect<number, FeedError>
}

const unreadable = (path: string, cause: unknown): FeedError =>
  new FeedError({
    reason: "FileUnreadable",
    message: `${path} cannot be read (${cause instanceof Error ? cause.message : "unknown cause"}): check the path and its permissions`,
    cause
  })

const attempt = <A>(path: string, body: () => Promise<A>): Effect.Effect<A, FeedError> =>
  Effect.tryPromise({ try: body, catch: (cause) => unreadable(path, cause) })

const openRegular = async (path: string): Promise<FileHandle> => {
  const handle = await open(path, "r")
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new Error("it is not a regular file, which a restart could read again")
}

export const openInputFile = (path: string): Effect.Effect<InputFile, FeedError, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      attempt(path, () => openRegular(path)),
      (handle) => Effect.promise(() => handle.close())
    ),
    (handle) => ({
      path,
      size: Effect.map(
        attempt(path, () => handle.stat()),
        (stat) => stat.size
      ),
      read: (buffer, at, position) =>
        Effect.map(
          attempt(path, () => handle.read(buffer, at, buffer.length - at, position)),
          ({ bytesRead }) => bytesRead
        )
    })
  )

/** The hash of the file's first `bytes`; undefined when it has fewer. Memory does not grow with the file. */
export const hashPrefix = Effect.fnUntraced(function* (
  input: InputFile,
  bytes: number
): Effect.fn.Return<Hash | undefined, FeedError> {
  const hash = createHash("sha256")
  const buffer = new Uint8Array(Math.min(bytes, verifyBytesPerRead))
  for (let at = 0; at < bytes;) {
    const count = yield* input.read(buffer, 0, at)
    if (count === 0) return undefined
    const used = Math.min(count, bytes - at)
    hash.update(buffer.subarray(0, used))
    at += used
  }
  return hash
})
