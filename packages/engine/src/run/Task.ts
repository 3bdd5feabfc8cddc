/**
 * A task: the loop that reads a stage's partitions, runs the operators and commits epochs.
 *
 * `RunJob` starts one for a group of shards. Whatever fails, the log's record in force is the truth: a task that does not
 * know what became of a commit discards its memory and starts over from there (protocol, rule 5).
 */
import { faultPoint } from "@frazil/core"
import { Clock, Effect, Result } from "effect"
import { CheckpointStore } from "../checkpoint/CheckpointStore.ts"
import { snapshotFolder, writeSnapshot } from "../checkpoint/Snapshot.ts"
import { Log, type ReadLimits, type TopicInfo } from "../log/Log.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import { encodeSnapshot } from "../state/StateCodec.ts"
import { commitEpoch } from "./CommitEpoch.ts"
import { compileStage } from "./CompileStage.ts"
import { DeadLetters } from "./DeadLetters.ts"
import type { Ledger } from "./Ledger.ts"
import { makeMeasures, type Measures } from "./Measures.ts"
import { restore } from "./Restore.ts"
import type { RunOptions } from "./RunOptions.ts"
import { type Askers, runAskers } from "./RunAskers.ts"
import { bytesPending, makeShard, type Shard, statesOf, tablesPending, watermarkHeld } from "./Shard.ts"
import { takeTime } from "./TakeTime.ts"

/** What a batch may hold: some hundred microseconds of work, so that others get the thread in between. */
const batchMax: ReadLimits = { recordsMax: 5000, bytesMax: 1_048_576 }
/** Output held back by an open epoch. */
const epochBytesMax = 16 * 1_048_576
/** How long an idle task sleeps before it looks again by itself. */
const idleWaitMs = 50
const unnamedSnapshotAgeMs = 24 * 3_600_000

export interface TaskOptions {
  readonly plan: StagePlan
  /** The source, then the plan's tables. */
  readonly topics: ReadonlyArray<TopicInfo>
  /** Partitions of the source that this task owns. */
  readonly shards: ReadonlyArray<number>
  /** One incarnation of a running job: no two runs share it. */
  readonly owner: string
  readonly ledger: Ledger["Service"] | undefined
  readonly run: RunOptions
}

/** Starts over this often without an epoch in between, then gives up. */
const failuresInRowMax = 10
const restartWaitMsMax = 10_000

/** The log or the storage may come back; the log says after a restart what became of a commit. */
const passing = ({ reason }: { readonly reason: string }): boolean =>
  reason === "OutcomeUnknown" || reason === "Unavailable"

/** Runs until its input is complete (`run.inputComplete`), or for ever. */
export const runTask = Effect.fnUntraced(function* (options: TaskOptions) {
  let failuresInRow = 0
  for (let incarnation = 0; ; incarnation++) {
    // an outcome nobody knows: memory is gone with the incarnation, the next one fences and reads back
    const outcome = yield* Effect.result(
      Effect.scoped(runIncarnation(options, `${options.owner}.${incarnation}`, () => (failuresInRow = 0)))
    )
    if (Result.isSuccess(outcome)) return
    if (!passing(outcome.failure) || ++failuresInRow > failuresInRowMax) return yield* outcome.failure
    yield* Effect.sleep(Math.min(100 * 2 ** (failuresInRow - 1), restartWaitMsMax))
  }
})

