/**
 * Storage on S3 and what speaks its protocol, for `s3://BUCKET/KEY` (`s3a`, `s3n` are the same).
 *
 * **Guarantees**: those of `Storage`; the store must honour `If-None-Match: *`, as Amazon's and its likes do. Local files
 * come from a `FileCache`, which reading in whole goes through, too. **Bounds**: `S3Limits`; one part or range in memory
 * for each that is on its way.
 */
import { unlink } from "node:fs/promises"
import { Effect, Layer, Option, Stream } from "effect"
import { HttpCalls, type HttpCallsShape } from "../../http/HttpCalls.ts"
import { FileCache, type FileCacheShape } from "../cache/FileCache.ts"
import { normaliseUri } from "../FileUri.ts"
import { Storage, type StorageShape, type StoredObject, writeEach } from "../Storage.ts"
import { StorageError } from "../StorageError.ts"
import { S3Calls, s3Place, type S3Request } from "./S3Calls.ts"
import { readS3Range, writeS3File } from "./S3Download.ts"
import type { S3Options } from "./S3Options.ts"
import { putNew, putNewFromFile, type S3Object } from "./S3Upload.ts"
import { xmlElements, xmlText } from "./S3Xml.ts"

const utf8 = new TextDecoder()

const objectOf = (uri: string): Effect.Effect<S3Object, StorageError> => {
  const place = s3Place(uri)
  return place === undefined || place.key === ""
    ? Effect.fail(
        new StorageError({
          reason: "Refused",
          uri,
          message: `${uri} is not on S3: this storage takes s3://BUCKET/KEY only`
        })
      )
    : Effect.succeed({ uri: normaliseUri(uri), place })
}

const insideOf =
  (root: string) =>
  (object: S3Object): Effect.Effect<S3Object, StorageError> => {
    const prefix = `${normaliseUri(root).replace(/\/+$/, "")}/`
    if (object.uri.startsWith(prefix)) return Effect.succeed(object)
    const { uri } = object
    const message = `${uri} lies outside ${root}: nothing is written or deleted there; give that folder as the warehouse`
    return Effect.fail(new StorageError({ reason: "Refused", uri, message }))
  }

const stat = (calls: S3Calls, object: S3Object): Effect.Effect<StoredObject, StorageError> =>
  Effect.map(calls.ask({ ...object, method: "HEAD" }), (answer) => ({
    uri: object.uri,
    sizeBytes: Number(answer.header("content-length") ?? 0),
    modifiedMs: Date.parse(answer.header("last-modified") ?? "") || 0
  }))

/** One page of a list, and where the next begins. */
const listPage = Effect.fnUntraced(function* (calls: S3Calls, uri: string, from: string | undefined) {
  const place = s3Place(uri)
  if (place === undefined) {
    return yield* new StorageError({ reason: "Refused", uri, message: `${uri} is not on S3` })
  }
  const { bucket, key: start } = place
  const request: S3Request = {
    uri,
    place: { bucket, key: "" },
    method: "GET",
    query: {
      "list-type": "2",
      prefix: start,
      "encoding-type": "url",
      ...(from === undefined ? {} : { "continuation-token": from })
    }
  }
  const answer = yield* calls.ask(request)
  const xml = utf8.decode(answer.body)
  // asked for, since XML cannot hold every character; not every store does it
  const encoded = xmlText(xml, "EncodingType") === "url"
  const found = xmlElements(xml, "Contents").map((each): StoredObject => {
    const key = xmlText(each, "Key") ?? ""
    return {
      uri: `s3://${bucket}/${encoded ? decodeURIComponent(key.replaceAll("+", " ")) : key}`,
      sizeBytes: Number(xmlText(each, "Size") ?? 0),
      modifiedMs: Date.parse(xmlText(each, "LastModified") ?? "") || 0
    }
  })
  const next = xmlText(xml, "IsTruncated") === "true" ? xmlText(xml, "NextContinuationToken") : undefined
  // some stores show folders as objects whose names end in a slash
  return { found: found.filter((each) => !each.uri.endsWith("/")), next }
})

interface PageStart {
  readonly from: string | undefined
}

const list = (calls: S3Calls, prefix: string): Stream.Stream<StoredObject, StorageError> => {
  const start: PageStart = { from: undefined }
  return Stream.paginate(start, ({ from }) =>
    Effect.map(listPage(calls, prefix, from), ({ found, next }) => [
      found,
      Option.map(Option.fromUndefinedOr(next), (token): PageStart => ({ from: token }))
    ])
  )
}

const deleted = (calls: S3Calls, cache: FileCacheShape, object: S3Object): Effect.Effect<void, StorageError> =>
  calls
    .ask({ ...object, method: "DELETE" }, ({ status }) => status === 404)
    .pipe(Effect.andThen(cache.forget(object.uri)))

const takeOver = Effect.fnUntraced(function* (calls: S3Calls, object: S3Object, path: string) {
  yield* putNewFromFile(calls, object, path)
  const stored = yield* stat(calls, object)
  yield* Effect.tryPromise({
    try: () => unlink(path),
    catch: (cause) =>
      new StorageError({
        reason: "Unavailable",
        uri: object.uri,
        message: `cannot remove ${path}, which is stored`,
        cause
      })
  })
  return stored
})

const make = (http: HttpCallsShape, cache: FileCacheShape, options: S3Options): StorageShape => {
  const calls = new S3Calls(http, options)
  const inside = insideOf(options.root)
  const writeNew: StorageShape["writeNew"] = (uri, bytes) =>
    objectOf(uri).pipe(
      Effect.flatMap(inside),
      Effect.flatMap((object) => putNew(calls, object, bytes))
    )
  const download = (object: S3Object) => (path: string) => writeS3File(calls, object, path)
  return Storage.of({
    read: (uri) => Effect.flatMap(objectOf(uri), (object) => cache.read(object.uri, download(object))),
    readRange: (uri, offset, length) =>
      Effect.flatMap(objectOf(uri), (object) =>
        cache.readRange(object.uri, offset, length, readS3Range(calls, object, offset, length))
      ),
    localFile: (uri, sizeBytes) =>
      Effect.flatMap(objectOf(uri), (object) => cache.localFile(object.uri, sizeBytes, download(object))),
    writeNew,
    writeNewAll: writeEach(writeNew),
    writeNewFromFile: (uri, path) =>
      objectOf(uri).pipe(
        Effect.flatMap(inside),
        Effect.flatMap((object) => takeOver(calls, object, path))
      ),
    list: (prefix) => list(calls, normaliseUri(prefix)),
    delete: (uri) =>
      objectOf(uri).pipe(
        Effect.flatMap(inside),
        Effect.flatMap((object) => deleted(calls, cache, object))
      ),
    stat: (uri) => Effect.flatMap(objectOf(uri), (object) => stat(calls, object))
  })
}

/** Storage on S3. Nothing is asked until it is used. */
export const layerS3 = (options: S3Options): Layer.Layer<Storage, never, HttpCalls | FileCache> =>
  Layer.effect(
    Storage,
    Effect.gen(function* () {
      return make(yield* HttpCalls, yield* FileCache, options)
    })
  )
