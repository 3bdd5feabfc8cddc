/**
 * Where it is written which records a window did not take, or that were ahead of their topic: no record vanishes unseen.
 *
 * The contract of the ledger topic belongs to the model; apps provide it here, as they do dead letters. An entry is
 * written in the epoch of its record, so it is there once. A job with windows does not run without it.
 */
import { Context } from "effect"
import type { TopicRef } from "../flow/Node.ts"

/**
 * `late`: no window takes it any more. `dropped`: some windows that it belongs to took it, others were closed.
 * `evicted`: too many windows are open. `lead`: its time is so far ahead that it did not move the watermark; it is used.
 */
export type LedgerReason = "late" | "dropped" | "evicted" | "lead"

/** Why there is an entry: an operator's reason, a letter's, or a count of what conditions left out. */
export type EntryReason = LedgerReason | "dead_letter" | "failed" | "filtered"

/** What is known of a record that is entered. */
export interface LedgerInput {
  readonly job: string
  readonly operator: string
  readonly reason: LedgerReason
  readonly key: string | undefined
  /** Epoch milliseconds. */
  readonly eventTime: number
  /** How far the watermark was beyond the record; for `lead`, negative: how far it was behind. Undefined after the end of time. */
  readonly latenessMs: number | undefined
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The record as it was read. */
  readonly value: Uint8Array
}

/** A record that became a dead letter, or that an operator failed on. The letter holds it; it is not repeated here. */
export interface LetterInput extends Omit<LedgerInput, "reason" | "eventTime" | "latenessMs" | "value"> {
  /** `dead_letter`: it did not decode. `failed`: an operator's code threw, or a failure came to `orDeadLetter`. */
  readonly reason: "dead_letter" | "failed"
  /** Epoch milliseconds; undefined where it is not known. */
  readonly eventTime: number | undefined
}

/** Records that an operator left out because no condition held: how many, and the first and the last of their offsets. */
export interface FilteredInput {
  readonly job: string
  readonly operator: string
  readonly topic: string
  readonly partition: number
  readonly offsetFrom: number
  readonly offsetTo: number
  readonly count: number
}

export class Ledger extends Context.Service<
  Ledger,
  {
    readonly topic: TopicRef
    /** A record of `topic`. */
    readonly make: (input: LedgerInput) => object
    /** The entry of a dead letter or a failure, one each; left out: there are none. */
    readonly makeLetter?: (input: LetterInput) => object
    /** The entry of what conditions left out, at most one for an operator and `filteredBlock` offsets; left out: there are none. */
    readonly makeFiltered?: (input: FilteredInput) => object
  }
>()("@frazil/engine/Ledger") {}
