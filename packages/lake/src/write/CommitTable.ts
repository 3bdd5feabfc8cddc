/**
 * The commit loop: applies table actions to the table as it is, and again to the table as it has become, until they are in.
 *
 * **Guarantees**: the actions are in the table exactly once when it succeeds, and not at all when it fails, except for
 * OutcomeUnknown, where nobody can say. Files that were offered to a swap are never deleted, whatever happens (protocol, rule 12).
 */
import { faultPoint } from "@frazil/core"
import { Clock, Duration, Effect, Schedule } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import { randomSnapshotId } from "../io/RandomIds.ts"
import { type StagedFile, StagedFiles } from "../io/StagedFile.ts"
import { LakeError } from "../LakeError.ts"
import { applyUpdates, type MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { assertRef, assertStructure, assertTableUuid, unmetRequirement, type Requirement } from "../spec/Requirement.ts"
import { mainBranch, type Snapshot } from "../spec/Snapshot.ts"
import { snapshotById } from "../spec/TableMetadata.ts"
import { commitRetryOf, retries, retryWaitMs } from "./CommitRetry.ts"
import { stageAppend } from "./StageAppend.ts"
import { stageChange } from "./StageChange.ts"
import { stageCherryPick } from "./StageCherryPick.ts"
import { stageManifests } from "./StageManifests.ts"
import { stageRepair } from "./StageRepair.ts"
import { stageRewrite } from "./StageRewrite.ts"
import { stageStructure } from "./StageStructure.ts"
import { type Offered, structureLanded } from "./StructureLanded.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { StructureAction, TableAction } from "./TableAction.ts"

export interface CommitRequest<E, R> {
  readonly table: TableIdentifier
  /** What the actions are done on; `main` when left out. A new branch begins where `main` is. */
  readonly branch?: string
  /**
   * The actions for this base: called for every attempt with the table as freshly loaded, before anything is written on
   * it. A failure abandons the commit and comes out as it is. At most one that makes a snapshot.
   */
  readonly actions: (base: Table) => Effect.Effect<ReadonlyArray<TableAction>, E, R>
  /** Checked against each base; one that is not met fails with RequirementFailed, without another attempt. */
  readonly requirements?: ReadonlyArray<Requirement>
  /** Attempts after the first, where the table's `commit.retry.num-retries` does not say. */
  readonly retriesMax?: number
}

export interface Committed {
  /** As the swap left it; when the outcome had to be looked up, as it was found. */
  readonly table: Table
  /** What the actions made; undefined without one. */
  readonly snapshot: Snapshot | undefined
  readonly attempts: number
}

interface Memory extends StagingMemory {
  readonly staged: StagedFiles
}

interface Progress {
  readonly startedNanos: bigint
  attempts: number
  /** The table as it was first found. */
  begunOn: Table | undefined
  /** What was offered last, where no snapshot's id tells, and what it would have made of the table. */
  offered: (() => Offered) | undefined
  /** Such offers that were not answered: each may have landed, or land yet. */
  readonly unanswered: Array<() => Offered>
}

const failed = (reason: LakeError["reason"], table: TableIdentifier, what: string, cause?: unknown): LakeError =>
  new LakeError({
    reason,
    message: `table ${identifierText(table)}: ${what}`,
    ...(cause === undefined ? {} : { cause })
  })

const snapshotActions: ReadonlySet<TableAction["_tag"]> = new Set<Exclude<TableAction, StructureAction>["_tag"]>([
  "Append",
  "RewriteFiles",
  "ChangeRows",
  "RewriteManifests",
  "RepairManifests",
  "CherryPick"
])

/** Or may make one: a picked snapshot can become the head as it is. */
const makesSnapshot = ({ _tag }: TableAction): boolean => snapshotActions.has(_tag)

/** Always makes one, by whose id it is found. */
const madeOne = (action: TableAction): boolean => makesSnapshot(action) && action._tag !== "CherryPick"

const stageOne = (
  memory: StagingMemory,
  base: Table,
  action: TableAction,
  attempt: number,
  nowMs: number
): Effect.Effect<ReadonlyArray<MetadataUpdate>, LakeError> => {
  switch (action._tag) {
    case "Append":
      return stageAppend(memory, base, action, attempt, nowMs)
    case "RewriteFiles":
      return stageRewrite(memory, base, action, attempt, nowMs)
    case "ChangeRows":
      return stageChange(memory, base, action, attempt, nowMs)
    case "RewriteManifests":
      return stageManifests(memory, base, action, attempt, nowMs)
    case "RepairManifests":
      return stageRepair(memory, base, action, attempt, nowMs)
    case "CherryPick":
      return stageCherryPick(memory, base, action, attempt, nowMs)
    default:
      return stageStructure(base, memory.branch, action)
  }
}

/** A table of version 1 takes nothing but its upgrade, and an upgrade comes alone: what else is written depends on the version. */
const checkFormat = ({ identifier, metadata }: Table, actions: ReadonlyArray<TableAction>) => {
  const upgrades = actions.some(({ _tag }) => _tag === "UpgradeFormat")
  if (upgrades && actions.length > 1) {
    return Effect.die(new TypeError("an upgrade of the format is the only action of its commit"))
  }
  return metadata.formatVersion > 1 || upgrades
    ? Effect.void
    : Effect.fail(
        failed(
          "Unsupported",
          identifier,
          "it has format version 1, which is only read here: commit upgradeFormat(2) first"
        )
      )
}

/** Updates of all actions on this base. */
const stage = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  actions: ReadonlyArray<TableAction>,
  attempt: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  if (actions.filter(makesSnapshot).length > 1) {
    return yield* Effect.die(new TypeError("a commit takes one action that makes a snapshot"))
  }
  yield* checkFormat(base, actions)
  const nowMs = yield* Clock.currentTimeMillis
  const updates = yield* Effect.forEach(actions, (action) => stageOne(memory, base, action, attempt, nowMs))
  return updates.flat()
})

