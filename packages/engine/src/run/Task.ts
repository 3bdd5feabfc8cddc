/**
 * A task: the loop that reads a stage's partitions, runs the operators and commits epochs.
 *
 * `RunJob` starts one for each stage; it runs the shards that are this instance's, and takes and gives them up between two
 * epochs. Whatever fails, the log's record in force is the truth: a task that does not know what became of a commit discards
 * its memory and starts over from there (protocol, rule 5); one that was fenced takes again what is still its own (rule 8).
 */
import type { RecordBatch } from "@frazil/core"
import { Clock, Effect, Result } from "effect"
import { CheckpointStore, unlessAway } from "../checkpoint/CheckpointStore.ts"
import { snapshotFolder } from "../checkpoint/Snapshot.ts"
import type { Ends } from "../instances/Ends.ts"
import { Instances, type Share, shardWork } from "../instances/Instances.ts"
import { Log, type ReadLimits, type ShardId, type TopicInfo } from "../log/Log.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import { EnvelopeError } from "../repartition/Envelope.ts"
import type { LaneShape } from "../repartition/Lanes.ts"
import { commitEpoch } from "./CommitEpoch.ts"
import { compileStage } from "./CompileStage.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { JobError } from "./JobError.ts"
import type { Ledger } from "./Ledger.ts"
import { makeMeasures, type Measures } from "./Measures.ts"
import { restore } from "./Restore.ts"
import type { RunOptions } from "./RunOptions.ts"
import { type Askers, runAskers } from "./RunAskers.ts"
import { makeShard, type Shard } from "./Shard.ts"
import { bytesPending, tablesPending } from "./TakeCommit.ts"
import { catchStores, makeStateStores, type StateStores } from "./StateStores.ts"
import { makeSnapshots, type SnapshotsOptions } from "./TakeSnapshots.ts"
import { takeTime } from "./TakeTime.ts"
import { makeTrimInternal } from "./TrimInternal.ts"

/** What a batch may hold: some hundred microseconds of work, so that others get the thread in between. */
const batchMax: ReadLimits = { recordsMax: 5000, bytesMax: 1_048_576 }
/** Output held back by an open epoch. */
const epochBytesMax = 16 * 1_048_576
/** How long an idle task sleeps before it looks again by itself. */
const idleWaitMs = 50
/** The same while a file of a snapshot is being written. */
const writingWaitMs = 5
/** A snapshot that found its store out of reach is tried again at the earliest so long after. */
const snapshotAgainMs = 1_000
const unnamedSnapshotAgeMs = 24 * 3_600_000

export interface TaskOptions {
  readonly plan: StagePlan
  /** The source, then the plan's tables. */
  readonly topics: ReadonlyArray<TopicInfo>
  /** One incarnation of a running job: no two runs share it. */
  readonly owner: string
  readonly ledger: Ledger["Service"] | undefined
  readonly run: RunOptions
  /** Told of what came to its end. */
  readonly ends: Ends
  /** Internal topics that the stage writes. */
  readonly internal?: ReadonlyArray<TopicInfo>
  /** Behind a repartition: shards of the stages that write it, by input, and whether those have ended. */
  readonly writers?: { readonly shape: LaneShape; readonly ended: () => boolean }
}

/** Starts over this often without an epoch in between, then gives up, unless it waits for its log. */
const failuresInRowMax = 10
const restartWaitMsMax = 10_000

/** The log or the storage may come back; the log says after a restart what became of a commit. */
const passing = ({ reason }: { readonly reason: string }): boolean =>
  reason === "OutcomeUnknown" || reason === "Unavailable" || reason === "StoreLost"

/** What one incarnation of a task begins with. */
interface Beginning {
  readonly owner: string
  readonly ids: ReadonlyArray<ShardId>
  /** Shards among them that it has in memory already, as they stand in the log. */
  readonly kept: ReadonlyArray<Shard>
  readonly share: Share
  readonly committed: () => void
  /** Counts the task's captures. */
  readonly captures: { next: number }
  readonly stores: StateStores
}

type Ended = { readonly _tag: "Complete" } | { readonly _tag: "ShareChanged"; readonly kept: ReadonlyArray<Shard> }

