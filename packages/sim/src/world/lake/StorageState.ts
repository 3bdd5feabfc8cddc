/**
 * What simulated storage keeps: whole objects, and torn ones that nobody acknowledged. Durable.
 *
 * `faultyStorage` gives a process its view of it, with the promises of `Storage` and no more: what was not acknowledged may
 * be there, whole or torn, or not, or come later.
 */
import { normaliseUri, Storage, StorageError, type StorageShape, writeEach } from "@frazil/core"
import { Effect, Stream } from "effect"
import type { Caller, Door, Failures } from "../Port.ts"

interface StoredBytes {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

export class StorageState {
  readonly objects = new Map<string, StoredBytes>()
  /** What was there once, and was deleted. */
  readonly removed = new Set<string>()
  /** Told before an object goes. */
  removing: (uri: string) => void = () => {}
  /** Storage has a clock of its own. */
  nowMs: () => number = () => 0

  put(uri: string, bytes: Uint8Array): void {
    this.objects.set(normaliseUri(uri), { bytes: bytes.slice(), modifiedMs: this.nowMs() })
  }

  delete(uri: string): void {
    const name = normaliseUri(uri)
    if (!this.objects.has(name)) return
    this.removing(name)
    this.objects.delete(name)
    this.removed.add(name)
  }

  bytesOf(uri: string): Uint8Array | undefined {
    return this.objects.get(normaliseUri(uri))?.bytes
  }
}

const failed = (reason: StorageError["reason"], uri: string, what: string) =>
  new StorageError({ reason, uri, message: `${uri} ${what}` })

const failuresAt = (uri: string): Failures<StorageError> => ({
  unavailable: () => failed("Unavailable", uri, "is out of reach"),
  // storage has no word for it: who writes a new name does not need one
  unknown: () => failed("Unavailable", uri, "may or may not have been changed"),
  full: () => failed("Full", uri, "cannot be written: the disk is full")
})

/** Storage as a process of the world sees it. */
export const faultyStorage = (door: Door, caller: Caller, state: StorageState): StorageShape => {
  const find = (uri: string) =>
    Effect.suspend(() => {
      const found = state.objects.get(normaliseUri(uri))
      return found === undefined ? Effect.fail(failed("NotFound", uri, "does not exist")) : Effect.succeed(found)
    })
  const read = <A>(name: string, uri: string, inner: Effect.Effect<A, StorageError>) =>
    door.perform(caller, { name: `storage.${name}`, writes: false }, inner, failuresAt(uri))
  const put = (uri: string, bytes: Uint8Array) =>
    Effect.suspend(() => {
      if (state.objects.has(normaliseUri(uri))) return Effect.fail(failed("AlreadyExists", uri, "exists already"))
      return Effect.sync(() => state.put(uri, bytes))
    })
  const writeNew = (uri: string, bytes: Uint8Array) =>
    door.perform(caller, { name: "storage.writeNew", writes: true }, put(uri, bytes), failuresAt(uri), {
      torn: () => {
        if (!state.objects.has(normaliseUri(uri))) state.put(uri, bytes.subarray(0, bytes.length >> 1))
      }
    })
  return Storage.of({
    read: (uri) =>
      read(
        "read",
        uri,
        Effect.map(find(uri), ({ bytes }) => bytes.slice())
      ),
    readRange: (uri, offset, length) =>
      read(
        "readRange",
        uri,
        Effect.flatMap(find(uri), ({ bytes }) =>
          offset + length > bytes.length
            ? Effect.fail(failed("Corrupt", uri, "ends before"))
            : Effect.succeed(bytes.slice(offset, offset + length))
        )
      ),
    localFile: () => Effect.die(new Error("the simulated world has no local files")),
    writeNew,
    // each on its own way: any of them may be lost, torn or late while the others are there
    writeNewAll: writeEach(writeNew),
    writeNewFromFile: () => Effect.die(new Error("the simulated world has no local files")),
    list: (prefix) =>
      Stream.unwrap(
        read(
          "list",
          prefix,
          Effect.sync(() =>
            Stream.fromArray(
              [...state.objects]
                .filter(([uri]) => uri.startsWith(prefix))
                .map(([uri, { bytes, modifiedMs }]) => ({ uri, sizeBytes: bytes.length, modifiedMs }))
            )
          )
        )
      ),
    delete: (uri) =>
      door.perform(
        caller,
        { name: "storage.delete", writes: true },
        Effect.sync(() => state.delete(uri)),
        failuresAt(uri)
      ),
    stat: (uri) =>
      read(
        "stat",
        uri,
        Effect.map(find(uri), ({ bytes, modifiedMs }) => ({
          uri: normaliseUri(uri),
          sizeBytes: bytes.length,
          modifiedMs
        }))
      )
  })
}