const changesStructure = ({ _tag }: TableAction): boolean =>
  _tag === "UpdateSchema" || _tag === "UpdatePartitionSpec" || _tag === "ReplaceSortOrder"

/** Refs by which the actions were decided: those that they make, move or take away, and where snapshots go all that keep one. */
const refsOf = ({ metadata }: Table, branch: string, actions: ReadonlyArray<TableAction>): ReadonlySet<string> => {
  const named = actions.flatMap((action) =>
    action._tag === "SetRef" || action._tag === "RemoveRef"
      ? [action.name]
      : action._tag === "RemoveSnapshots"
        ? [...metadata.refs.keys(), ...action.refs]
        : []
  )
  return new Set([branch, ...named])
}

/** The requirements of the caller, and those that a swap on another base than this one must fail by. */
const requirementsOn = (
  base: Table,
  own: ReadonlyArray<Requirement>,
  branch: string,
  actions: ReadonlyArray<TableAction>
): ReadonlyArray<Requirement> => [
  ...own,
  assertTableUuid(base.metadata.tableUuid),
  ...Array.from(refsOf(base, branch, actions), (ref) =>
    assertRef(ref, base.metadata.refs.get(ref)?.snapshotId ?? null)
  ),
  ...(actions.some(changesStructure) ? assertStructure(base.metadata) : [])
]

const checkBase = (
  base: Table,
  progress: Progress,
  own: ReadonlyArray<Requirement>
): Effect.Effect<void, LakeError> => {
  progress.begunOn ??= base
  const same = [
    assertTableUuid(progress.begunOn.metadata.tableUuid),
    ...own.filter(({ _tag }) => _tag === "AssertTableUuid")
  ]
  const another = unmetRequirement(base.metadata, same)
  if (another !== undefined) {
    const { location } = progress.begunOn.metadata
    const elsewhere = location === base.metadata.location ? "" : `; files of the former one stay below ${location}`
    const what = `${another}, and got nothing of this change: look whether it is meant for that one${elsewhere}`
    return Effect.fail(failed("TableReplaced", base.identifier, what))
  }
  const unmet = unmetRequirement(base.metadata, own)
  return unmet === undefined ? Effect.void : Effect.fail(failed("RequirementFailed", base.identifier, unmet))
}

/** Of a table that was there when the commit began: where its files are, which no catalog tells any more. */
const droppedMeanwhile = (progress: Progress, error: LakeError): LakeError => {
  const { begunOn } = progress
  if (error.reason !== "TableMissing" || begunOn === undefined) return error
  const { location } = begunOn.metadata
  const what = `it was dropped meanwhile, and nothing was changed; its files stay below ${location}: remove that folder once no catalog has the table`
  return failed("TableMissing", begunOn.identifier, what, error)
}

/** The table, if an attempt that nobody answered is in it. One id of a snapshot for all attempts makes that visible. */
const landedIn = (table: Table, memory: StagingMemory, progress: Progress): Committed | undefined => {
  const { attempts, unanswered } = progress
  const snapshot = snapshotById(table.metadata, memory.snapshotId)
  if (snapshot !== undefined) return { table, snapshot, attempts }
  const landed = unanswered.some((offer) => structureLanded(table.metadata, offer(), memory.branch))
  return landed ? { table, snapshot: undefined, attempts } : undefined
}

