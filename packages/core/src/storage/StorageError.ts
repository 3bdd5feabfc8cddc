/**
 * What can go wrong with storage, by what the caller should do about it.
 *
 * `reason` decides: NotFound, AlreadyExists → the caller's own case; Unavailable → retry later; Full → stop until there is
 * room; Refused (keys, rights, no such bucket), Corrupt → stop and tell the operator.
 */
import { Schema } from "effect"

export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  reason: Schema.Literals(["NotFound", "AlreadyExists", "Full", "Unavailable", "Refused", "Corrupt"]),
  uri: Schema.String,
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
