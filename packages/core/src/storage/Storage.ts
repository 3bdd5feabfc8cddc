/**
 * Storage of immutable objects by URI: lake files, and snapshots of state. Local disk, memory, S3.
 *
 * **Guarantees**: what `writeNew` acknowledged survives a crash of the machine and is never replaced; an object is
 * either absent or whole, never torn. There is no rename and no overwrite: what changes lives in a catalog or in the log.
 */
import { Context, Effect, type Scope, type Stream } from "effect"
import type { StorageError } from "./StorageError.ts"

/** An object that exists. */
export interface StoredObject {
  /** In the spelling of `normaliseUri`. */
  readonly uri: string
  readonly sizeBytes: number
  /** When it was last written, epoch milliseconds by the store's clock. */
  readonly modifiedMs: number
}

/** An object to be made. */
export interface NewObject {
  readonly uri: string
  readonly bytes: Uint8Array
}

export interface StorageShape {
  /** The whole object. NotFound when there is none. */
  readonly read: (uri: string) => Effect.Effect<Uint8Array, StorageError>
  /** Exactly `length` bytes from `offset` on. Corrupt when the object ends before. */
  readonly readRange: (uri: string, offset: number, length: number) => Effect.Effect<Uint8Array, StorageError>
  /**
   * The path of a local file with the object's content, for programs that read files only (DuckDB): the object itself on
   * local disk, a copy elsewhere. There as long as the scope is open. `sizeBytes`: what it must have, when that is known;
   * Corrupt when it has another. Unavailable where there are no files.
   */
  readonly localFile: (uri: string, sizeBytes?: number) => Effect.Effect<string, StorageError, Scope.Scope>
  /** Creates the object, folders included. AlreadyExists when there is one, whatever it holds. */
  readonly writeNew: (uri: string, bytes: Uint8Array) => Effect.Effect<void, StorageError>
  /**
   * Creates several objects, each as `writeNew` does, but waits for all at once: on local disk their files are synced side by
   * side and a folder once. All are durable when it succeeds; when it fails, any of them may be there, each of them whole.
   */
  readonly writeNewAll: (objects: ReadonlyArray<NewObject>) => Effect.Effect<void, StorageError>
  /**
   * Creates the object from a finished local file, which is gone afterwards: how what another program wrote (DuckDB's
   * Parquet) becomes an object. Gives the object's size as it is stored.
   */
  readonly writeNewFromFile: (uri: string, path: string) => Effect.Effect<StoredObject, StorageError>
  /**
   * Every object whose URI starts with `prefix`, in no order; objects made or deleted meanwhile may be missed. `temporary`: where
   * objects are made under other names first, those names too, of writes under way and of such that were cut off.
   */
  readonly list: (
    prefix: string,
    options?: { readonly temporary?: boolean }
  ) => Stream.Stream<StoredObject, StorageError>
  /** Deletes the object; one that is not there is fine. */
  readonly delete: (uri: string) => Effect.Effect<void, StorageError>
  /** NotFound when there is none. */
  readonly stat: (uri: string) => Effect.Effect<StoredObject, StorageError>
}

/** Objects that are written at once where each is written for itself. */
const writesAtOnce = 8

/** `writeNewAll` of a storage that has no way to wait for several objects in common. */
export const writeEach =
  (writeNew: StorageShape["writeNew"]): StorageShape["writeNewAll"] =>
  (objects) =>
    Effect.forEach(objects, ({ bytes, uri }) => writeNew(uri, bytes), { concurrency: writesAtOnce, discard: true })

/** The storage service. Implementations: `layerLocal`, `layerMemory`, `layerS3`. */
export class Storage extends Context.Service<Storage, StorageShape>()("@frazil/core/Storage") {}
