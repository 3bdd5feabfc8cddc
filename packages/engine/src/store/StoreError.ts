/**
 * What can go wrong with a store on disk, by what the task does about it.
 *
 * Thrown from plain loops and caught once, where the task runs: Damaged and Unavailable → the shard starts over from its
 * snapshot and changes; Full and Refused → the job stops. A store holds nothing that the log does not have.
 */
import { Schema } from "effect"

export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  reason: Schema.Literals(["Damaged", "Unavailable", "Full", "Refused"]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
