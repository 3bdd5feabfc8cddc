/**
 * Reading objects of S3: a range into memory, or a whole object into a local file, range by range.
 *
 * **Guarantees**: a file is of one version of its object (`If-Match`), with exactly its bytes, and synced.
 */
import { open, type FileHandle } from "node:fs/promises"
import { Effect } from "effect"
import { StorageError } from "../StorageError.ts"
import type { S3Calls } from "./S3Calls.ts"
import type { S3Object } from "./S3Upload.ts"

const short = (uri: string, found: number, wanted: number): StorageError =>
  new StorageError({
    reason: "Corrupt",
    uri,
    message: `${uri}: the store gave ${found} bytes where ${wanted} were asked for: it is damaged or ends before`
  })

interface RangeRead {
  readonly bytes: Uint8Array
  readonly etag: string | undefined
  /** Of the whole object. */
  readonly totalBytes: number
}

/** These bytes, as far as the object has them: none of an empty one. */
const askRange = (
  calls: S3Calls,
  object: S3Object,
  offset: number,
  length: number,
  etag?: string
): Effect.Effect<RangeRead, StorageError> => {
  const headers = {
    range: `bytes=${offset}-${offset + length - 1}`,
    ...(etag === undefined ? {} : { "if-match": etag })
  }
  const asked = calls.ask({ ...object, method: "GET", headers }, ({ status }) => status === 416)
  return Effect.map(asked, ({ body, header, status }): RangeRead => {
    if (status === 416) return { bytes: new Uint8Array(), etag: undefined, totalBytes: 0 }
    const total = Number(/\/(\d+)$/.exec(header("content-range") ?? "")?.[1] ?? body.length)
    // a store that does not know ranges sends all of it
    const bytes = status === 200 ? body.subarray(offset, offset + length) : body
    return { bytes, etag: header("etag"), totalBytes: total }
  })
}

/** Exactly these bytes. */
export const readS3Range = (
  calls: S3Calls,
  object: S3Object,
  offset: number,
  length: number,
  etag?: string
): Effect.Effect<Uint8Array, StorageError> =>
  length === 0
    ? Effect.succeed(new Uint8Array())
    : Effect.flatMap(askRange(calls, object, offset, length, etag), ({ bytes }) =>
        bytes.length === length ? Effect.succeed(bytes) : Effect.fail(short(object.uri, bytes.length, length))
      )

/** What the disk of the copies refuses. */
const copyError =
  (uri: string, path: string) =>
  (cause: unknown): StorageError => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error"
    const full = code === "ENOSPC" || code === "EDQUOT"
    const message = full
      ? `${uri} cannot be copied to ${path}: the disk is full; make room, or make the cache smaller`
      : `${uri} cannot be copied to ${path} (${code})`
    return new StorageError({ reason: full ? "Full" : "Unavailable", uri, message, cause })
  }

/** Writes all of `bytes`, and not less because the disk is almost full. */
const writeAt = async (file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> => {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written)
    written += bytesWritten
  }
}

/** Writes the object into a new local file; gives its size. Who calls removes the file when this fails. */
export const writeS3File = Effect.fnUntraced(function* (
  calls: S3Calls,
  object: S3Object,
  path: string
): Effect.fn.Return<number, StorageError> {
  const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: copyError(object.uri, path) })
  const { partBytes, partsAtOnce } = calls.limits
  // tells the size, too, and is the whole of most files
  const { bytes: first, etag, totalBytes } = yield* askRange(calls, object, 0, partBytes)
  if (first.length < Math.min(partBytes, totalBytes)) return yield* short(object.uri, first.length, totalBytes)
  const offsets = Array.from({ length: Math.ceil(totalBytes / partBytes) }, (_, i) => i * partBytes).slice(1)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* Effect.acquireRelease(
        attempt(() => open(path, "wx")),
        (handle) => Effect.promise(() => handle.close())
      )
      yield* attempt(() => writeAt(file, first, 0))
      yield* Effect.forEach(
        offsets,
        (offset) =>
          Effect.flatMap(readS3Range(calls, object, offset, Math.min(partBytes, totalBytes - offset), etag), (bytes) =>
            attempt(() => writeAt(file, bytes, offset))
          ),
        { concurrency: partsAtOnce, discard: true }
      )
      yield* attempt(() => file.sync())
    })
  )
  return totalBytes
})
