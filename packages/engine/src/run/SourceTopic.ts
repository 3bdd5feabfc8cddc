/**
 * Whether a topic is still the one that a job read before (protocol, rule 9): positions and state mean nothing in another.
 *
 * Asked when a task restores, of the record in force, and before each commit, of the topic that the epoch was read from.
 */
import { Effect } from "effect"
import type { SourcePosition, TopicInfo } from "../log/Log.ts"
import { JobError } from "./JobError.ts"

/** Fails with the way out when `now` is not the topic that was `read`. */
export const sameTopic = (
  uid: string,
  read: Omit<SourcePosition, "offset">,
  now: TopicInfo
): Effect.Effect<void, JobError> => {
  if (read.topicId !== now.id) {
    return new JobError({
      reason: "TopicRecreated",
      message: `job ${uid}: topic ${now.name} was deleted and made anew since this job read it (id ${read.topicId}, now ${now.id}); its positions mean nothing there. Restore the topic, or start the job under a new name.`
    })
  }
  if (read.partitions !== now.partitions) {
    return new JobError({
      reason: "PartitionsChanged",
      message: `job ${uid}: topic ${now.name} had ${read.partitions} partitions when this job started and has ${now.partitions} now, so keys moved away from their state. Start the job under a new name, or bring the topic back.`
    })
  }
  return Effect.void
}
