/**
 * Copies on local disk of objects that never change, for reading: of a store that is far away, or that programs cannot
 * read (the bundled DuckDB knows local files only).
 *
 * `layerS3` reads through it. **Guarantees**: what is read is whole and of the size that it was copied with; a file given
 * out stays until its scope is closed, whatever is given up meanwhile, also by other processes. Copies outlive the
 * process. **Bounds**: `bytesMax` on disk, given up oldest read first; what is given out counts beside it until closed.
 */
import { open, readFile, unlink } from "node:fs/promises"
import { Clock, Context, Effect, Layer, Random, type Scope, Semaphore } from "effect"
import { StorageError } from "../StorageError.ts"
import { CacheFolder, hashOf } from "./CacheFolder.ts"

export interface FileCacheOptions {
  /** Of one machine; shared by its processes. */
  readonly folder: string
  readonly bytesMax: number
}

/** Writes the object into a new file; gives its size. */
type Download = (path: string) => Effect.Effect<number, StorageError>

export interface FileCacheShape {
  readonly read: (uri: string, download: Download) => Effect.Effect<Uint8Array, StorageError>
  /** From the copy when there is one; from `remote` otherwise, without making one. */
  readonly readRange: (
    uri: string,
    offset: number,
    length: number,
    remote: Effect.Effect<Uint8Array, StorageError>
  ) => Effect.Effect<Uint8Array, StorageError>
  /** As `Storage.localFile`. */
  readonly localFile: (
    uri: string,
    sizeBytes: number | undefined,
    download: Download
  ) => Effect.Effect<string, StorageError, Scope.Scope>
  /** The object is no more. */
  readonly forget: (uri: string) => Effect.Effect<void, StorageError>
}

const nonce = Effect.map(Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER), (n) => n.toString(36))

const diskError =
  (uri: string, folder: string) =>
  (cause: unknown): StorageError => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error"
    const full = code === "ENOSPC" || code === "EDQUOT"
    const message = full
      ? `${uri} cannot be copied to the cache ${folder}: the disk is full; make room, or make the cache smaller`
      : `${uri} cannot be read from or copied to the cache ${folder} (${code})`
    return new StorageError({ reason: full ? "Full" : "Unavailable", uri, message, cause })
  }

