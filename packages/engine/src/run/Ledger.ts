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

export class Ledger extends Context.Service<
  Ledger,
  {
    readonly topic: TopicRef
    /** A record of `topic`. */
    readonly make: (input: LedgerInput) => object
  }
>()("@frazil/engine/Ledger") {}
