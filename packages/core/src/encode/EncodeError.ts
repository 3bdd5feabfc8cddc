/**
 * A record that its topic does not accept, found when it was to be written.
 *
 * It comes from a function that made a wrong record (a negative amount, a text that is none of those allowed), so trying
 * again does not help: the job stops, or routes the record where its author says.
 */
import { Schema } from "effect"

export class EncodeError extends Schema.TaggedError<EncodeError>()("EncodeError", {
  topic: Schema.String,
  field: Schema.String,
  /** What is wrong with the field: kinds and bounds, never the value. */
  message: Schema.String
}) {}
