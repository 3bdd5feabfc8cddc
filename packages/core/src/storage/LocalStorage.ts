/**
 * Storage on local disk, with node:fs: the same code on Bun, Deno and Node.
 *
 * A new object is written under a temporary name, synced, linked to its own name (which fails when that exists) and its
 * folder synced; so a crash leaves at most a temporary file, which `list` shows only when asked. Of several objects the files
 * are synced side by side, linked in the order in which they were given, and each folder is synced once.
 */
import { constants } from "node:fs"
import { copyFile, type FileHandle, link, mkdir, open, opendir, readFile, stat, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Context, Effect, Layer, Random, Stream } from "effect"
import { localPath, normalisePrefix } from "./FileUri.ts"
import { type NewObject, Storage, type StoredObject } from "./Storage.ts"
import { StorageError } from "./StorageError.ts"

/** Names that `list` leaves out unless asked: files being written, or left by a crash. */
const temporarySuffix = ".frazil-part"

const errnoOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

const reasons: Readonly<Record<string, StorageError["reason"]>> = {
  ENOENT: "NotFound",
  ENOTDIR: "NotFound",
  EEXIST: "AlreadyExists",
  ENOSPC: "Full",
  EDQUOT: "Full"
}

const explanations: Readonly<Record<StorageError["reason"], string>> = {
  NotFound: "does not exist",
  AlreadyExists: "exists already and is never replaced",
  Full: "cannot be written: the disk is full; make room and start again",
  Unavailable: "cannot be reached",
  Refused: "may not be read or written: look at its owner and rights",
  Corrupt: "is damaged"
}

const toStorageError =
  (uri: string) =>
  (cause: unknown): StorageError => {
    if (cause instanceof StorageError) return cause
    const errno = errnoOf(cause)
    const reason = (errno === undefined ? undefined : reasons[errno]) ?? "Unavailable"
    const detail = reason === "Unavailable" && errno !== undefined ? ` (${errno})` : ""
    return new StorageError({ reason, uri, message: `${uri} ${explanations[reason]}${detail}`, cause })
  }

const attempt = <A>(uri: string, run: (path: string) => Promise<A>): Effect.Effect<A, StorageError> => {
  const path = localPath(uri)
  return path === undefined
    ? Effect.fail(
        new StorageError({
          reason: "Unavailable",
          uri,
          message: `${uri} is not on local disk: local storage takes file:///… only`
        })
      )
    : Effect.tryPromise({ try: () => run(path), catch: toStorageError(uri) })
}

type Sync = (handle: FileHandle, path: string, kind: "file" | "folder") => Promise<void>

/** How files and folders are made durable. A reference, so that a test can tell what waits for the disk, and for what. */
export const DiskSync = Context.Reference<{ readonly sync: Sync }>("@frazil/core/DiskSync", {
  defaultValue: () => ({ sync: (handle) => handle.sync() })
})

const syncPath = async (path: string, kind: "file" | "folder", sync: Sync): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY | (kind === "folder" ? constants.O_DIRECTORY : 0))
  try {
    await sync(handle, path, kind)
  } finally {
    await handle.close()
  }
}

type MakeFolder = (folder: string) => Promise<void>

/** Paths of folders are short; more are asked of the disk again. */
const foldersKnownMax = 10_000

/**
 * Makes folders, and the entry of each in its parent durable, up to the root. One that was there is synced, too, the first
 * time: who made it may be about to, or was killed before.
 */
const folderMaker = (root: string, sync: Sync): MakeFolder => {
  const known = new Set<string>()
  return async (folder) => {
    const firstMade = await mkdir(folder, { recursive: true })
    const top = firstMade !== undefined && firstMade.length <= root.length ? dirname(firstMade) : root
    const synced: Array<string> = []
    for (let at = folder; at.length > top.length; at = dirname(at)) {
      const made = firstMade !== undefined && at.length >= firstMade.length
      if (!made && known.has(at)) break
      await syncPath(dirname(at), "folder", sync)
      synced.push(at)
    }
    if (known.size + synced.length > foldersKnownMax) known.clear()
    for (const each of synced) known.add(each)
  }
}

