/** The moment at which an epoch is committed and whoever asked has not heard of it; every log has it. */
import { faultPoint } from "@frazil/core"
import { LogError } from "@frazil/engine"
import { Effect } from "effect"

/** What fails while an epoch's answer is under way leaves its outcome unknown (protocol, rule 5). */
export const answerLost = faultPoint("epoch-unknown").pipe(
  Effect.catchDefect(
    (cause) =>
      new LogError({
        reason: "OutcomeUnknown",
        message: "the answer to an epoch's commit was lost: fence again and read back",
        cause
      })
  )
)
