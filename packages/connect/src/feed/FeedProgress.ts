/**
 * How far a file was fed to a topic: the record in force of the feed's shard.
 *
 * `FileFeed` commits it with the records; apps read it to show progress, and to know that a topic's input has ended.
 */
import { Effect, Schema } from "effect"
import { LogError, type LogShape, type RecordInForce, type ShardId } from "@frazil/engine"

const FeedProgressSchema = Schema.Struct({
  /** The path as it was given, for messages: what a file contains says whether it is the same. */
  file: Schema.String,
  topicId: Schema.String,
  /** Bytes of the file that are in the topic: the next line begins there. */
  bytes: Schema.Number,
  /** SHA-256 of these bytes, in hexadecimal. */
  sha256: Schema.String,
  lines: Schema.Number,
  /** Lines that were longer than a record may be. */
  linesTooLong: Schema.Number,
  /** The end of the file was reached, and is in the topic. */
  finished: Schema.Boolean
})

export type FeedProgress = typeof FeedProgressSchema.Type

const decode = Schema.decodeUnknownEffect(FeedProgressSchema)

/** The log stage that feeds a topic. */
export const feedShard = (topic: string): ShardId => ({ uid: `feed.${topic}`, stage: "feed", shard: 0 })

/** What a record in force says about the feed. */
export const progressOf = (
  topic: string,
  inForce: RecordInForce | undefined
): Effect.Effect<FeedProgress | undefined, LogError> =>
  inForce === undefined
    ? Effect.undefined
    : Effect.mapError(
        decode(inForce.detail),
        (cause) =>
          new LogError({
            reason: "Corrupt",
            message: `the record in force of ${feedShard(topic).uid} is not one of a feed: it was written by another version of frazil`,
            cause
          })
      )

/** How far a topic was fed; undefined when it never was. */
export const feedProgress = (log: LogShape, topic: string): Effect.Effect<FeedProgress | undefined, LogError> =>
  Effect.flatMap(log.inForce(feedShard(topic)), (inForce) => progressOf(topic, inForce))