const temporaryOf = (path: string, nonce: number): string => `${path}.${nonce.toString(36)}${temporarySuffix}`

const removeQuietly = async (path: string): Promise<void> => {
  // The failure before it is the one to report; a temporary file left over is not listed and harmless.
  await unlink(path).catch(() => undefined)
}

/** Gives the synced file `from` the name `to` unless that is taken; `from` is gone afterwards. */
const publish = async (from: string, to: string, sync: Sync): Promise<void> => {
  await link(from, to)
  await syncPath(dirname(to), "folder", sync)
  await unlink(from)
}

/** A file to be made, and what it is called until it is whole. */
interface NewFile extends NewObject {
  readonly path: string
  readonly temporary: string
}

const writeSynced = async ({ bytes, temporary }: NewFile, sync: Sync): Promise<void> => {
  const handle = await open(temporary, "wx")
  try {
    await handle.writeFile(bytes)
    await sync(handle, temporary, "file")
  } finally {
    await handle.close()
  }
}

/** Waits for all, and fails as the first that did: nothing is still being done afterwards. */
const every = async (doing: ReadonlyArray<Promise<void>>): Promise<void> => {
  const failed = (await Promise.allSettled(doing)).find((each) => each.status === "rejected")
  if (failed !== undefined) throw failed.reason
}

/** The failure told of its own file. */
const told = (uri: string, doing: Promise<void>): Promise<void> =>
  doing.catch((cause: unknown) => {
    throw toStorageError(uri)(cause)
  })

const writeNewAll = async (files: ReadonlyArray<NewFile>, makeFolder: MakeFolder, sync: Sync): Promise<void> => {
  const folders = Array.from(new Set(files.map(({ path }) => dirname(path))))
  try {
    for (const folder of folders) await makeFolder(folder)
    await every(files.map((file) => told(file.uri, writeSynced(file, sync))))
    // one after another: who finds the last of them, finds those before it
    for (const { path, temporary, uri } of files) await told(uri, link(temporary, path))
    await every(folders.map((folder) => syncPath(folder, "folder", sync)))
  } finally {
    await every(files.map(({ temporary }) => removeQuietly(temporary)))
  }
}

const writeNewFromFile = async (path: string, from: string, nonce: number, sync: Sync): Promise<void> => {
  await syncPath(from, "file", sync)
  try {
    await publish(from, path, sync)
  } catch (cause) {
    if (errnoOf(cause) !== "EXDEV") throw cause
    // Another file system: a copy there first, then the same step.
    const temporary = temporaryOf(path, nonce)
    try {
      await copyFile(from, temporary, constants.COPYFILE_EXCL)
      await syncPath(temporary, "file", sync)
      await publish(temporary, path, sync)
    } catch (failure) {
      await removeQuietly(temporary)
      throw failure
    }
    await unlink(from)
  }
}

const readRange = async (uri: string, path: string, offset: number, length: number): Promise<Uint8Array> => {
  const handle = await open(path, "r")
  try {
    const bytes = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
      if (bytesRead === 0) {
        const message = `${uri} ends at ${offset + filled}, but bytes up to ${offset + length} were asked for: it is damaged`
        throw new StorageError({ reason: "Corrupt", uri, message })
      }
      filled += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

const readWhole = async (path: string): Promise<Uint8Array> => {
  const bytes = await readFile(path)
  // A plain Uint8Array: a Buffer's `slice` shares memory where callers expect a copy.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const describe = async (path: string): Promise<StoredObject> => {
  const found = await stat(path)
  return { uri: `file://${path}`, sizeBytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
}

/** The path itself, once the file was found to be there and of its size. */
const checkSize = async (uri: string, path: string, sizeBytes: number | undefined): Promise<string> => {
  const { size } = await stat(path)
  if (sizeBytes === undefined || size === sizeBytes) return path
  const message = `${uri} has ${size} bytes instead of ${sizeBytes}: it is damaged or another`
  throw new StorageError({ reason: "Corrupt", uri, message })
}

async function* walk(folder: string, prefix: string, temporary: boolean): AsyncGenerator<StoredObject> {
  const directory = await opendir(folder).catch((cause: unknown) => {
    if (toStorageError(folder)(cause).reason === "NotFound") return undefined
    throw cause
  })
  if (directory === undefined) return
  for await (const entry of directory) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)) yield* walk(path, prefix, temporary)
    } else if (entry.isFile() && path.startsWith(prefix) && (temporary || !path.endsWith(temporarySuffix))) {
      const found = await describe(path).catch(() => undefined)
      if (found !== undefined) yield found
    }
  }
}

