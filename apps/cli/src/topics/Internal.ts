/** Topics that a job writes for itself, between its stages: no command reads them, whose values nobody has marked, or writes them. */
import { isInternalTopic } from "@frazil/engine"
import { Effect } from "effect"
import { CommandError } from "../CommandError.ts"

export const refuseInternal = (topic: string): Effect.Effect<void, CommandError> =>
  isInternalTopic(topic)
    ? new CommandError({
        message: `topic ${topic} is a job's own, between its stages: read or write a topic that the job reads or writes, "frazil flows lineage" shows which`
      })
    : Effect.void
