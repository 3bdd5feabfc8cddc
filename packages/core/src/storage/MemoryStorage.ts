/**
 * Storage in memory, for tests and simulation: same promises as local disk except that nothing outlives the process.
 */
import { readFile, unlink } from "node:fs/promises"
import { Clock, Effect, Layer, Stream } from "effect"
import { normalisePrefix, normaliseUri } from "./FileUri.ts"
import { Storage, type StoredObject, writeEach } from "./Storage.ts"
import { StorageError } from "./StorageError.ts"

interface Entry {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

const missing = (uri: string) =>
  new StorageError({ reason: "NotFound", uri, message: `${uri} does not exist in memory storage` })

const make = Effect.sync(() => {
  const entries = new Map<string, Entry>()
  const describe = (uri: string, entry: Entry): StoredObject => ({
    uri,
    sizeBytes: entry.bytes.length,
    modifiedMs: entry.modifiedMs
  })

  const find = (uri: string): Effect.Effect<Entry, StorageError> =>
    Effect.suspend(() => {
      const entry = entries.get(normaliseUri(uri))
      return entry === undefined ? Effect.fail(missing(uri)) : Effect.succeed(entry)
    })

  const writeNew = (uri: string, bytes: Uint8Array): Effect.Effect<void, StorageError> =>
    Effect.flatMap(Clock.currentTimeMillis, (modifiedMs) => {
      const key = normaliseUri(uri)
      if (entries.has(key)) {
        return Effect.fail(
          new StorageError({ reason: "AlreadyExists", uri, message: `${uri} already exists in memory storage` })
        )
      }
      entries.set(key, { bytes: bytes.slice(), modifiedMs })
      return Effect.void
    })

  return Storage.of({
    // Copies, as reading a file gives: a caller may change what it got.
    read: (uri) => Effect.map(find(uri), (entry) => entry.bytes.slice()),
    readRange: (uri, offset, length) =>
      Effect.flatMap(find(uri), (entry) =>
        offset + length > entry.bytes.length
          ? Effect.fail(
              new StorageError({
                reason: "Corrupt",
                uri,
                message: `${uri} has ${entry.bytes.length} bytes, but ${length} were asked for from ${offset} on`
              })
            )
          : Effect.succeed(entry.bytes.slice(offset, offset + length))
      ),
    localFile: (uri) =>
      Effect.fail(
        new StorageError({ reason: "Unavailable", uri, message: `${uri} lies in memory: it has no local file` })
      ),
    writeNew,
    writeNewAll: writeEach(writeNew),
    writeNewFromFile: (uri, path) =>
      Effect.gen(function* () {
        const unavailable = (cause: unknown) =>
          new StorageError({ reason: "Unavailable", uri, message: `cannot take over ${path}`, cause })
        const bytes = yield* Effect.tryPromise({ try: () => readFile(path), catch: unavailable })
        yield* writeNew(uri, bytes)
        yield* Effect.tryPromise({ try: () => unlink(path), catch: unavailable })
        return describe(normaliseUri(uri), yield* find(uri))
      }),
    list: (prefix) =>
      Stream.suspend(() => {
        const start = normalisePrefix(prefix)
        const found = Array.from(entries, ([uri, entry]) => describe(uri, entry))
        return Stream.fromIterable(found.filter((object) => object.uri.startsWith(start)))
      }),
    delete: (uri) => Effect.sync(() => void entries.delete(normaliseUri(uri))),
    stat: (uri) => Effect.map(find(uri), (entry) => describe(normaliseUri(uri), entry))
  })
})

/** Storage that lives as long as its layer. */
export const layerMemory: Layer.Layer<Storage> = Layer.effect(Storage, make)
