/**
 * How a task starts: fence, read the record in force, load the snapshot it names and the deltas after it.
 *
 * Called by the task at its start and again after an outcome nobody knows; it begins from the log's word alone (protocol,
 * rules 1, 2, 4, 5 and 9).
 */
import { faultPoint } from "@frazil/core"
import { Effect } from "effect"
import { filesOf, partsOf, readFile, snapshotsKept } from "../checkpoint/Snapshot.ts"
import { Log, type RecordInForce, type ShardId, type SnapshotName, type TopicInfo } from "../log/Log.ts"
import { isStateful, type StagePlan } from "../plan/StagePlan.ts"
import { applyEncoded } from "../state/StateCodec.ts"
import { type KeyedOperator, makeKeyedOperator } from "../keyed/KeyedOperator.ts"
import { type LookupState, makeLookupState } from "../lookup/LookupState.ts"
import { type JoinState, makeJoinState } from "../join/JoinState.ts"
import { type KeyedState, makeKeyedState } from "../state/KeyedState.ts"
import { type OperatorState, StateShapeError } from "../state/OperatorState.ts"
import { makeTableState, type TableState } from "../state/TableState.ts"
import { makePatternState, type PatternState } from "../pattern/PatternState.ts"
import { makeWindowState, type WindowState } from "../window/WindowState.ts"
import { deltaPlace, StateSealing } from "../state/StateSeal.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { JobError } from "./JobError.ts"
import { sameSources } from "./SameSources.ts"
import { sameTopic } from "./SourceTopic.ts"
import { catchStores, type OpenStores, storeFailure } from "./StateStores.ts"
import { emptyDetail, type ShardDetail } from "./ShardDetail.ts"

/** The keyed state of a stage in one shard, by the plan's indexes. */
export interface StageState {
  readonly states: ReadonlyArray<KeyedState>
  readonly windows: ReadonlyArray<WindowState>
  readonly patterns: ReadonlyArray<PatternState>
  readonly keyed: ReadonlyArray<KeyedOperator>
  readonly joins: ReadonlyArray<JoinState>
  readonly lookups: ReadonlyArray<LookupState>
  readonly tables: ReadonlyArray<TableState>
}

/** A shard as it stands after its last committed epoch. */
export interface RestoredShard extends StageState {
  readonly id: ShardId
  readonly epoch: number
  /** The next offset to read. */
  readonly offset: number
  /** The same of each table. */
  readonly tableOffsets: ReadonlyArray<number>
  readonly snapshots: ReadonlyArray<SnapshotName>
  /** Of each whose list can be read, its files. */
  readonly files: ReadonlyMap<string, ReadonlyArray<string>>
  readonly detail: ShardDetail
}

/** Takes the shards, which read `topics`, the source and the plan's tables, and brings them to their last committed epoch. */
export const restore = Effect.fnUntraced(function* (
  plan: StagePlan,
  owner: string,
  topics: ReadonlyArray<TopicInfo>,
  shards: ReadonlyArray<ShardId>,
  internal: ReadonlyArray<TopicInfo> = [],
  open: OpenStores = inMemory
) {
  const [topic, ...tables] = topics as [TopicInfo, ...ReadonlyArray<TopicInfo>] // a stage has a source
  const log = yield* Log
  const records = yield* log.fence(owner, shards)
  yield* faultPoint("after-init")
  const bounds = yield* log.bounds(topic.name)
  const restored: Array<RestoredShard> = []
  for (const [index, id] of shards.entries()) {
    const record = records[index]
    if (record === undefined) {
      // a job that never committed starts at the first record kept
      const start = bounds.find((bound) => bound.partition === id.shard)?.start ?? 0
      const state = yield* emptyState(plan, id, open)
      const tableOffsets = yield* offsetsOfTables(id, undefined, tables, state.tables)
      restored.push({
        id,
        epoch: 0,
        offset: start,
        tableOffsets,
        snapshots: [],
        files: new Map(),
        ...state,
        detail: emptyDetail
      })
      continue
    }
    const offset = yield* checkedPosition(id, record, topic)
    const detail = record.detail as ShardDetail // written by this engine in every commit
    yield* sameSources(plan, id, detail)
    for (const now of internal) {
      const topicId = detail.internal?.[now.name]
      // what it wrote there is gone, though its own position is beyond that
      if (topicId !== undefined) yield* sameTopic(id.uid, { topic: now.name, topicId, partitions: now.partitions }, now)
    }
    const state = isStateful(plan)
      ? yield* restoreStates(plan, owner, id, record, detail.deltasFrom, open)
      : yield* emptyState(plan, id, open)
    const tableOffsets = yield* offsetsOfTables(id, record, tables, state.tables)
    bringToTime(plan, state, detail)
    const { epoch, snapshots } = record
    const files = yield* filesOfAll(snapshots)
    restored.push({ id, epoch, offset, tableOffsets, snapshots, files, ...state, detail })
  }
  return restored
})

