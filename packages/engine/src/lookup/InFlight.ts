/**
 * A record that a lookup holds, from when it came in until its answer is passed on.
 *
 * `LookupState` makes and keeps it, the asker gives it its outcome, the stage's program goes on with it.
 */
import type { AnyFailed, AnyRecord } from "../flow/Node.ts"

/** What became of a record: an answer, a typed failure, or something that the service or code threw. */
export type Outcome =
  | { readonly _tag: "Answered"; readonly answer: object }
  | { readonly _tag: "Failed"; readonly failed: AnyFailed }
  | { readonly _tag: "Threw"; readonly error: unknown }

/** The source record that a record in flight was made from. */
export interface Origin {
  /** In the source's partition. */
  readonly offset: number
  /** Of the stage: the one that it entered by, which says what its bytes are. */
  readonly port: number
  /** Its bytes, its own. */
  readonly bytes: Uint8Array
  /** As it was read. */
  readonly read: AnyRecord
  /** It has decimals that compiled code does not take. */
  readonly wide: boolean
  /** Epoch milliseconds; NaN when the flow has none. */
  readonly eventTime: number
  /** The shard's watermark when it was read: none passes it while it is in flight (protocol, rule 11). */
  readonly watermark: number
}

export interface InFlight extends Origin {
  /** Counts the records that came into this lookup in this shard. */
  readonly id: number
  /** The record as it came in. */
  readonly record: AnyRecord
  readonly key: unknown
  readonly enteredAtMs: number
  /** Tells its shard that there is an outcome; whether a record can leave now. */
  readonly settled: (entry: InFlight) => boolean
  outcome: Outcome | undefined
}
