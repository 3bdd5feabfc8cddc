/**
 * What can go wrong with a log, by what the caller should do about it.
 *
 * `reason` decides: Unavailable → retry later; Fenced → stop, another owner has the shard; OutcomeUnknown → discard memory,
 * fence again, read back (protocol, rule 5); the others → stop and tell the operator.
 */
import { Schema } from "effect"

export class LogError extends Schema.TaggedError<LogError>()("LogError", {
  reason: Schema.Literals([
    "Unavailable",
    "Fenced",
    "OutcomeUnknown",
    "Corrupt",
    "Full",
    "Refused",
    "TopicMissing",
    "TopicDiffers",
    "OffsetOutOfRange",
    "RecordTooLong",
    "SequenceGap"
  ]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