/** A job that never ends waits for its log as long as it takes; who waits for a bounded run wants to know. */
const waitsForEver = ({ reason }: { readonly reason: string }, { bounded }: RunOptions): boolean =>
  reason === "Unavailable" && !bounded

/** Runs until its input is complete (`run.inputComplete`), or for ever. */
export const runTask = Effect.fnUntraced(function* (options: TaskOptions) {
  const { plan, run, topics } = options
  const instances = yield* Instances
  const all = Array.from({ length: topics[0]!.partitions }, (_, shard) => ({ uid: plan.uid, stage: plan.name, shard }))
  yield* instances.offer(all.map(shardWork))
  let failuresInRow = 0
  let incarnation = 0
  let kept: ReadonlyArray<Shard> = []
  const captures = { next: 0 }
  const stores = yield* makeStateStores(plan, options.owner)
  while (true) {
    const share = instances.share()
    const ids = all.filter((id) => share.has(shardWork(id)))
    if (ids.length === 0) {
      run.observer.started(plan, [])
      if (yield* othersEnd(options, all.map(shardWork), share.generation)) return
      continue
    }
    const committed = () => {
      failuresInRow = 0
      run.observer.committed?.(plan)
    }
    const begin: Beginning = { owner: `${options.owner}.${incarnation}`, ids, kept, share, committed, captures, stores }
    const outcome = yield* Effect.result(catchStores(Effect.scoped(runIncarnation(options, begin))))
    if (Result.isSuccess(outcome)) {
      if (outcome.success._tag === "Complete") return options.ends.ended(ids.map(shardWork))
      kept = outcome.success.kept
      stores.retain(kept.map(({ id }) => id))
      continue
    }
    // memory is gone with the incarnation, the next one fences and reads back
    kept = []
    incarnation++
    const error = outcome.failure
    const mayHaveMoved = error.reason === "Fenced" && instances.shared
    if (!(passing(error) || mayHaveMoved)) return yield* error
    if (++failuresInRow > failuresInRowMax && !waitsForEver(error, run)) return yield* error
    run.observer.troubled?.(plan, error.message)
    yield* Effect.sleep(Math.min(100 * 2 ** (failuresInRow - 1), restartWaitMsMax))
    // who cannot be asked now is asked again: the share known is as good as any, fencing decides
    if (mayHaveMoved) yield* Effect.ignore(instances.confirmed)
  }
}, Effect.scoped)

/** Others have every shard: whether they came to the end, or else the share is another now. */
const othersEnd = Effect.fnUntraced(function* (
  { ends, run }: TaskOptions,
  works: ReadonlyArray<string>,
  generation: number
) {
  const { changed } = yield* Instances
  const ended = run.bounded ? Effect.as(ends.awaitEnded(works), true) : Effect.never
  return yield* Effect.raceFirst(Effect.as(changed(generation), false), ended)
})

/** The shards, those that are kept as they are and the others restored. */
const openShards = Effect.fnUntraced(function* (options: TaskOptions, { ids, kept, owner, stores }: Beginning) {
  const deadLetters = yield* DeadLetters
  const { ledger, plan, topics } = options
  const fresh = ids.filter(({ shard }) => !kept.some(({ id }) => id.shard === shard))
  const program = compileStage(plan)
  const restored = fresh.length === 0 ? [] : yield* restore(plan, owner, topics, fresh, options.internal, stores.open)
  const startedAtMs = yield* Clock.currentTimeMillis
  const letters = { deadLetterTopic: deadLetters.topic, makeDeadLetter: deadLetters.make, ledger }
  const more = {
    ...(options.writers === undefined ? {} : { laneShape: options.writers.shape }),
    ...(options.internal === undefined ? {} : { internal: options.internal })
  }
  const { bounded } = options.run
  const opened = restored.map((from) =>
    makeShard({ plan, program, restored: from, ...letters, startedAtMs, bounded, ...more })
  )
  yield* unlessAway(sweepUnnamed(opened, plan))
  return { shards: [...kept, ...opened].toSorted((left, right) => left.id.shard - right.id.shard), startedAtMs }
})

