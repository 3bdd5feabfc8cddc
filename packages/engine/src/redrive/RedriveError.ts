/** Why a redrive stopped, by what an operator should do. */
import { Schema } from "effect"

export class RedriveError extends Schema.TaggedError<RedriveError>()("RedriveError", {
  /** TopicRecreated → what was sent before is not known any more; TooScattered → send all of them, or fewer conditions. */
  reason: Schema.Literals(["TopicRecreated", "TooScattered"]),
  message: Schema.String
}) {}
