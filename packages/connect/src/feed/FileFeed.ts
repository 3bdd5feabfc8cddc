/**
 * Feeds a topic from a file of lines, exactly once: a log stage of its own, with the file as its source.
 *
 * Apps run it for `--input TOPIC=FILE`. It reads with `InputFile`, cuts with `LineSplitter`, and commits each `FeedEpoch`
 * together with how far it came (`FeedProgress`). **Delivery**: each line is one record, byte for byte, once, whatever
 * stops the feed; other content than what was fed before is refused. **Order**: lines of one key keep theirs.
 * **Bounds**: one epoch and one longest line in memory, whatever the file.
 */
import { Effect, type Scope } from "effect"
import { createHash, type Hash } from "node:crypto"
import { faultPoint, type KeyScanner } from "@frazil/core"
import { Log, type LogError, type LogShape, type TopicInfo } from "@frazil/engine"
import { recordBytesMaxDefault } from "../embedded/EmbeddedLog.ts"
import { FeedError } from "./FeedError.ts"
import { type FeedEpoch, headBytes, makeFeedEpoch } from "./FeedEpoch.ts"
import { feedShard, type FeedProgress, progressOf } from "./FeedProgress.ts"
import { hashPrefix, type InputFile, openInputFile } from "./InputFile.ts"
import { type LineSplitter, makeLineSplitter } from "./LineSplitter.ts"

export interface FileFeedOptions {
  readonly file: string
  /** The topic, which exists. */
  readonly topic: string
  /** Finds the keys of its records. */
  readonly keys: KeyScanner
  /** Names this run of the feed among all others: a second one of the same topic fences it. */
  readonly owner: string
  /** Longer lines are appended as their first 1,000 bytes, with headers that tell length and hash. Default 1 MiB. */
  readonly recordBytesMax?: number
  /** An epoch ends at so many records or bytes, whichever comes first. Default 50,000 and 4 MB. */
  readonly epochRecordsMax?: number
  readonly epochBytesMax?: number
  /** Keeps the feed from running further ahead than this of its slowest reader. */
  readonly ahead?: { readonly recordsMax: number; readonly lagOfSlowest: Effect.Effect<number, LogError> }
}

/** How often an epoch whose outcome is unknown may be read back in one run before it is given up. */
const unknownOutcomesMax = 3
/** How long to sleep at most before the lag is asked for again. */
const lagPollMs = 50

const sizeOf = (bytes: number): string => `${bytes.toLocaleString("en")} bytes`

const differs = (before: FeedProgress, input: InputFile, topic: string, how: string): FeedError =>
  new FeedError({
    reason: "FeedDiffers",
    message: `topic ${topic} was fed from other content than ${input.path} has now: ${how} (it was ${before.file}, ${sizeOf(before.bytes)}, ${before.finished ? "finished" : "unfinished"}): use another data directory, or give the same file again`
  })

/** Verifies that the file begins with what was fed before; its hash, to go on from. */
const verify = Effect.fnUntraced(function* (
  input: InputFile,
  topic: TopicInfo,
  before: FeedProgress
): Effect.fn.Return<Hash, FeedError> {
  if (before.topicId !== topic.id) {
    return yield* new FeedError({
      reason: "TopicRecreated",
      message: `topic ${topic.name} was made anew after ${before.file} was fed to it: use another topic, or another data directory`
    })
  }
  const size = yield* input.size
  if (size < before.bytes) return yield* differs(before, input, topic.name, `it has only ${sizeOf(size)}`)
  if (before.finished && size > before.bytes) {
    return yield* differs(before, input, topic.name, `it has grown to ${sizeOf(size)}`)
  }
  yield* faultPoint("mid-restore")
  const hash = yield* hashPrefix(input, before.bytes)
  if (hash?.copy().digest("hex") === before.sha256) return hash
  return yield* differs(before, input, topic.name, `some of its first ${sizeOf(before.bytes)} are not the same`)
})

const waitForReaders = Effect.fnUntraced(function* (log: LogShape, ahead: NonNullable<FileFeedOptions["ahead"]>) {
  while ((yield* ahead.lagOfSlowest) > ahead.recordsMax) yield* log.awaitAppend(lagPollMs)
})

/** Fills the epoch from the file; true at the file's end. */
const fillEpoch = Effect.fnUntraced(function* (
  input: InputFile,
  splitter: LineSplitter,
  epoch: FeedEpoch,
  position: { next: number }
): Effect.fn.Return<boolean, FeedError> {
  while (!splitter.split(epoch)) {
    const { buffer, at } = splitter.space()
    const count = yield* input.read(buffer, at, position.next)
    if (count === 0) {
      splitter.end(epoch)
      return true
    }
    position.next += count
    splitter.filled(count)
  }
  return false
})

/** One run: take the shard, verify, go on to the end. An unknown outcome ends it; the next run reads back. */
const run = Effect.fnUntraced(function* (
  options: FileFeedOptions
): Effect.fn.Return<FeedProgress, FeedError | LogError, Log | Scope.Scope> {
  const { file, topic, keys, owner, ahead } = options
  const { recordBytesMax = recordBytesMaxDefault } = options
  const { epochRecordsMax: recordsMax = 50_000, epochBytesMax: bytesMax = 4_000_000 } = options
  const log = yield* Log
  const input = yield* openInputFile(file)
  const info = yield* log.topic(topic)
  const id = feedShard(topic)
  const [inForce] = yield* log.fence(owner, [id])
  yield* faultPoint("after-init")
  const before = yield* progressOf(topic, inForce)
  const hash = before === undefined ? createHash("sha256") : yield* verify(input, info, before)
  if (before?.finished === true) return before

  const start = before?.bytes ?? 0
  const splitter = makeLineSplitter({ lineBytesMax: recordBytesMax, headBytes, hash })
  const epoch = makeFeedEpoch({ topic, partitions: info.partitions, keys, recordsMax, bytesMax })
  const position = { next: start }
  let epochRead = inForce?.epoch ?? 0
  let progress = before ?? { file, topicId: info.id, bytes: 0, sha256: "", lines: 0, linesTooLong: 0, finished: false }
  while (!progress.finished) {
    if (ahead !== undefined) yield* waitForReaders(log, ahead)
    const finished = yield* fillEpoch(input, splitter, epoch, position)
    const { outputs, lines, linesTooLong } = epoch.take()
    const { bytes, sha256 } = splitter.consumed()
    progress = {
      ...progress,
      bytes: start + bytes,
      sha256,
      lines: progress.lines + lines,
      linesTooLong: progress.linesTooLong + linesTooLong,
      finished
    }
    yield* faultPoint("before-epoch-commit")
    const shard = { id, epochRead, positions: [], snapshots: [], detail: progress, delta: null, outputs }
    yield* log.commit({ owner, shards: [shard] })
    yield* faultPoint("after-epoch-commit")
    epochRead++
    yield* Effect.yieldNow
  }
  return progress
})

/**
 * Feeds the file to its end and says how far that was; when it was fed before, does nothing.
 *
 * Fails with `FeedError` when the file cannot be read or differs from what was fed before, with `LogError` when the log
 * does; `Fenced` means that another process feeds the same topic.
 */
export const feedFile = (options: FileFeedOptions): Effect.Effect<FeedProgress, FeedError | LogError, Log> =>
  Effect.retry(Effect.scoped(run(options)), {
    while: (error) => error.reason === "OutcomeUnknown",
    times: unknownOutcomesMax
  })