/** Whether an instance's share holds other shards of the stage than the task runs. */
const shareDiffers = (share: Share, ids: ReadonlyArray<ShardId>, { plan, topics }: TaskOptions): boolean => {
  let mine = 0
  for (let shard = 0; shard < topics[0]!.partitions; shard++)
    if (share.has(shardWork({ uid: plan.uid, stage: plan.name, shard }))) mine++
  return mine !== ids.length || ids.some((id) => !share.has(shardWork(id)))
}

const runIncarnation = Effect.fnUntraced(function* (options: TaskOptions, begin: Beginning) {
  const log = yield* Log
  const instances = yield* Instances
  const { plan, run } = options
  const { ids, owner } = begin
  const owned = { ...options, owner }
  const { shards, startedAtMs } = yield* openShards(options, begin)
  const askers = yield* runAskers(plan, shards)
  run.observer.started(plan, shards)
  const measures = makeMeasures(plan)
  const trimInternal = makeTrimInternal(plan, startedAtMs)
  const reads = options.topics.map(({ name }) => name)
  let { generation } = begin.share
  let moving = false
  let epochOpenedAt: number | undefined
  /** When the oldest record of the open epoch was appended. */
  let appendedAt = Number.POSITIVE_INFINITY
  let snapshotFromMs = startedAtMs - sinceSnapshotMs(shards, run) + run.checkpointEveryMs
  /** Something was committed since one was begun, or one was given up. */
  let snapshotWanted = false
  const missed: SnapshotsOptions["missed"] = ({ message }, nowMs) => {
    snapshotWanted = true
    snapshotFromMs = Math.max(snapshotFromMs, nowMs + snapshotAgainMs)
    run.observer.troubled?.(plan, `no snapshot of its state, while it goes on: ${message}`)
  }
  const snapshots = makeSnapshots({ plan, owner, run, measures, missed, counter: begin.captures })
  for (let turn = 0; ; turn++) {
    if (instances.share().generation !== generation) {
      generation = instances.share().generation
      moving = shareDiffers(instances.share(), ids, options)
    }
    if (moving && epochOpenedAt === undefined) return shareChanged(instances.share(), shards, plan)
    const moved = yield* readOnce(owned, moving ? [] : shardsInTurn(plan, shards, turn), askers, (now, atMs) => {
      epochOpenedAt ??= now
      appendedAt = Math.min(appendedAt, atMs)
    })
    const now = yield* Clock.currentTimeMillis
    const readAll = askers.room() > 0
    const answered = askers.pass(now)
    if ((yield* takeTime(plan, shards, now)) || answered > 0) epochOpenedAt ??= now
    for (const shard of shards) if (shard.takeClock(now)) epochOpenedAt ??= now
    const captured = yield* snapshots.turn
    if (epochOpenedAt === undefined ? snapshots.unnamed() : moving || epochDue(shards, run, now - epochOpenedAt)) {
      yield* measures.epoch(commitEpoch(owned, shards, false), epochOpenedAt, appendedAt)
      begin.committed()
      yield* snapshots.committed
      snapshotWanted ||= epochOpenedAt !== undefined && isStateful(plan)
      epochOpenedAt = undefined
      appendedAt = Number.POSITIVE_INFINITY
      yield* trimInternal(shards, now, false)
    }
    if (snapshotWanted && epochOpenedAt === undefined && now >= snapshotFromMs && !snapshots.open()) {
      snapshotWanted = false
      snapshotFromMs = now + run.checkpointEveryMs
      yield* snapshots.begin(shards)
      yield* snapshots.turn
    }
    if (moved + answered > 0 || captured === "worked") {
      yield* Effect.yieldNow
      continue
    }
    if (askers.idle() && (yield* reachedEnd(options, shards))) {
      yield* snapshots.drain
      yield* finish(options, owner, shards, measures, epochOpenedAt, appendedAt, now)
      yield* trimInternal(shards, now, true)
      return complete
    }
    const untilDue = epochOpenedAt === undefined ? idleWaitMs : Math.max(1, run.epochMs - (now - epochOpenedAt))
    if (moving) continue
    const wait = Math.min(snapshots.open() ? writingWaitMs : idleWaitMs, untilDue)
    const waiting = askers.await((ms) => log.awaitAppend(ms, reads), wait)
    yield* readAll ? waiting : measures.held(waiting)
  }
})

