/**
 * Where snapshots of keyed state are kept: durable, create-only files.
 *
 * Tasks write, read and delete them by name; a snapshot counts only once a later epoch names it with its hash.
 */
import { Context, type Effect, Schema } from "effect"

export class CheckpointError extends Schema.TaggedError<CheckpointError>()("CheckpointError", {
  /** Missing and Damaged → an older snapshot stands in; Unavailable → try again later; Full → stop. */
  reason: Schema.Literals(["Missing", "Damaged", "Exists", "Full", "Unavailable"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface StoredCheckpoint {
  readonly name: string
  readonly modifiedAtMs: number
}

export class CheckpointStore extends Context.Service<
  CheckpointStore,
  {
    /** Fails with `Exists` rather than writing over a file. Durable when it returns. */
    readonly writeNew: (name: string, bytes: Uint8Array) => Effect.Effect<void, CheckpointError>
    readonly read: (name: string) => Effect.Effect<Uint8Array, CheckpointError>
    readonly list: (prefix: string) => Effect.Effect<ReadonlyArray<StoredCheckpoint>, CheckpointError>
    /** Deleting what is not there succeeds. */
    readonly remove: (name: string) => Effect.Effect<void, CheckpointError>
  }
>()("@frazil/engine/CheckpointStore") {}