const readPart = async (path: string, offset: number, length: number): Promise<Uint8Array> => {
  const file = await open(path, "r")
  try {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await file.read(bytes, 0, length, offset)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

class Cache implements FileCacheShape {
  private readonly folder: CacheFolder
  private readonly path: string
  /** One copy of an object is made at a time. */
  private readonly making = new Map<string, { readonly one: Semaphore.Semaphore; waiting: number }>()

  constructor(folder: CacheFolder, path: string) {
    this.folder = folder
    this.path = path
  }

  private disk<A>(uri: string, run: () => Promise<A>): Effect.Effect<A, StorageError> {
    return Effect.tryPromise({ try: run, catch: diskError(uri, this.path) })
  }

  /** What `use` makes of the copy's path; undefined when there is none, or `use` finds that it has gone. */
  private fromCopy<A>(
    uri: string,
    sizeBytes: number | undefined,
    use: (path: string, sizeBytes: number) => Promise<A | undefined>
  ): Effect.Effect<A | undefined, StorageError> {
    const hash = hashOf(uri)
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      const size = sizeBytes ?? this.folder.sizeOf(hash)
      if (size === undefined) return Effect.undefined
      const copy = { hash, sizeBytes: size }
      return this.disk(uri, async () =>
        (await this.folder.use(copy, nowMs)) ? use(this.folder.pathOf(copy), size) : undefined
      )
    })
  }

  private oneAtATime<A, R>(uri: string, run: Effect.Effect<A, StorageError, R>): Effect.Effect<A, StorageError, R> {
    return Effect.suspend(() => {
      const entry = this.making.get(uri) ?? { one: Semaphore.makeUnsafe(1), waiting: 0 }
      this.making.set(uri, entry)
      entry.waiting++
      return entry.one
        .withPermits(1)(run)
        .pipe(
          Effect.ensuring(
            Effect.sync(() => {
              if (--entry.waiting === 0) this.making.delete(uri)
            })
          )
        )
    })
  }

  /** Copies the object; `use` sees the file before others do. On a full disk, once more with all else given up. */
  private copied<A>(
    uri: string,
    sizeBytes: number | undefined,
    download: Download,
    use: (path: string) => Promise<A>
  ): Effect.Effect<A, StorageError> {
    const once = Effect.scoped(
      Effect.gen({ self: this }, function* () {
        const made = this.folder.partPath(yield* nonce)
        const part = yield* Effect.acquireRelease(Effect.succeed(made), (path) =>
          // published or not: what is left of it goes
          Effect.promise(() => unlink(path).catch(() => undefined))
        )
        const size = yield* download(part)
        if (sizeBytes !== undefined && size !== sizeBytes) {
          const message = `${uri} has ${size} bytes instead of ${sizeBytes}: it is damaged or another`
          return yield* new StorageError({ reason: "Corrupt", uri, message })
        }
        const used = yield* this.disk(uri, () => use(part))
        if (this.folder.keeps(size)) {
          yield* this.disk(uri, () => this.folder.publish(part, { hash: hashOf(uri), sizeBytes: size }))
        }
        return used
      })
    )
    const emptied = this.disk(uri, () => this.folder.makeRoom(Number.MAX_SAFE_INTEGER))
    return once.pipe(
      Effect.catchIf(
        ({ reason }) => reason === "Full",
        () => Effect.andThen(emptied, once)
      )
    )
  }

  read(uri: string, download: Download): Effect.Effect<Uint8Array, StorageError> {
    const whole = (path: string) => readFile(path).then((bytes) => new Uint8Array(bytes))
    const fromCopy = this.fromCopy(uri, undefined, async (path, size) => {
      const bytes = await whole(path).catch(() => undefined)
      return bytes?.length === size ? bytes : undefined
    })
    return this.either(uri, fromCopy, this.copied(uri, undefined, download, whole))
  }

  private either<A, R>(
    uri: string,
    fromCopy: Effect.Effect<A | undefined, StorageError>,
    copied: Effect.Effect<A, StorageError, R>
  ): Effect.Effect<A, StorageError, R> {
    return Effect.flatMap(fromCopy, (found): Effect.Effect<A, StorageError, R> =>
      found !== undefined
        ? Effect.succeed(found)
        : this.oneAtATime(
            uri,
            // somebody else may have made it meanwhile
            Effect.flatMap(fromCopy, (again): Effect.Effect<A, StorageError, R> =>
              again !== undefined ? Effect.succeed(again) : copied
            )
          )
    )
  }

  readRange(
    uri: string,
    offset: number,
    length: number,
    remote: Effect.Effect<Uint8Array, StorageError>
  ): Effect.Effect<Uint8Array, StorageError> {
    const fromCopy = this.fromCopy(uri, undefined, async (path) => {
      const bytes = await readPart(path, offset, length).catch(() => undefined)
      return bytes?.length === length ? bytes : undefined
    })
    return Effect.flatMap(fromCopy, (found) => (found === undefined ? remote : Effect.succeed(found)))
  }

  localFile(
    uri: string,
    sizeBytes: number | undefined,
    download: Download
  ): Effect.Effect<string, StorageError, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const made = this.folder.linkPath(uri, yield* nonce)
      const held = yield* Effect.acquireRelease(Effect.succeed(made), (path) =>
        Effect.promise(() => unlink(path).catch(() => undefined))
      )
      const fromCopy = this.fromCopy(uri, sizeBytes, async (path) =>
        (await this.folder.hold(path, held)) ? held : undefined
      )
      const copied = this.copied(uri, sizeBytes, download, async (part) => {
        await this.folder.hold(part, held)
        return held
      })
      return yield* this.either(uri, fromCopy, copied)
    })
  }

  forget(uri: string): Effect.Effect<void, StorageError> {
    const hash = hashOf(uri)
    const size = this.folder.sizeOf(hash)
    return size === undefined ? Effect.void : this.disk(uri, () => this.folder.remove(hash, size))
  }
}

const make = Effect.fnUntraced(function* ({ bytesMax, folder: path }: FileCacheOptions) {
  const nowMs = yield* Clock.currentTimeMillis
  const name = yield* nonce
  const folder = yield* Effect.acquireRelease(
    Effect.try({
      try: () => new CacheFolder(path, bytesMax, nowMs, name),
      catch: diskError("the cache of files", path)
    }),
    (opened) => Effect.sync(() => opened.close())
  )
  const cache = new Cache(folder, path)
  return FileCache.of({
    read: (uri, download) => cache.read(uri, download),
    readRange: (uri, offset, length, remote) => cache.readRange(uri, offset, length, remote),
    localFile: (uri, sizeBytes, download) => cache.localFile(uri, sizeBytes, download),
    forget: (uri) => cache.forget(uri)
  })
})

/** The cache of files. */
export class FileCache extends Context.Service<FileCache, FileCacheShape>()("@frazil/core/FileCache") {
  static readonly layer = (options: FileCacheOptions): Layer.Layer<FileCache, StorageError> =>
    Layer.effect(FileCache, make(options))
}