const complete: Ended = { _tag: "Complete" }

/** Between two epochs: what stays is in memory as it is in the log, but for lookups, whose calls end with the incarnation. */
const shareChanged = (share: Share, shards: ReadonlyArray<Shard>, { lookups }: StagePlan): Ended => ({
  _tag: "ShareChanged",
  kept: lookups.length > 0 ? [] : shards.filter(({ id }) => share.has(shardWork(id))).map(withoutSnapshot)
})

/** A snapshot that was begun is given up: what changed before it began would be missing in an increment. */
const withoutSnapshot = (shard: Shard): Shard =>
  Object.assign(shard, {
    unnamed: undefined,
    chain: undefined,
    changed: shard.epoch > (shard.snapshots[0]?.epoch ?? 0)
  })

const epochDue = (shards: ReadonlyArray<Shard>, run: RunOptions, openForMs: number): boolean =>
  openForMs >= run.epochMs ||
  shards.reduce((sum, shard) => sum + shard.pending + shard.answered + tablesPending(shard), 0) >= run.epochRecords ||
  shards.reduce((sum, shard) => sum + bytesPending(shard), 0) >= epochBytesMax

/** The last epoch of an input that has ended. */
const finish = Effect.fnUntraced(function* (
  options: TaskOptions,
  owner: string,
  shards: ReadonlyArray<Shard>,
  measures: Measures,
  epochOpenedAt: number | undefined,
  appendedAt: number,
  now: number
) {
  const finished = epochOpenedAt === undefined && shards.every((shard) => shard.detail.finished)
  if (finished) return
  // the end of a bounded input is the end of time
  if (options.run.bounded) for (const shard of shards) shard.close(now)
  yield* measures.epoch(commitEpoch({ ...options, owner }, shards, true), epochOpenedAt, appendedAt)
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
  const limits = limitsOf(options)
  let moved = 0
  for (const shard of shards) {
    const room = askers.room()
    const silent = fallsSilent(options, shard, yield* Clock.currentTimeMillis)
    // while a table has more, what was read of the source would have to be read again
    const batch =
      room > 0 && shard.tablesRead
        ? yield* readSource(options, shard, { ...limits, recordsMax: Math.min(limits.recordsMax, room), now: silent })
        : undefined
    moved += yield* readTables(options, shard, batch !== undefined && batch.length > 0, opened)
    if (batch === undefined || !shard.tablesRead) continue
    const now = yield* Clock.currentTimeMillis
    if (batch.length > 0) {
      opened(now, batch.timestamps[0]!)
      yield* processed(options.plan, shard, batch, now)
      moved += batch.length
    } else if (silent) fallSilent(options.plan, shard, batch.open === true, now, opened)
    shard.readOn(batch.next)
  }
  return moved
})

/** Nothing came of the partition for so long that it is idle, if nothing stands in it: asked before it is read, which may take its time. */
const fallsSilent = ({ plan, run }: TaskOptions, { context, lastRecordAtMs }: Shard, nowMs: number): boolean =>
  !run.bounded && !context.time.idle && nowMs - lastRecordAtMs >= plan.idleAfterMs

/** It was read to its end. Where that is a transaction under way, records may stand behind it: it is waited for anew. */
const fallSilent = (
  { repartitions }: StagePlan,
  shard: Shard,
  open: boolean,
  now: number,
  opened: (nowMs: number, appendedAtMs: number) => void
): void => {
  if (open) {
    shard.lastRecordAtMs = now
    return
  }
  // whoever waits for its time is told, also when nothing else comes
  if (repartitions.length > 0) opened(now, Number.POSITIVE_INFINITY)
  shard.context.time.idle = true
}

/**
 * Of an internal topic, records are gone once its reader committed: whoever misses them may not be that reader any more. So
 * ownership is asked for first, as where a snapshot is missing (rule 4); dropping nothing asks the log.
 */