const nonce = Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)

const make = (root: string, sync: Sync): Storage["Service"] => {
  const rootPath = localPath(root) ?? root
  const inside = rootPath === "/" ? rootPath : `${rootPath}/`
  const makeFolder = folderMaker(rootPath, sync)
  const checkInside = (uri: string, path: string): void => {
    if (path.startsWith(inside)) return
    const message = `${uri} lies outside ${root}: nothing is written or deleted there; give that folder as the warehouse`
    throw new StorageError({ reason: "Unavailable", uri, message })
  }
  // waited for even when interrupted: whoever goes on afterwards must not be written beside
  const change = <A>(uri: string, run: (path: string) => Promise<A>): Effect.Effect<A, StorageError> =>
    Effect.uninterruptible(
      attempt(uri, (path) => {
        checkInside(uri, path)
        return run(path)
      })
    )
  const writeAll = Effect.fnUntraced(function* (
    objects: ReadonlyArray<NewObject>
  ): Effect.fn.Return<void, StorageError> {
    const [first] = objects
    if (first === undefined) return
    const number = yield* nonce
    const files = yield* Effect.forEach(objects, ({ bytes, uri }) =>
      change(uri, async (path): Promise<NewFile> => ({ uri, bytes, path, temporary: temporaryOf(path, number) }))
    )
    yield* Effect.uninterruptible(
      Effect.tryPromise({ try: () => writeNewAll(files, makeFolder, sync), catch: toStorageError(first.uri) })
    )
  })

  return Storage.of({
    read: (uri) => attempt(uri, readWhole),
    readRange: (uri, offset, length) => attempt(uri, (path) => readRange(uri, path, offset, length)),
    localFile: (uri, sizeBytes) => attempt(uri, (path) => checkSize(uri, path, sizeBytes)),
    writeNew: (uri, bytes) => writeAll([{ uri, bytes }]),
    writeNewAll: writeAll,
    writeNewFromFile: (uri, from) =>
      Effect.flatMap(nonce, (n) =>
        change(uri, async (path) => {
          await makeFolder(dirname(path))
          await writeNewFromFile(path, from, n, sync)
          return describe(path)
        })
      ),
    list: (prefix, options) =>
      Stream.unwrap(
        attempt(prefix, async () => {
          const start = normalisePrefix(prefix).slice("file://".length)
          const folder = start.slice(0, start.lastIndexOf("/")) || "/"
          return Stream.fromAsyncIterable(walk(folder, start, options?.temporary ?? false), toStorageError(prefix))
        })
      ),
    delete: (uri) =>
      change(uri, unlink).pipe(
        Effect.catch((error) => (error.reason === "NotFound" ? Effect.void : Effect.fail(error)))
      ),
    stat: (uri) => attempt(uri, describe)
  })
}

/**
 * Storage on this machine's disk, for `file:///…` URIs. Reads anywhere; writes and deletes below `root` only (an absolute
 * path or `file:` URI), so that no path in a damaged or foreign table can reach the rest of the disk.
 */
export const layerLocal = (root: string): Layer.Layer<Storage> =>
  Layer.effect(
    Storage,
    Effect.gen(function* () {
      return make(root, (yield* DiskSync).sync)
    })
  )
