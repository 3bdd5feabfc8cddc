/**
 * The log in one SQLite file: the default log, for one machine and any number of processes on it.
 *
 * Apps provide its layer; jobs, the landing, producers and commands use it as `Log`. Files by the path of a call:
 * `EmbeddedLog` → `LogFile` → `Transactions` (errors) → tables (`TopicTable`, `BatchTable`, `ShardTable`,
 * `ProducerTable`) → `BatchRow` (bytes). **Delivery**: what is acknowledged is synced. **Bounds**: records, rows and
 * each transaction but an epoch's, which is as large as the epoch.
 */
import { Effect, Layer, type Scope } from "effect"
import { faultPoint } from "@frazil/core"
import { type Append, type EpochCommit, Log, type LogError, type LogShape, type Producer } from "@frazil/engine"
import { answerLost } from "../log/AnswerLost.ts"
import { appendRecords, noRecords, offsetAtTime, purgeRows, readRecords, trimPartition } from "./BatchTable.ts"
import type { Database } from "./Database.ts"
import { type LogFile, openLogFile } from "./LogFile.ts"
import { appendSequence, openProducer } from "./ProducerTable.ts"
import { commitShard, dropDeltas, listDeltas, listShards, recordInForce, takeShard } from "./ShardTable.ts"
import type { CommitFaults, WriteAbout } from "./Transactions.ts"
import { declaredTopic, deleteTopic, listTopics, makeTopic, topicBounds, topicInfo } from "./TopicTable.ts"

/** The longest record that a log takes unless told otherwise: 1 MiB. */
export const recordBytesMaxDefault = 1_048_576

export interface EmbeddedLogOptions {
  /** The file, `<data>/log.db`; it and its folder are made when missing. */
  readonly file: string
  /** Longest value, and longest key. Default 1 MiB. */
  readonly recordBytesMax?: number
  /** How long to wait for another process's transaction before failing with `Unavailable`. Default 10 s. */
  readonly busyTimeoutMs?: number
  /** The file does not grow beyond: appends fail with `Full` until records are trimmed. Default: the disk is the bound. */
  readonly fileBytesMax?: number
  /** How often other processes' commits are looked for while a reader waits; this program's are told at once. Default 20 ms. */
  readonly pollMs?: number
}

/** Crossed twice: a test that fails the first has the epoch undone, one that fails the second has it kept. */
const epochFaults: CommitFaults = {
  before: Effect.andThen(faultPoint("during-epoch-commit"), answerLost),
  after: answerLost
}

const commitEpoch = (db: Database, epoch: EpochCommit, recordBytesMax: number, nowMs: number) => {
  for (const shard of epoch.shards) commitShard(db, epoch.owner, shard)
  return epoch.shards.flatMap(({ outputs }) =>
    outputs.map((append) => appendRecords(db, append, recordBytesMax, nowMs))
  )
}

const aboutAppends = (appends: ReadonlyArray<Append>): WriteAbout => ({
  topics: appends.map(({ topic }) => topic),
  bytes: appends.reduce((sum, { records }) => sum + records.bytes.length, 0)
})

const producerOf = (log: LogFile, name: string, recordBytesMax: number): Effect.Effect<Producer, LogError> =>
  Effect.map(
    log.write((db) => openProducer(db, name), { topics: [] }),
    (opened) => {
      let nextSequence = opened.nextSequence
      return {
        get nextSequence() {
          return nextSequence
        },
        append: (sequence, batches) =>
          Effect.tap(
            log.write(
              (db, nowMs) => appendSequence(db, opened, sequence, batches, recordBytesMax, nowMs),
              aboutAppends(batches)
            ),
            () => Effect.sync(() => (nextSequence = Math.max(nextSequence, sequence + 1)))
          )
      }
    }
  )

/** Opens a log; `layer` for most. Two of one file see each other as two processes do. */
export const makeEmbeddedLog = Effect.fnUntraced(function* (
  options: EmbeddedLogOptions
): Effect.fn.Return<LogShape, LogError, Scope.Scope> {
  const { file, recordBytesMax = recordBytesMaxDefault } = options
  const { busyTimeoutMs = 10_000, pollMs = 20, fileBytesMax = Number.MAX_SAFE_INTEGER } = options
  const log = yield* openLogFile({ file, busyTimeoutMs, pollMs, fileBytesMax })
  // in steps, so that other processes and fibers get their turn while gigabytes go
  const purge = Effect.repeat(
    Effect.tap(log.write(purgeRows, { topics: [] }), () => Effect.yieldNow),
    { while: (more) => more }
  )
  return {
    ensureTopic: (declaration) =>
      Effect.flatMap(
        log.read((db) => declaredTopic(db, log.logId, declaration)),
        (found) =>
          found === undefined
            ? log.write((db, nowMs) => makeTopic(db, log.logId, declaration, nowMs))
            : Effect.succeed(found)
      ),
    topics: log.read((db) => listTopics(db, log.logId)),
    topic: (name) => log.read((db) => topicInfo(db, log.logId, name)),
    deleteTopic: (name) =>
      Effect.andThen(
        log.write((db) => deleteTopic(db, name)),
        Effect.asVoid(purge)
      ),
    bounds: (topic) => log.read((db) => topicBounds(db, topic)),
    // most reads of a poller find nothing: they cost one look at the file's version, no transaction
    read: (topic, partition, offset, limits) =>
      Effect.suspend(() =>
        log.ends.is(topic, partition, offset)
          ? Effect.succeed(noRecords(offset))
          : log.read((db) => {
              const version = log.ends.version()
              const found = readRecords(db, topic, partition, offset, limits)
              if (found.length === 0) log.ends.note(topic, partition, offset, version)
              return found
            })
      ),
    offsetAt: (topic, partition, timeMs) => log.read((db) => offsetAtTime(db, topic, partition, timeMs)),
    awaitAppend: log.awaitCommit,
    trim: (topic, partition, offset) =>
      Effect.andThen(
        log.write((db) => trimPartition(db, topic, partition, offset), { topics: [] }),
        Effect.asVoid(purge)
      ),
    producer: (name) => producerOf(log, name, recordBytesMax),
    fence: (owner, shards) =>
      log.write(
        (db) => {
          for (const shard of shards) takeShard(db, owner, shard)
          return shards.map((shard) => recordInForce(db, shard))
        },
        { topics: [] }
      ),
    inForce: (shard) => log.read((db) => recordInForce(db, shard)),
    shards: log.read(listShards),
    deltas: (shard, after) => log.read((db) => listDeltas(db, shard, after)),
    // **The commit point** of every log stage.
    commit: (epoch) =>
      log.write((db, nowMs) => commitEpoch(db, epoch, recordBytesMax, nowMs), {
        ...aboutAppends(epoch.shards.flatMap(({ outputs }) => outputs)),
        faults: epochFaults
      }),
    dropDeltas: (owner, shard, through) =>
      Effect.asVoid(
        Effect.repeat(
          Effect.tap(
            log.write((db) => dropDeltas(db, owner, shard, through), { topics: [] }),
            () => Effect.yieldNow
          ),
          { while: (more) => more }
        )
      )
  }
})

/** The embedded log as layers of `Log`. */
export const EmbeddedLog = {
  /** A log in a file. Fails when the file is not a log, is damaged, or cannot be opened. */
  layer: (options: EmbeddedLogOptions): Layer.Layer<Log, LogError> => Layer.effect(Log, makeEmbeddedLog(options)),
  /** A log in memory, gone with its scope: for tests. */
  layerMemory: Layer.effect(Log, makeEmbeddedLog({ file: ":memory:" }))
}
