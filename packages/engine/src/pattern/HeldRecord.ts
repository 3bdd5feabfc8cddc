/**
 * Records that a pattern holds: until the watermark passes them, and then as long as a partial match has taken them.
 */
import type { AnyRecord } from "../flow/Node.ts"

export interface HeldRecord {
  /** Counts the records of this operator in this shard, in the order they were read. */
  readonly id: number
  readonly key: string
  /** Epoch milliseconds. */
  readonly time: number
  /** Of the source record. */
  readonly offset: number
  /** The source record, its own bytes. */
  readonly bytes: Uint8Array
  /** By condition: those that hold of it by itself, and those that only code can tell when its turn comes. */
  readonly mask: number
  /** Code has changed it since it was read: `record` is all there is of it. */
  readonly changed: boolean
  /** Undefined: nobody has asked for it yet. */
  record: AnyRecord | undefined
  /** Which record of the shard it was when its turn came, by event time, from 1; 0: it has not come yet. */
  turn: number
}

/** What a pattern needs of the shard that it runs in. */
export interface PatternHost {
  /** The record whose turn it is: what is thrown now is about it. */
  judging: HeldRecord | undefined
  firedAt: number
  readonly readBack: (bytes: Uint8Array) => AnyRecord
  readonly threw: (batch: undefined, row: number, operator: string, error: unknown) => void
  readonly enterHeld: (
    record: HeldRecord,
    note: { readonly operator: string; readonly reason: "evicted"; readonly latenessMs: number }
  ) => void
}

/** The record object, made when first asked for. */
export const recordOf = (held: HeldRecord, host: PatternHost): AnyRecord => (held.record ??= host.readBack(held.bytes))