const attemptOnce = Effect.fnUntraced(function* <E, R>(
  request: CommitRequest<E, R>,
  memory: Memory,
  progress: Progress
): Effect.fn.Return<Committed, LakeError | E, Catalog | R> {
  const catalog = yield* Catalog
  const own = request.requirements ?? []
  progress.attempts++
  progress.offered = undefined
  const base = yield* catalog.loadTable(request.table)
  const { attempts } = progress
  const landed = landedIn(base, memory, progress)
  if (landed !== undefined) return { ...landed, attempts: attempts - 1 }
  yield* checkBase(base, progress, own)
  const actions = yield* request.actions(base)
  const updates = yield* stage(memory, base, actions, attempts)
  const requirements = requirementsOn(base, own, memory.branch, actions)
  if (!actions.some(madeOne)) {
    progress.offered = () => ({
      base: base.metadata,
      actions,
      wanted: applyUpdates(base.metadata, base.metadataLocation, updates, 0)
    })
  }
  const write = (last: ReadonlyArray<StagedFile>) => memory.staged.writeAll(last)
  const table = yield* catalog.commit({ base, requirements, updates, write })
  return { table, snapshot: snapshotById(table.metadata, memory.snapshotId), attempts }
})

/** After an unknown outcome: what the table says. A commit that is not there is tried again. */
const lookUp = Effect.fnUntraced(function* (
  table: TableIdentifier,
  memory: StagingMemory,
  progress: Progress,
  error: LakeError
): Effect.fn.Return<Committed, LakeError, Catalog> {
  if (progress.offered !== undefined) progress.unanswered.push(progress.offered)
  const catalog = yield* Catalog
  const found = yield* catalog.loadTable(table).pipe(Effect.mapError(() => error))
  const landed = landedIn(found, memory, progress)
  if (landed !== undefined) return landed
  return yield* failed("CommitConflict", table, "a commit of unknown outcome is not in the table", error)
})

/** Waits and tries as the table that the commit began on says. */
const backoff = (progress: Progress, retriesMax: number | undefined) => {
  const retry = () => commitRetryOf(progress.begunOn?.metadata.properties ?? new Map(), retriesMax)
  return Schedule.forever.pipe(
    Schedule.while(({ attempt }) =>
      Effect.map(Clock.monotonicTimeNanos, (now) =>
        retries(retry(), attempt, Number(now - progress.startedNanos) / 1_000_000)
      )
    ),
    Schedule.modifyDelay(({ attempt }) => Effect.map(retryWaitMs(retry(), attempt), Duration.millis))
  )
}

/** Nobody was first: whoever did not answer may still do what it was asked last. */
const lastUnknown = <E>(error: E): E | LakeError =>
  error instanceof LakeError && error.reason === "CommitConflict" && isUnknown(error.cause) ? error.cause : error

const isUnknown = (cause: unknown): cause is LakeError =>
  cause instanceof LakeError && cause.reason === "OutcomeUnknown"

const isConflict = (error: unknown): boolean => error instanceof LakeError && error.reason === "CommitConflict"

/**
 * Commits actions to a table. Conflicts are tried again as the table's `commit.retry.*` say: 4 times by default, with waits
 * from 100 ms to 60 s, for half an hour; each attempt loads the table, asks for its actions anew and writes only what it cannot use again.
 *
 * Fails with CommitConflict when others were always first, RequirementFailed, TableMissing, TableReplaced, OutcomeUnknown
 * when the catalog cannot be asked or the last attempt may yet be done, or what `actions` fails with.
 */
export const commitTable = Effect.fn("commitTable")(function* <E = never, R = never>(
  request: CommitRequest<E, R>
): Effect.fn.Return<Committed, LakeError | E, Catalog | FileIO | R> {
  const fileIO = yield* FileIO
  const memory: Memory = {
    fileIO,
    staged: new StagedFiles(fileIO.write),
    branch: request.branch ?? mainBranch,
    snapshotId: yield* randomSnapshotId,
    manifests: new Map(),
    merged: new Map(),
    rewritten: new Map(),
    emptied: new Map()
  }
  const progress: Progress = {
    startedNanos: yield* Clock.monotonicTimeNanos,
    attempts: 0,
    begunOn: undefined,
    offered: undefined,
    unanswered: []
  }
  const committed = yield* attemptOnce(request, memory, progress).pipe(
    Effect.catch((error): Effect.Effect<Committed, LakeError | E, Catalog> => {
      if (!(error instanceof LakeError)) return Effect.fail(error)
      if (error.reason === "CommitConflict") return Effect.andThen(faultPoint("swap-conflict"), Effect.fail(error))
      if (error.reason !== "OutcomeUnknown") return Effect.fail(droppedMeanwhile(progress, error))
      return Effect.andThen(faultPoint("swap-unknown"), lookUp(request.table, memory, progress, error))
    }),
    Effect.retry({ schedule: backoff(progress, request.retriesMax), while: isConflict }),
    Effect.mapError(lastUnknown)
  )
  yield* faultPoint("after-swap")
  return committed
})
