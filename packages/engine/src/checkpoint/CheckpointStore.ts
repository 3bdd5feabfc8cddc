/**
 * Where snapshots of keyed state are kept: durable, create-only files under one root.
 *
 * Tasks write, read and delete them by name; a snapshot counts only once a later epoch names it with its hash.
 */
import { Storage, type StorageError, type StoredObject } from "@frazil/core"
import { Context, Effect, Layer, Stream } from "effect"

export class CheckpointStore extends Context.Service<
  CheckpointStore,
  {
    /** Fails with `AlreadyExists` rather than writing over a file. Durable when it returns. */
    readonly writeNew: (name: string, bytes: Uint8Array) => Effect.Effect<void, StorageError>
    readonly read: (name: string) => Effect.Effect<Uint8Array, StorageError>
    /** Names and ages below a folder. */
    readonly list: (
      folder: string
    ) => Effect.Effect<ReadonlyArray<{ readonly name: string; readonly modifiedMs: number }>, StorageError>
    /** Deleting what is not there succeeds. */
    readonly remove: (name: string) => Effect.Effect<void, StorageError>
  }
>()("@frazil/engine/CheckpointStore") {
  /** Keeps checkpoints below `root`, a URI that ends in a slash, on whatever storage is provided. */
  static readonly layer = (root: string): Layer.Layer<CheckpointStore, never, Storage> =>
    Layer.effect(
      CheckpointStore,
      Effect.map(Storage, (storage) => ({
        writeNew: (name, bytes) => storage.writeNew(root + name, bytes),
        read: (name) => storage.read(root + name),
        list: (folder) =>
          Effect.map(Stream.runCollect(storage.list(root + folder)), (objects) =>
            objects.map((object: StoredObject) => ({
              name: object.uri.slice(root.length),
              modifiedMs: object.modifiedMs
            }))
          ),
        remove: (name) => storage.delete(root + name)
      }))
    )
}

/** Tidying up: what cannot be done while the store is out of reach is left, and goes by age at a later start. */
export const unlessAway = <R>(tidying: Effect.Effect<void, StorageError, R>): Effect.Effect<void, StorageError, R> =>
  Effect.catchIf(
    tidying,
    ({ reason }) => reason === "Unavailable",
    () => Effect.void
  )
