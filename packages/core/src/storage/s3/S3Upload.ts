/**
 * Creating an object of S3, whole or in parts, never over another.
 *
 * **Guarantees**: `If-None-Match: *` decides at the store who was first. A repeated write that finds an object there asks
 * whose it is: each write carries a mark of its own, so that our own object is success and another's is AlreadyExists. An
 * upload in parts that fails is aborted, and leaves no object; one whose process dies leaves parts, which are no object
 * and which a lifecycle rule of the bucket removes.
 */
import { open, type FileHandle } from "node:fs/promises"
import { Clock, Effect, Random } from "effect"
import { StorageError } from "../StorageError.ts"
import type { S3Calls, S3Place } from "./S3Calls.ts"
import { s3Error, s3Refusal } from "./S3Failure.ts"
import { xmlEscape, xmlText } from "./S3Xml.ts"

const markHeader = "x-amz-meta-frazil-write"
const partsMax = 10_000
const onlyNew = { "if-none-match": "*" } as const
const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() }

export interface S3Object {
  readonly uri: string
  readonly place: S3Place
}

/** Says which write made an object. */
const newMark = Effect.gen(function* () {
  const nowMs = yield* Clock.currentTimeMillis
  const chance = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  return `${Math.floor(nowMs).toString(36)}-${chance.toString(36)}`
})

const exists = (status: number): boolean => status === 412

/**
 * After "there is one already": ours, by its mark, or another's. Always asked: a runtime's `fetch` may have sent a request
 * twice without telling (Deno's does, over a connection that was closed).
 */
const ownOr = Effect.fnUntraced(function* (
  calls: S3Calls,
  { place, uri }: S3Object,
  mark: string,
  refused: StorageError
): Effect.fn.Return<void, StorageError> {
  const found = yield* calls.ask({ uri, place, method: "HEAD" }, ({ status }) => status === 404)
  if (found.header(markHeader) !== mark) return yield* refused
})

/** Creates an object from bytes by one request. */
export const putNew = Effect.fnUntraced(function* (
  calls: S3Calls,
  object: S3Object,
  payload: Uint8Array
): Effect.fn.Return<void, StorageError> {
  const mark = yield* newMark
  const answer = yield* calls.ask(
    { ...object, method: "PUT", headers: { ...onlyNew, [markHeader]: mark }, payload },
    ({ status }) => exists(status)
  )
  if (!exists(answer.status)) return
  const refused = s3Error(object.uri, s3Refusal(answer))
  yield* ownOr(calls, object, mark, refused)
})

const readPart = async (file: FileHandle, offset: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) throw new Error("the file became shorter while it was read")
    filled += bytesRead
  }
  return bytes
}

const fileError =
  (uri: string, path: string) =>
  (cause: unknown): StorageError =>
    new StorageError({ reason: "Unavailable", uri, message: `${uri}: the local file ${path} cannot be read`, cause })

const openFile = (uri: string, path: string) =>
  Effect.acquireRelease(Effect.tryPromise({ try: () => open(path, "r"), catch: fileError(uri, path) }), (file) =>
    Effect.promise(() => file.close())
  )

interface Upload {
  readonly object: S3Object
  readonly id: string
  readonly file: FileHandle
  readonly path: string
  readonly sizeBytes: number
  readonly partBytes: number
}

const uploadPart = Effect.fnUntraced(function* (
  calls: S3Calls,
  { file, id, object, partBytes, path, sizeBytes }: Upload,
  part: number
): Effect.fn.Return<string, StorageError> {
  const offset = (part - 1) * partBytes
  const payload = yield* Effect.tryPromise({
    try: () => readPart(file, offset, Math.min(partBytes, sizeBytes - offset)),
    catch: fileError(object.uri, path)
  })
  const query = { partNumber: String(part), uploadId: id }
  const answer = yield* calls.ask({ ...object, method: "PUT", query, payload })
  const etag = answer.header("etag")
  if (etag !== undefined) return etag
  const message = `${object.uri}: the store gave no ETag for part ${part}`
  return yield* new StorageError({ reason: "Corrupt", uri: object.uri, message })
})

/** **The commit point** of an upload in parts. */
const complete = Effect.fnUntraced(function* (
  calls: S3Calls,
  { id, object }: Upload,
  etags: ReadonlyArray<string>,
  mark: string
): Effect.fn.Return<void, StorageError> {
  const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${xmlEscape(etag)}</ETag></Part>`)
  const payload = utf8.encode.encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`)
  const answer = yield* calls.ask(
    { ...object, method: "POST", query: { uploadId: id }, headers: onlyNew, payload },
    // gone: completed by a try of which we know nothing, or lost
    ({ code, status }) => exists(status) || code === "NoSuchUpload"
  )
  const said = s3Refusal(answer)
  if (answer.status < 300 && said.code === "") return
  // S3 may begin to answer 200 before it is done, and then say in the body that it failed: worth another try
  const refusal = answer.status < 300 ? { ...said, status: 500 } : said
  const refused = s3Error(object.uri, refusal)
  yield* ownOr(calls, object, mark, refused)
})

const inParts = Effect.fnUntraced(function* (
  calls: S3Calls,
  object: S3Object,
  file: FileHandle,
  path: string,
  sizeBytes: number
): Effect.fn.Return<void, StorageError> {
  const mark = yield* newMark
  const created = yield* calls.ask({
    ...object,
    method: "POST",
    query: { uploads: "" },
    headers: { [markHeader]: mark }
  })
  const id = xmlText(utf8.decode.decode(created.body), "UploadId")
  if (id === undefined) {
    const message = `${object.uri}: the store gave no id for an upload in parts`
    return yield* new StorageError({ reason: "Refused", uri: object.uri, message })
  }
  // larger parts for a file that would have too many
  const partBytes = Math.max(calls.limits.partBytes, Math.ceil(sizeBytes / partsMax))
  const upload: Upload = { object, id, file, path, sizeBytes, partBytes }
  const numbers = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, i) => i + 1)
  const abort = calls.ask({ ...object, method: "DELETE", query: { uploadId: id } }).pipe(
    // the failure before it is the one to report
    Effect.ignore
  )
  yield* Effect.forEach(numbers, (part) => uploadPart(calls, upload, part), {
    concurrency: calls.limits.partsAtOnce
  }).pipe(
    Effect.flatMap((etags) => complete(calls, upload, etags, mark)),
    Effect.onError(() => abort)
  )
})

/** Creates an object from a local file, which stays. */
export const putNewFromFile = (calls: S3Calls, object: S3Object, path: string): Effect.Effect<number, StorageError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* openFile(object.uri, path)
      const attempt = <A>(read: () => Promise<A>) =>
        Effect.tryPromise({ try: read, catch: fileError(object.uri, path) })
      const { size } = yield* attempt(() => file.stat())
      if (size > calls.limits.partBytes) yield* inParts(calls, object, file, path, size)
      else yield* putNew(calls, object, yield* attempt(() => readPart(file, 0, size)))
      return size
    })
  )