const readSource = Effect.fnUntraced(function* ({ owner, plan }: TaskOptions, shard: Shard, limits: ReadLimits) {
  const log = yield* Log
  return yield* log.read(plan.source.name, shard.id.shard, shard.offset, limits).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "OffsetOutOfRange" && plan.writers !== undefined,
      (error) => Effect.andThen(log.dropDeltas(owner, shard.id, 0), Effect.fail(error))
    )
  )
})

/** What an older version of the job wrote for other sources is no bug: it stops with the way out. */
const processed = ({ source, uid }: StagePlan, shard: Shard, batch: RecordBatch, now: number) =>
  Effect.suspend(() => {
    try {
      shard.process(batch, now)
      return Effect.void
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error
      return new JobError({
        reason: "StateDiffers",
        message: `job ${uid}: a record of ${source.name} ${error.message}. Let the version of the job that wrote it read it, or start the job under a new name.`
      })
    }
  })

const limitsOf = ({ run }: TaskOptions): ReadLimits => ({
  ...batchMax,
  recordsMax: Math.min(batchMax.recordsMax, run.epochRecords)
})

/**
 * One batch of each table that has one; `tablesRead` says whether they were at their ends. The source's batch was read
 * before, and where it has records the ends are those of now, so that whatever a table held when a record was committed is
 * there when the record is joined.
 */
const readTables = Effect.fnUntraced(function* (
  options: TaskOptions,
  shard: Shard,
  joins: boolean,
  opened: (nowMs: number, appendedAtMs: number) => void
) {
  const log = yield* Log
  let moved = 0
  shard.tablesRead = true
  for (const [index, table] of shard.tables.entries()) {
    // asked before it is read, so that nothing slips in between
    const complete = !options.run.bounded || (yield* options.run.inputComplete(table.topic))
    const batch = yield* log.read(table.topic, shard.id.shard, table.offset, { ...limitsOf(options), now: joins })
    if (batch.length > 0) {
      const now = yield* Clock.currentTimeMillis
      opened(now, batch.timestamps[0]!)
      shard.processTable(index, batch, now)
      moved += batch.length
    }
    table.offset = batch.next
    const atEnd = batch.length === 0 || table.offset >= (yield* endOf(table.topic, shard))
    // an input that ends ends behind what is not committed yet
    if (!complete || !atEnd || (options.run.bounded && batch.open === true)) shard.tablesRead = false
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
  const { plan, topics, writers } = options
  for (const { name } of topics) {
    if (writers !== undefined && name === plan.source.name) {
      if (!options.run.bounded || !writers.ended()) return false
    } else if (!(yield* options.run.inputComplete(name))) return false
  }
  for (const shard of shards) {
    if (!(yield* atEndNow(plan.source.name, shard, shard.offset))) return false
    for (const table of shard.tables) if (!(yield* atEndNow(table.topic, shard, table.offset))) return false
    if (shard.lanes?.ended() === false) return false
  }
  return true
})

const oneRecord: ReadLimits = { recordsMax: 1, bytesMax: 1, now: true }

/** Behind a transaction that somebody has under way may stand what was committed: the end of what is seen is not the end of all. */
const atEndNow = Effect.fnUntraced(function* (topic: string, shard: Shard, offset: number) {
  const log = yield* Log
  if (offset < (yield* endOf(topic, shard))) return false
  const { length, open } = yield* log.read(topic, shard.id.shard, offset, oneRecord)
  return length === 0 && open !== true
})

/** Files that a crash left without a name go by age only: a zombie's may still be named (rule 6). */
const sweepUnnamed = Effect.fnUntraced(function* (shards: ReadonlyArray<Shard>, plan: StagePlan) {
  if (!isStateful(plan)) return
  const store = yield* CheckpointStore
  const now = yield* Clock.currentTimeMillis
  for (const shard of shards) {
    // what a list names that cannot be read, nobody knows
    if (!shard.snapshots.every(({ file }) => shard.files.has(file))) continue
    const named = new Set([...shard.files.values()].flat())
    for (const file of yield* store.list(snapshotFolder(shard.id))) {
      if (!named.has(file.name) && now - file.modifiedMs > unnamedSnapshotAgeMs) yield* store.remove(file.name)
    }
  }
})
