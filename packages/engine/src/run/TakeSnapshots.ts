/**
 * Snapshots of a task's shards, taken while it runs: begun at an epoch's end, written in slices between batches, and left for
 * the next commit to name.
 *
 * `Task.ts` gives it a slice each turn. Files are written beside the turns. A store that is out of reach stops no task: the
 * snapshot is given up and its shard's next one is a base; anything else that fails there fails the task, as a commit would.
 * A snapshot that is not named then, or when the task starts over or gives shards up, is nobody's: its files go by age
 * (rules 5, 6).
 */
import { faultPoint, type StorageError } from "@frazil/core"
import { Clock, Effect, Fiber, Result, type Scope } from "effect"
import { ShardCapture } from "../checkpoint/CaptureShard.ts"
import type { CheckpointStore } from "../checkpoint/CheckpointStore.ts"
import { type SnapshotFile, writeFile, writeSnapshot } from "../checkpoint/Snapshot.ts"
import type { SnapshotName } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { type StateSeal, StateSealing } from "../state/StateSeal.ts"
import type { Measures } from "./Measures.ts"
import type { RunOptions } from "./RunOptions.ts"
import type { Shard } from "./Shard.ts"
import { statesOf, watermarkHeld } from "./TakeCommit.ts"

export interface SnapshotsOptions {
  readonly plan: StagePlan
  readonly owner: string
  readonly run: RunOptions
  readonly measures: Measures
  /** Counts the captures of a task over its incarnations. */
  readonly counter: { next: number }
  /** The store was out of reach at that time: a snapshot was given up. */
  readonly missed: (error: StorageError, nowMs: number) => void
}

/** What a turn did: something; nothing, since a file is being written; nothing, since there is nothing to do. */
export type SnapshotTurn = "worked" | "writing" | "idle"

export interface Snapshots {
  /** Begins one of each shard that changed. At an epoch's end only, and when none is open. */
  readonly begin: (shards: ReadonlyArray<Shard>) => Effect.Effect<void>
  readonly turn: Effect.Effect<SnapshotTurn, StorageError, CheckpointStore | Scope.Scope>
  /** One is being written, or waits for its name. */
  readonly open: () => boolean
  /** One waits for its name. */
  readonly unnamed: () => boolean
  /** Writes what was begun to its end. */
  readonly drain: Effect.Effect<void, StorageError, CheckpointStore | Scope.Scope>
  /** After each commit. */
  readonly committed: Effect.Effect<void>
}

interface Open {
  readonly shard: Shard
  readonly capture: ShardCapture
  /** Its part that is being written; gives the snapshot's name behind the last one. */
  writing: { readonly bytes: number; readonly fiber: Fiber.Fiber<SnapshotName | undefined, StorageError> } | undefined
}

/** Begins a capture of each shard that changed; what it holds from now on differs from it again. */
const openOf = (
  { counter, owner, plan, run }: SnapshotsOptions,
  shards: ReadonlyArray<Shard>,
  seal: StateSeal
): ReadonlyArray<Open> =>
  shards.flatMap((shard) => {
    if (!shard.changed) return []
    shard.changed = false
    const { chain, epoch, id } = shard
    const states = statesOf(shard)
    const watermark = watermarkHeld(shard, plan)
    const incarnation = `${owner}.${counter.next++}`
    const parts = { id, epoch, incarnation, states, watermark, chain, seal, bounds: run.snapshot }
    const capture = new ShardCapture(parts)
    return [{ shard, capture, writing: undefined }]
  })

