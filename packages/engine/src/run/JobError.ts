/** Why a job stopped, by what an operator should do. */
import { Schema } from "effect"

export class JobError extends Schema.TaggedError<JobError>()("JobError", {
  /** Fenced → another instance runs it; TopicRecreated, PartitionsChanged → a new name or the old topic; Corrupt → a backup; TopicMissing → make it. */
  reason: Schema.Literals(["Fenced", "TopicRecreated", "PartitionsChanged", "Corrupt", "TopicMissing"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}