const runIncarnation = Effect.fnUntraced(function* (options: TaskOptions, incarnation: string, committed: () => void) {
  const log = yield* Log
  const deadLetters = yield* DeadLetters
  const { ledger, plan, topics, run } = options
  const ids = options.shards.map((shard) => ({ uid: plan.uid, stage: plan.name, shard }))
  const program = compileStage(plan)
  const restored = yield* restore(plan, incarnation, topics, ids)
  const startedAtMs = yield* Clock.currentTimeMillis
  const letters = { deadLetterTopic: deadLetters.topic, makeDeadLetter: deadLetters.make, ledger }
  const shards = restored.map((from) => makeShard({ plan, program, restored: from, ...letters, startedAtMs }))
  yield* sweepUnnamed(shards, plan)
  const askers = yield* runAskers(plan, shards)
  run.observer.started(plan, shards)
  const measures = makeMeasures(plan)
  let epochOpenedAt: number | undefined
  /** When the oldest record of the open epoch was appended. */
  let appendedAt = Number.POSITIVE_INFINITY
  let snapshotAt = startedAtMs - sinceSnapshotMs(shards, run)
  for (let turn = 0; ; turn++) {
    const moved = yield* readOnce(options, shardsInTurn(plan, shards, turn), askers, (now, appendedAtMs) => {
      epochOpenedAt ??= now
      appendedAt = Math.min(appendedAt, appendedAtMs)
    })
    const now = yield* Clock.currentTimeMillis
    // where a lookup had no room, a partition that was idle may have records by now
    const readAll = askers.room() > 0
    const answered = askers.pass(now)
    if ((readAll && takeTime(plan, shards, now)) || answered > 0) epochOpenedAt ??= now
    const pending = shards.reduce((sum, shard) => sum + shard.pending + shard.answered + tablesPending(shard), 0)
    const bytes = shards.reduce((sum, shard) => sum + bytesPending(shard), 0)
    const due =
      epochOpenedAt !== undefined &&
      (now - epochOpenedAt >= run.epochMs || pending >= run.epochRecords || bytes >= epochBytesMax)
    if (due) {
      const commit = commitEpoch({ ...options, owner: incarnation }, shards, false)
      yield* measures.epoch(commit, epochOpenedAt, appendedAt)
      committed()
      epochOpenedAt = undefined
      appendedAt = Number.POSITIVE_INFINITY
      if (isStateful(plan) && now - snapshotAt >= run.checkpointEveryMs) {
        yield* measures.checkpoint(snapshot(options, incarnation, shards, measures))
        snapshotAt = now
      }
    }
    if (moved + answered > 0) {
      yield* Effect.yieldNow
      continue
    }
    if (askers.idle() && (yield* reachedEnd(options, shards))) {
      const finished = epochOpenedAt === undefined && shards.every((shard) => shard.detail.finished)
      // the end of a bounded input is the end of time
      if (!finished && run.bounded) for (const shard of shards) shard.close(now)
      const commit = commitEpoch({ ...options, owner: incarnation }, shards, true)
      if (!finished) yield* measures.epoch(commit, epochOpenedAt, appendedAt)
      return
    }
    const untilDue = epochOpenedAt === undefined ? idleWaitMs : Math.max(1, run.epochMs - (now - epochOpenedAt))
    yield* askers.await(log.awaitAppend, Math.min(idleWaitMs, untilDue))
  }
})

/**
 * How long ago the oldest of the newest snapshots is, told by the epochs since: what restarts had to read again and again
 * counts, so that a process that never lives as long as the interval comes to a snapshot all the same.
 */
const sinceSnapshotMs = (shards: ReadonlyArray<Shard>, { epochMs }: RunOptions): number =>
  epochMs * Math.max(...shards.map(({ epoch, snapshots }) => epoch - (snapshots[0]?.epoch ?? 0)))

/** Where a lookup's room is scarce, each shard is the first to be read in its turn. */
const shardsInTurn = ({ lookups }: StagePlan, shards: ReadonlyArray<Shard>, turn: number): ReadonlyArray<Shard> => {
  if (lookups.length === 0) return shards
  const first = turn % shards.length
  return [...shards.slice(first), ...shards.slice(0, first)]
}

/** One batch from each partition that has one, as far as lookups take more: a source that is not read loses nothing. */
const readOnce = Effect.fnUntraced(function* (
  options: TaskOptions,
  shards: ReadonlyArray<Shard>,
  askers: Askers,
  opened: (nowMs: number, appendedAtMs: number) => void
) {
  const log = yield* Log
  const limits = limitsOf(options)
  let moved = 0
  for (const shard of shards) {
    const room = askers.room()
    // while a table has more, what was read of the source would have to be read again
    const batch =
      room > 0 && shard.tablesRead
        ? yield* log.read(options.plan.source.name, shard.id.shard, shard.offset, {
            ...limits,
            recordsMax: Math.min(limits.recordsMax, room)
          })
        : undefined
    moved += yield* readTables(options, shard, opened)
    if (batch === undefined || !shard.tablesRead) continue
    const now = yield* Clock.currentTimeMillis
    if (batch.length > 0) {
      opened(now, batch.timestamps[0]!)
      shard.process(batch, now)
      moved += batch.length
    } else if (now - shard.lastRecordAtMs >= options.plan.idleAfterMs && !options.run.bounded) {
      shard.context.time.idle = true
    }
    shard.offset = batch.next
  }
  return moved
})

