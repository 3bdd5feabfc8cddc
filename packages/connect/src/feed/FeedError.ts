/**
 * Why a file cannot be fed to a topic. All reasons: stop, and tell the operator.
 */
import { Schema } from "effect"

export class FeedError extends Schema.TaggedError<FeedError>()("FeedError", {
  reason: Schema.Literals([
    /** The file does not exist, or cannot be read. */
    "FileUnreadable",
    /** The topic was fed from other content. */
    "FeedDiffers",
    /** The topic was deleted and made anew since the feed began. */
    "TopicRecreated"
  ]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
