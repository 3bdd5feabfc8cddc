/**
 * How far a topic has landed, by what its table says: read beside a running landing, or after one.
 *
 * Commands and health checks call it; what a landing has in memory is `LandingMonitor`'s. Takes nothing, changes nothing.
 */
import { Log, type LogError, type PartitionBounds, type RecordInForce, recordsBehind } from "@frazil/engine"
import { Effect, Option } from "effect"
import { Catalog, type Table } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { currentSnapshot } from "../spec/TableMetadata.ts"
import { checkAgainstLog, checkIdentity, marksInForce } from "./CheckMarks.ts"
import { type Landing, landingShard } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import type { Marks } from "./Mark.ts"
import { marksBorneOut } from "./MarksBorneOut.ts"
import type { LandingDetail } from "./OpenTable.ts"

export interface PartitionProgress {
  readonly partition: number
  /** The mark: the next offset to land. */
  readonly next: number
  readonly end: number
}

export interface LandingProgress {
  readonly table: string
  readonly topic: string
  readonly rows: number
  readonly files: number
  /** Undefined before the first commit. */
  readonly snapshotId: bigint | undefined
  readonly committedAtMs: number | undefined
  readonly partitions: ReadonlyArray<PartitionProgress>
  /** Records that no committed snapshot has taken in. */
  readonly lag: number
  /** When the oldest of them was appended to the log. */
  readonly waitingSinceMs: number | undefined
  /** Why the landing would not go on from here, for people. */
  readonly problem: string | undefined
}

/** The topic of a landing as the log has it; empty when it was not made yet. */
const topicOf = Effect.fnUntraced(function* (landing: Landing) {
  const log = yield* Log
  const topic = (yield* log.topics).find(({ name }) => name === landing.topic.name)
  return topic === undefined ? undefined : { topic, bounds: yield* log.bounds(topic.name) }
})

const tableOf = Effect.fnUntraced(function* (landing: Landing) {
  const catalog = yield* Catalog
  return yield* catalog.loadTable(landing).pipe(
    Effect.catchIf(
      (error) => error.reason === "TableMissing",
      () => Effect.undefined
    )
  )
})

const nextOf = ({ partition, start }: PartitionBounds, marks: Marks): number =>
  Math.max(start, marks.get(partition)?.next ?? 0)

const waitingSince = Effect.fnUntraced(function* (topic: string, bounds: ReadonlyArray<PartitionBounds>, marks: Marks) {
  const log = yield* Log
  let since: number | undefined
  for (const bound of bounds) {
    const next = nextOf(bound, marks)
    if (next >= bound.end) continue
    const batch = yield* log.read(topic, bound.partition, next, { recordsMax: 1, bytesMax: 1 })
    const appendedAt = batch.timestamps[0]
    if (appendedAt !== undefined) since = Math.min(since ?? appendedAt, appendedAt)
  }
  return since
})

interface Checked {
  readonly marks: Marks
  readonly problem: string | undefined
}

const checkMarks = Effect.fnUntraced(function* (
  landing: Landing,
  inForce: RecordInForce | undefined,
  table: Table | undefined,
  found: Effect.Success<ReturnType<typeof topicOf>>
): Effect.fn.Return<Checked> {
  const none: Marks = new Map()
  if (table === undefined) {
    return {
      marks: none,
      problem: inForce === undefined ? undefined : `table ${landing.table} is gone from the catalog`
    }
  }
  // written by this landing in every record in force
  const detail = inForce?.detail as LandingDetail | undefined
  // who only has a catalog sees no further than its metadata
  const fileIO = yield* Effect.serviceOption(FileIO)
  const marks = yield* Option.match(fileIO, {
    onNone: () => Effect.succeed(marksInForce(landing, table.metadata)),
    onSome: (service) => Effect.provideService(marksBorneOut(landing, table), FileIO, service)
  })
  if (marks instanceof LandingError) return { marks: none, problem: marks.message }
  const positions = new Map(inForce?.positions.map((position, partition) => [partition, position.offset]))
  const wrong =
    checkIdentity(landing, table.metadata, detail?.landed ?? undefined) ??
    (found === undefined ? undefined : checkAgainstLog(landing, marks, found.topic, found.bounds, positions))
  return { marks, problem: wrong?.message }
})

/** Where a declared landing stands. A damaged table fails; a mark that cannot be right is a `problem`. */
export const landingProgress = Effect.fn("Landing.progress")(function* (
  landing: Landing
): Effect.fn.Return<LandingProgress, LakeError | LogError, Log | Catalog> {
  const log = yield* Log
  // in this order, so that beside a running landing none is older than what it is held against
  const inForce = yield* log.inForce(landingShard(landing))
  const table = yield* tableOf(landing)
  const found = yield* topicOf(landing)
  const { marks, problem } = yield* checkMarks(landing, inForce, table, found)
  const bounds = found?.bounds ?? []
  const snapshot = table === undefined ? undefined : currentSnapshot(table.metadata)
  const partitions = bounds.map((bound) => ({ partition: bound.partition, next: nextOf(bound, marks), end: bound.end }))
  const behind = yield* Effect.forEach(bounds, (bound) =>
    recordsBehind(log, landing.topic.name, bound, marks.get(bound.partition)?.next ?? 0)
  )
  const lag = behind.reduce((sum, records) => sum + records, 0)
  return {
    table: landing.table,
    topic: landing.topic.name,
    rows: Number(snapshot?.summary.get("total-records") ?? 0),
    files: Number(snapshot?.summary.get("total-data-files") ?? 0),
    snapshotId: snapshot?.snapshotId,
    committedAtMs: snapshot?.timestampMs,
    partitions,
    lag,
    waitingSinceMs: yield* waitingSince(landing.topic.name, bounds, marks),
    problem
  }
})
