/**
 * Where records go that no operator will see, or that an operator's code choked on.
 *
 * The contract of the dead-letter topic belongs to the model; apps provide it here. The letter is written in the epoch of
 * its record, so it is there once, like any output.
 */
import { Context } from "effect"
import type { RecordHeaders } from "@frazil/core"
import type { AnyFailed, AnyRecord, TopicRef } from "../flow/Node.ts"

/** What is known of a record that is dead-lettered. Messages hold field names and kinds, never values. */
export interface DeadLetterInput {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** A machine word: the decoder's, `operator_failed`, or the tag of a failure. */
  readonly reason: string
  readonly field: string | undefined
  readonly message: string
  readonly original: Uint8Array
  readonly headers: RecordHeaders | undefined
  /** Epoch milliseconds. */
  readonly failedAt: number
}

export class DeadLetters extends Context.Service<
  DeadLetters,
  {
    readonly topic: TopicRef
    readonly make: (input: DeadLetterInput) => AnyRecord
  }
>()("@frazil/engine/DeadLetters") {}

/** The reason and message of a failure that nobody caught. */
export const describeFailure = (failed: AnyFailed): { readonly reason: string; readonly message: string } => ({
  reason: failed._tag,
  message: failed.error.message
})