export const makeSnapshots = (options: SnapshotsOptions): Snapshots => {
  const { measures, missed, plan, run } = options
  let line: ReadonlyArray<Open> = []
  let unnamed: ReadonlyArray<Shard> = []
  /** Undefined once all that was begun is named, or one of it was given up. */
  let begunAtMs: number | undefined
  /** Since records were taken last. */
  let pauseMs = 0
  let longestPauseMs = 0

  /** Work that keeps the task from its records. */
  const paused = Effect.fnUntraced(function* <A>(work: (nowMs: () => number) => A) {
    const clock = yield* Clock.Clock
    const nowMs = () => clock.currentTimeMillisUnsafe()
    const fromMs = nowMs()
    const done = work(nowMs)
    pauseMs += nowMs() - fromMs
    return done
  })

  /** Records are taken again: a pause is all work of a turn, whatever the shards. */
  const resumed = Effect.gen(function* () {
    longestPauseMs = Math.max(longestPauseMs, pauseMs)
    yield* measures.paused(pauseMs, longestPauseMs)
    pauseMs = 0
  })

  const begin = Effect.fnUntraced(function* (shards: ReadonlyArray<Shard>) {
    begunAtMs = yield* Clock.currentTimeMillis
    longestPauseMs = 0
    pauseMs = 0
    const seal = yield* StateSealing
    line = yield* paused(() => openOf(options, shards, seal))
  })

  /** Writes a part and, where it is the last one, what the commit names: that is the name, or undefined. */
  const write = Effect.fnUntraced(function* (capture: ShardCapture, part: SnapshotFile | undefined) {
    if (part !== undefined) capture.wrote(yield* writeFile(part))
    if (!capture.over()) return undefined
    return yield* writeSnapshot(capture.place, capture.chain().parts)
  })

  /** A file was written. Where it was the last one, the next commit names the snapshot. */
  const written = Effect.fnUntraced(function* (open: Open, name: SnapshotName | undefined) {
    open.writing = undefined
    if (name === undefined) return
    yield* faultPoint("after-snapshot")
    const { capture, shard } = open
    const chain = capture.chain()
    line = line.filter((each) => each !== open)
    shard.unnamed = { name, chain }
    unnamed = [...unnamed, shard]
    yield* measures.written(shard.id.shard, capture.kind, capture.bytesWritten(), chain)
  })

  /** What changed before it began would be missing in an increment after it. */
  const giveUp = Effect.fnUntraced(function* (open: Open, error: StorageError) {
    line = line.filter((each) => each !== open)
    begunAtMs = undefined
    Object.assign(open.shard, { chain: undefined, changed: true })
    missed(error, yield* Clock.currentTimeMillis)
  })

  /** A part is in memory until it is written. */
  const full = () => line.reduce((sum, { writing }) => sum + (writing?.bytes ?? 0), 0) >= run.snapshot.partBytesMax
  const waits = ({ capture, writing }: Open) => capture.due() && (writing !== undefined || full())

  /** Goes on with one snapshot; how many entries of the slice are left after it. */
  const goOn = Effect.fnUntraced(function* (open: Open, entriesMax: number, untilMs: number) {
    const { capture } = open
    let left = entriesMax
    if (!capture.due()) {
      yield* faultPoint("mid-snapshot")
      left -= yield* paused((nowMs) => capture.slice(nowMs, entriesMax, untilMs))
    }
    if (!capture.due() || waits(open)) return left
    yield* faultPoint("before-snapshot")
    const part = yield* paused(() => capture.takePart())
    const fiber = yield* Effect.forkScoped(write(capture, part))
    open.writing = { bytes: part?.bytes.length ?? 0, fiber }
    return left
  })

  const turn: Snapshots["turn"] = Effect.gen(function* () {
    if (line.length === 0) return "idle"
    let worked = false
    const before = unnamed.length
    for (const open of line) {
      const exit = open.writing?.fiber.pollUnsafe()
      if (exit === undefined) continue
      const wrote = yield* Effect.result(exit)
      if (Result.isSuccess(wrote)) yield* written(open, wrote.success)
      else if (wrote.failure.reason === "Unavailable") yield* giveUp(open, wrote.failure)
      else return yield* wrote.failure
      worked = true
    }
    if (unnamed.length > before) yield* faultPoint("before-name")
    let left = run.snapshot.sliceEntriesMax
    const untilMs = (yield* Clock.currentTimeMillis) + run.snapshot.sliceMs
    for (const open of line) {
      if (left <= 0) break
      if (waits(open)) continue
      left = yield* goOn(open, left, untilMs)
      worked = true
    }
    if (worked) yield* resumed
    return worked ? "worked" : "writing"
  })

  const drain: Snapshots["drain"] = Effect.gen(function* () {
    while (line.length > 0) {
      if ((yield* turn) === "writing")
        yield* Effect.forEach(line, ({ writing }) => (writing === undefined ? Effect.void : Fiber.await(writing.fiber)))
      yield* Effect.yieldNow
    }
  })

  const committed = Effect.gen(function* () {
    unnamed = unnamed.filter((shard) => shard.unnamed !== undefined)
    if (begunAtMs === undefined || line.length + unnamed.length > 0) return
    yield* measures.checkpoint((yield* Clock.currentTimeMillis) - begunAtMs)
    run.observer.checkpointed?.(plan)
    begunAtMs = undefined
  })

  return {
    begin,
    turn,
    drain,
    committed,
    open: () => line.length + unnamed.length > 0,
    unnamed: () => unnamed.length > 0
  }
}