/** What the named snapshots need; one that is damaged stands for nothing. */
const filesOfAll = Effect.fnUntraced(function* (snapshots: ReadonlyArray<SnapshotName>) {
  const files = new Map<string, ReadonlyArray<string>>()
  for (const snapshot of snapshots) {
    const parts = yield* partsOf(snapshot).pipe(
      Effect.catchIf(
        (error) => error.reason === "Corrupt",
        () => Effect.succeed(undefined)
      )
    )
    if (parts !== undefined) files.set(snapshot.file, filesOf(snapshot, parts))
  }
  return files
})

/** Forgets what is over by the time that the record in force says. */
const bringToTime = (plan: StagePlan, state: StageState, { clockAt, closed = false, maxEventTime }: ShardDetail) => {
  const watermark = (maxEventTime ?? Number.NEGATIVE_INFINITY) - plan.outOfOrdernessMs
  for (const [index, window] of state.windows.entries()) {
    const time = plan.windows[index]!.clocked ? (clockAt ?? Number.NEGATIVE_INFINITY) : watermark
    window.restored(time, closed)
  }
  for (const pattern of state.patterns) pattern.restored(closed)
  for (const join of state.joins) join.restored(watermark, closed)
  for (const keyed of state.keyed) keyed.restored(watermark, closed)
}

/** The state of a key that a record in force names, for whoever only reads it: the shard is not taken. Operators that can leave out others. */
export const loadState = Effect.fnUntraced(function* (
  plan: StagePlan,
  id: ShardId,
  record: RecordInForce,
  key: string
) {
  const detail = record.detail as ShardDetail // written by this engine in every commit
  const state = yield* loadNewest(plan, id, record, detail.deltasFrom, { open: inMemory, key })
  bringToTime(plan, state, detail)
  return state
})

/** Whoever only reads a shard has it in memory. */
const inMemory: OpenStores = () => undefined

/** With stores that are open for the shard anew. */
const emptyState = (plan: StagePlan, id: ShardId, open: OpenStores): Effect.Effect<StageState, JobError> =>
  catchStores(Effect.sync(() => statesOf(plan, open(id))))

const statesOf = (plan: StagePlan, open: OpenStore | undefined): StageState => ({
  states: plan.states.map((state) => makeKeyedState(state.name, state.declaration, open)),
  windows: plan.windows.map((window) => makeWindowState(window, open)),
  patterns: plan.patterns.map((pattern) => makePatternState(pattern, open)),
  keyed: plan.keyed.map((keyed) => makeKeyedOperator(keyed, open)),
  joins: plan.joins.map((join) => makeJoinState(join, open)),
  lookups: plan.lookups.map(({ keyOf, name, policy }) => makeLookupState(name, policy.ordered, keyOf)),
  tables: plan.tables.map((table) => makeTableState(table, open))
})

/**
 * Where tables are read on. One that the job did not join with, or of which it took less, is read from its first record on,
 * and what of that does not decode is told again.
 */
const offsetsOfTables = Effect.fnUntraced(function* (
  id: ShardId,
  record: RecordInForce | undefined,
  topics: ReadonlyArray<TopicInfo>,
  states: ReadonlyArray<TableState>
) {
  const log = yield* Log
  const offsets: Array<number> = []
  for (const [index, topic] of topics.entries()) {
    const state = states[index]!
    const position = record?.positions.find((candidate) => candidate.topic === topic.name)
    if (position !== undefined) yield* sameTopic(id.uid, position, topic)
    if (position === undefined || !state.complete()) {
      state.beginAnew()
      const bounds = yield* log.bounds(topic.name)
      offsets.push(bounds.find((bound) => bound.partition === id.shard)?.start ?? 0)
    } else offsets.push(position.offset)
  }
  return offsets
})

/** The offset in force, if the topic is still the one it was read from (rules 3 and 9). */
const checkedPosition = Effect.fnUntraced(function* (id: ShardId, record: RecordInForce, topic: TopicInfo) {
  const position = record.positions.find((candidate) => candidate.topic === topic.name)
  if (position === undefined) {
    return yield* new JobError({
      reason: "Corrupt",
      message: `job ${id.uid}: the record in force of shard ${id.shard} of ${id.stage} has no position in ${topic.name}. Restore log.db from a backup, or start the job under a new name.`
    })
  }
  yield* sameTopic(id.uid, position, topic)
  return position.offset
})

