/** Why a job stopped, by what an operator should do. */
import { Schema } from "effect"

export class JobError extends Schema.TaggedError<JobError>()("JobError", {
  /** TopicRecreated, PartitionsChanged → a new name or the old topic; Corrupt → a backup; StateDiffers → another name; KeyMissing → the key in the settings; StoreRefused → room on the disk, or the right to write there; StoreLost → nothing, the shard starts over from its snapshot. That another instance took the job over is a `LogError`. */
  reason: Schema.Literals([
    "TopicRecreated",
    "PartitionsChanged",
    "Corrupt",
    "StateDiffers",
    "KeyMissing",
    "StoreRefused",
    "StoreLost"
  ]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
