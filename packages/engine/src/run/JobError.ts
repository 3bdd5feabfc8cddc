/** Why a job stopped, by what an operator should do. */
import { Schema } from "effect"

export class JobError extends Schema.TaggedError<JobError>()("JobError", {
  /** TopicRecreated, PartitionsChanged → a new name or the old topic; Corrupt → a backup; StateDiffers → another name. That another instance took the job over is a `LogError`. */
  reason: Schema.Literals(["TopicRecreated", "PartitionsChanged", "Corrupt", "StateDiffers"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