/** The same for a task that has taken the shard. */
const restoreStates = Effect.fnUntraced(function* (
  plan: StagePlan,
  owner: string,
  id: ShardId,
  record: RecordInForce,
  deltasFrom: number | null,
  open: OpenStores
) {
  const log = yield* Log
  return yield* loadNewest(plan, id, record, deltasFrom, { open, key: undefined }).pipe(
    // rule 4: only an owner may call it corrupt; a zombie misses files that its successor deleted. Dropping nothing asks the log.
    Effect.tapError((error) =>
      error._tag === "JobError" && error.reason === "Corrupt" ? log.dropDeltas(owner, id, 0) : Effect.void
    )
  )
})

interface LoadInto {
  readonly open: OpenStores
  /** All of them when undefined. */
  readonly key: string | undefined
}

/** The newest snapshot that reads, or an older one, and every delta after it. */
const loadNewest = Effect.fnUntraced(function* (
  plan: StagePlan,
  id: ShardId,
  record: RecordInForce,
  deltasFrom: number | null,
  into: LoadInto
) {
  // an older version of the job had no state here: all of it starts empty
  if (deltasFrom === null) return yield* emptyState(plan, id, into.open)
  // rule 2: deltas are kept from the oldest kept snapshot on; before there are three snapshots, from the first one on
  const candidates = record.snapshots.length < snapshotsKept ? [...record.snapshots, undefined] : record.snapshots
  const faults: Array<string> = []
  for (const snapshot of candidates) {
    const loaded = yield* Effect.result(loadFrom(plan, id, record, snapshot, deltasFrom, into))
    if (loaded._tag === "Success") return loaded.success
    if (loaded.failure._tag === "LogError" || loaded.failure.reason !== "Corrupt") return yield* loaded.failure
    faults.push(loaded.failure.message)
  }
  return yield* new JobError({
    reason: "Corrupt",
    message: `job ${id.uid}: the state of shard ${id.shard} of ${id.stage} cannot be restored: ${faults.join("; ")}. Restore the checkpoints folder and log.db from a backup of the same moment, or start the job under a new name.`
  })
})

const loadFrom = Effect.fnUntraced(function* (
  plan: StagePlan,
  id: ShardId,
  record: RecordInForce,
  snapshot: SnapshotName | undefined,
  deltasFrom: number,
  { key, open }: LoadInto
) {
  const log = yield* Log
  const state = yield* emptyState(plan, id, open)
  const loads = loadsOf(state, key)
  if (snapshot !== undefined) {
    for (const part of yield* partsOf(snapshot)) {
      yield* apply(loads, yield* readFile(part), part.file, `snapshot ${part.file}`)
    }
  }
  yield* faultPoint("mid-restore")
  let next = snapshot === undefined ? deltasFrom : snapshot.epoch + 1
  for (const delta of yield* log.deltas(id, next - 1)) {
    if (delta.epoch > record.epoch) break
    if (delta.epoch !== next) return yield* gap(next, delta.epoch)
    yield* apply(loads, delta.bytes, deltaPlace(id, delta.epoch), `the changes of epoch ${delta.epoch}`)
    next++
  }
  if (next !== record.epoch + 1) return yield* gap(next, record.epoch + 1)
  return state
})

const gap = (missing: number, found: number) =>
  new JobError({ reason: "Corrupt", message: `the changes of epochs ${missing} to ${found - 1} are missing` })

type Loads = ReadonlyArray<Pick<OperatorState, "name" | "load">>

/** What takes entries of each operator, or those of one key alone. */
const loadsOf = (
  { joins, keyed, lookups, patterns, states, tables, windows }: StageState,
  key: string | undefined
): Loads => {
  const all: ReadonlyArray<OperatorState> = [
    ...states,
    ...windows,
    ...patterns,
    ...joins,
    ...keyed,
    ...lookups,
    ...tables
  ]
  if (key === undefined) return all
  return all.map((state) => ({
    name: state.name,
    load: (entries, raw) => state.load(state.entriesOf === undefined ? entries : state.entriesOf(entries, key), raw)
  }))
}

const apply = Effect.fnUntraced(function* (loads: Loads, bytes: Uint8Array, place: string, what: string) {
  const { open } = yield* StateSealing
  return yield* Effect.try({
    try: () => {
      applyEncoded(loads, open(bytes, place))
    },
    catch: (cause) => {
      if (cause instanceof JobError) return cause
      const failure = storeFailure(cause)
      if (failure !== undefined) return failure
      return cause instanceof StateShapeError
        ? new JobError({ reason: "StateDiffers", message: cause.message, cause })
        : new JobError({ reason: "Corrupt", message: `${what} cannot be read`, cause })
    }
  })
})
