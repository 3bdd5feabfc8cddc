/**
 * Where records go that no operator will see, or that an operator's code choked on.
 *
 * The contract of the dead-letter topic belongs to the model; apps provide it here. The letter is written in the epoch of
 * its record, so it is there once, like any output.
 */
import { Context } from "effect"
import { EncodeError, type RecordHeaders, type Timestamp } from "@frazil/core"
import type { AnyFailed, TopicRef } from "../flow/Node.ts"
import { StateBoundError } from "../keyed/StateBoundError.ts"
import { KeyError } from "./StateKey.ts"
import { StoreError } from "../store/StoreError.ts"

/** What is known of a record that is dead-lettered. */
export interface DeadLetterInput {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /**
   * `reason` is a machine word: the decoder's, `operator_failed`, or the tag of a failure. The message holds field names
   * and kinds, never values.
   */
  readonly failure: { readonly reason: string; readonly field: string | undefined; readonly message: string }
  readonly value: Uint8Array
  readonly headers: RecordHeaders | undefined
  readonly failedAt: Timestamp
}

export class DeadLetters extends Context.Service<
  DeadLetters,
  {
    readonly topic: TopicRef
    /** A record of `topic`. */
    readonly make: (input: DeadLetterInput) => object
  }
>()("@frazil/engine/DeadLetters") {}

/** What is told of an operator whose code threw. A store's failure is none of its: that goes on to whoever runs the shard. */
export const describeThrown = (operator: string, error: unknown): DeadLetterInput["failure"] => {
  if (error instanceof StoreError) throw error
  // ours name fields and kinds only; another error's message may quote the record, so only its kind is told
  if (error instanceof EncodeError || error instanceof KeyError || error instanceof StateBoundError) {
    return { reason: "operator_failed", field: error.field, message: error.message }
  }
  const kind = error instanceof Error ? error.name : typeof error
  return { reason: "operator_failed", field: undefined, message: `the code of ${operator} threw ${kind}` }
}

/** The reason and message of a failure that nobody caught. */
export const describeFailure = (failed: AnyFailed): DeadLetterInput["failure"] => ({
  reason: failed._tag,
  field: undefined,
  message: failed.error.message
})