const limitsOf = ({ run }: TaskOptions): ReadLimits => ({
  ...batchMax,
  recordsMax: Math.min(batchMax.recordsMax, run.epochRecords)
})

/**
 * One batch of each table that has one; `tablesRead` says whether they were at their ends. The source's batch was read
 * before, so that whatever a table held when a record was committed is there when the record is joined.
 */
const readTables = Effect.fnUntraced(function* (
  options: TaskOptions,
  shard: Shard,
  opened: (nowMs: number, appendedAtMs: number) => void
) {
  const log = yield* Log
  let moved = 0
  shard.tablesRead = true
  for (const [index, table] of shard.tables.entries()) {
    // asked before it is read, so that nothing slips in between
    const complete = !options.run.bounded || (yield* options.run.inputComplete(table.topic))
    const batch = yield* log.read(table.topic, shard.id.shard, table.offset, limitsOf(options))
    if (batch.length > 0) {
      const now = yield* Clock.currentTimeMillis
      opened(now, batch.timestamps[0]!)
      shard.processTable(index, batch, now)
      moved += batch.length
    }
    table.offset = batch.next
    const atEnd = batch.length === 0 || table.offset >= (yield* endOf(table.topic, shard))
    if (!complete || !atEnd) shard.tablesRead = false
  }
  return moved
})

const endOf = Effect.fnUntraced(function* (topic: string, shard: Shard) {
  const log = yield* Log
  const bounds = yield* log.bounds(topic)
  return bounds.find((bound) => bound.partition === shard.id.shard)?.end ?? 0
})

/** Whether nothing more will come: asked before the ends are read, so that nothing slips in between. */
const reachedEnd = Effect.fnUntraced(function* (options: TaskOptions, shards: ReadonlyArray<Shard>) {
  for (const { name } of options.topics) if (!(yield* options.run.inputComplete(name))) return false
  for (const shard of shards) {
    if (shard.offset < (yield* endOf(options.plan.source.name, shard))) return false
    for (const table of shard.tables) if (table.offset < (yield* endOf(table.topic, shard))) return false
  }
  return true
})

/** Writes a snapshot of every shard that changed since its last, and names it in an epoch of its own. */
const snapshot = Effect.fnUntraced(function* (
  options: TaskOptions,
  owner: string,
  shards: ReadonlyArray<Shard>,
  measures: Measures
) {
  for (const shard of shards) {
    if (!shard.changed) continue
    const bytes = encodeSnapshot(statesOf(shard), watermarkHeld(shard, options.plan))
    shard.unnamed = yield* writeSnapshot(shard.id, shard.epoch, owner, bytes)
    yield* measures.state(shard.id.shard, bytes.length)
    shard.changed = false
  }
  yield* faultPoint("before-name")
  if (shards.some((shard) => shard.unnamed !== undefined)) yield* commitEpoch({ ...options, owner }, shards, false)
})

/** Files that a crash left without a name go by age only: a zombie's may still be named (rule 6). */
const sweepUnnamed = Effect.fnUntraced(function* (shards: ReadonlyArray<Shard>, plan: StagePlan) {
  if (!isStateful(plan)) return
  const store = yield* CheckpointStore
  const now = yield* Clock.currentTimeMillis
  for (const shard of shards) {
    const named = new Set(shard.snapshots.map((snapshot) => snapshot.file))
    for (const file of yield* store.list(snapshotFolder(shard.id))) {
      if (!named.has(file.name) && now - file.modifiedMs > unnamedSnapshotAgeMs) yield* store.remove(file.name)
    }
  }
})
