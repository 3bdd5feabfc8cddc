/** `Flow.eventTime`: which field is the time of a record, and how far out of order it may come. */
import { durationMs, type DurationText, type Timestamp } from "@frazil/core"
import { type Flow, fromNode } from "../Flow.ts"

type TimestampField<A> = { [F in keyof A]-?: A[F] extends Timestamp ? F : never }[keyof A] & string

/**
 * Sets event time and watermark: watermark = highest event time seen − `outOfOrderness`.
 * A record that is further ahead of its partition than `lead` (1 hour) moves time only when two more follow it; where all of
 * them have one key, only as the hundredth: it may be one clock that is wrong.
 *
 * Must stand right after `Flow.from`, so that the watermark is stamped before any filter.
 */
export const eventTime =
  <A, E, R, K>(
    field: TimestampField<A>,
    options: { readonly outOfOrderness: DurationText; readonly idleAfter?: DurationText; readonly lead?: DurationText }
  ) =>
  (self: Flow<A, E, R, K>): Flow<A, E, R, K> =>
    fromNode({
      op: "eventTime",
      name: undefined,
      inputs: [self.node],
      field,
      outOfOrdernessMs: durationMs(options.outOfOrderness),
      idleAfterMs: durationMs(options.idleAfter ?? "1 minute"),
      leadMs: durationMs(options.lead ?? "1 hour")
    })
