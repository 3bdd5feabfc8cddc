/**
 * What a sink delivers to: a store or a hook without transactions.
 *
 * `runSink` calls it with records in the order of their offsets. **Delivery**: at least once: after a restart records come
 * again, and an earlier run may still be delivering. So stores write only what is newer (protocol, rule 18), and hooks get
 * an id by which to know a record again.
 */
import { type Effect, Schema } from "effect"

/** A record, where it stands, and as it came. */
export interface SinkRecord<A> {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  readonly record: A
  /** The record's bytes as text: JSON. */
  readonly json: string
}

/**
 * The other side could not take records now: all of them are delivered again, but the first `delivered`.
 */
export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  message: Schema.String,
  delivered: Schema.Int,
  /** How long the other side asked to be left alone. */
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}

/** A record that the other side will never take, and why: no content in the message. */
export interface Refused<A> {
  readonly record: SinkRecord<A>
  readonly message: string
}

export interface SinkTarget<A> {
  /** Delivers all of them, and says which were refused for good. */
  readonly deliver: (records: ReadonlyArray<SinkRecord<A>>) => Effect.Effect<ReadonlyArray<Refused<A>>, SinkError>
}

/** The same for every delivery of a record, and for no other record. */
export const recordId = ({ offset, partition, topicId }: SinkRecord<unknown>): string =>
  `${topicId}/${partition}/${offset}`

/** The last record of each key, in order: what a store that keeps one value a key is left with. */
export const lastByKey = <A>(
  records: ReadonlyArray<SinkRecord<A>>,
  keyOf: (record: A) => string
): ReadonlyArray<SinkRecord<A>> => {
  const last = new Map(records.map((each) => [keyOf(each.record), each] as const))
  return records.filter((each) => last.get(keyOf(each.record)) === each)
}
