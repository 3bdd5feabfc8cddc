/**
 * Storage of immutable objects by URI: lake files, and snapshots of state. Local disk, memory, later S3.
 *
 * **Guarantees**: what `writeNew` acknowledged survives a crash of the machine and is never replaced; an object is
 * either absent or whole, never torn. There is no rename and no overwrite: what changes lives in a catalog or in the log.
 */
import { Context, type Effect, type Stream } from "effect"
import type { StorageError } from "./StorageError.ts"

/** An object that exists. */
export interface StoredObject {
  /** In the spelling of `normaliseUri`. */
  readonly uri: string
  readonly sizeBytes: number
  /** When it was last written, epoch milliseconds by the store's clock. */
  readonly modifiedMs: number
}

export interface StorageShape {
  /** The whole object. NotFound when there is none. */
  readonly read: (uri: string) => Effect.Effect<Uint8Array, StorageError>
  /** Exactly `length` bytes from `offset` on. Corrupt when the object ends before. */
  readonly readRange: (uri: string, offset: number, length: number) => Effect.Effect<Uint8Array, StorageError>
  /** Creates the object, folders included. AlreadyExists when there is one, whatever it holds. */
  readonly writeNew: (uri: string, bytes: Uint8Array) => Effect.Effect<void, StorageError>
  /**
   * Creates the object from a finished local file, which is gone afterwards: how what another program wrote (DuckDB's
   * Parquet) becomes an object. Gives the object's size as it is stored.
   */
  readonly writeNewFromFile: (uri: string, path: string) => Effect.Effect<StoredObject, StorageError>
  /** Every object whose URI starts with `prefix`, in no order; objects made or deleted meanwhile may be missed. */
  readonly list: (prefix: string) => Stream.Stream<StoredObject, StorageError>
  /** Deletes the object; one that is not there is fine. */
  readonly delete: (uri: string) => Effect.Effect<void, StorageError>
  /** NotFound when there is none. */
  readonly stat: (uri: string) => Effect.Effect<StoredObject, StorageError>
}

/** The storage service. Implementations: `layerLocal`, `layerMemory`. */
export class Storage extends Context.Service<Storage, StorageShape>()("@frazil/core/Storage") {}
