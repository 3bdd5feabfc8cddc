/**
 * The commit loop: applies table actions to the table as it is, and again to the table as it has become, until they are in.
 *
 * **Guarantees**: the actions are in the table exactly once when it succeeds, and not at all when it fails, except for
 * OutcomeUnknown, where nobody can say. Files that were offered to a swap are never deleted, whatever happens (protocol, rule 12).
 */
import { faultPoint } from "@frazil/core"
import { Clock, Effect, Schedule } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import { randomSnapshotId } from "../io/RandomIds.ts"
import { LakeError } from "../LakeError.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { assertHead, assertTableUuid, unmetRequirement, type Requirement } from "../spec/Requirement.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { snapshotById } from "../spec/TableMetadata.ts"
import { stageAppend } from "./StageAppend.ts"
import { stageRewrite } from "./StageRewrite.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { TableAction } from "./TableAction.ts"

/** Java's defaults: `commit.retry.num-retries`, `min-wait-ms`, `max-wait-ms`. */
const retriesDefault = 4
const retryWaitMinMs = 100
const retryWaitMaxMs = 60_000

export interface CommitRequest<E, R> {
  readonly table: TableIdentifier
  /**
   * The actions for this base: called for every attempt with the table as freshly loaded, before anything is written on
   * it. A failure abandons the commit and comes out as it is. At most one that makes a snapshot.
   */
  readonly actions: (base: Table) => Effect.Effect<ReadonlyArray<TableAction>, E, R>
  /** Checked against each base; one that is not met fails with RequirementFailed, without another attempt. */
  readonly requirements?: ReadonlyArray<Requirement>
  /** Attempts after the first. */
  readonly retriesMax?: number
}

export interface Committed {
  /** As the swap left it; when the outcome had to be looked up, as it was found. */
  readonly table: Table
  /** What an Append or a RewriteFiles made; undefined without one. */
  readonly snapshot: Snapshot | undefined
  readonly attempts: number
}

interface Progress {
  attempts: number
  tableUuid: string | undefined
}

const failed = (reason: LakeError["reason"], table: TableIdentifier, what: string, cause?: unknown): LakeError =>
  new LakeError({
    reason,
    message: `table ${identifierText(table)}: ${what}`,
    ...(cause === undefined ? {} : { cause })
  })

const makesSnapshot = ({ _tag }: TableAction): boolean => _tag === "Append" || _tag === "RewriteFiles"

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
  const nowMs = yield* Clock.currentTimeMillis
  const updates = yield* Effect.forEach(actions, (action): Effect.Effect<ReadonlyArray<MetadataUpdate>, LakeError> => {
    switch (action._tag) {
      case "Append":
        return stageAppend(memory, base, action, attempt, nowMs)
      case "RewriteFiles":
        return stageRewrite(memory, base, action, attempt, nowMs)
      case "SetProperties":
        return Effect.succeed([
          { _tag: "SetProperties", properties: action.properties },
          { _tag: "RemoveProperties", names: action.removed }
        ])
      case "RemoveSnapshots":
        return Effect.succeed([
          ...action.refs.map((name): MetadataUpdate => ({ _tag: "RemoveSnapshotRef", name })),
          { _tag: "RemoveSnapshots", snapshotIds: action.snapshotIds }
        ])
    }
  })
  return updates.flat()
})

/** The requirements of the caller, and those that a swap on another base than this one must fail by. */
const requirementsOn = (base: Table, own: ReadonlyArray<Requirement>): ReadonlyArray<Requirement> => [
  ...own,
  assertTableUuid(base.metadata.tableUuid),
  assertHead(base.metadata.currentSnapshotId)
]

const checkBase = (
  base: Table,
  progress: Progress,
  own: ReadonlyArray<Requirement>
): Effect.Effect<void, LakeError> => {
  progress.tableUuid ??= base.metadata.tableUuid
  const unmet = unmetRequirement(base.metadata, [assertTableUuid(progress.tableUuid), ...own])
  return unmet === undefined ? Effect.void : Effect.fail(failed("RequirementFailed", base.identifier, unmet))
}

const attemptOnce = Effect.fnUntraced(function* <E, R>(
  request: CommitRequest<E, R>,
  memory: StagingMemory,
  progress: Progress
): Effect.fn.Return<Committed, LakeError | E, Catalog | R> {
  const catalog = yield* Catalog
  const own = request.requirements ?? []
  progress.attempts++
  const base = yield* catalog.loadTable(request.table)
  const { attempts } = progress
  // An earlier attempt may have landed although nobody said so. One id for all attempts makes that visible.
  const landed = snapshotById(base.metadata, memory.snapshotId)
  if (landed !== undefined) return { table: base, snapshot: landed, attempts: attempts - 1 }
  yield* checkBase(base, progress, own)
  const actions = yield* request.actions(base)
  const updates = yield* stage(memory, base, actions, attempts)
  const table = yield* catalog.commit({ base, requirements: requirementsOn(base, own), updates })
  return { table, snapshot: snapshotById(table.metadata, memory.snapshotId), attempts }
})

/** After an unknown outcome: what the table says. A commit that is not there is tried again. */
const lookUp = Effect.fnUntraced(function* (
  table: TableIdentifier,
  memory: StagingMemory,
  progress: Progress,
  error: LakeError
): Effect.fn.Return<Committed, LakeError, Catalog> {
  const catalog = yield* Catalog
  const found = yield* catalog.loadTable(table).pipe(Effect.mapError(() => error))
  const landed = snapshotById(found.metadata, memory.snapshotId)
  if (landed !== undefined) return { table: found, snapshot: landed, attempts: progress.attempts }
  return yield* failed("CommitConflict", table, "a commit of unknown outcome is not in the table", error)
})

const backoff = (retriesMax: number) =>
  Schedule.min([Schedule.exponential(`${retryWaitMinMs} millis`), Schedule.spaced(`${retryWaitMaxMs} millis`)]).pipe(
    Schedule.jittered,
    Schedule.upTo({ times: retriesMax })
  )

const isConflict = (error: unknown): boolean => error instanceof LakeError && error.reason === "CommitConflict"

/**
 * Commits actions to a table. Conflicts are tried again, 4 times by default, with waits from 100 ms to 60 s; each attempt
 * loads the table, asks for its actions anew and writes only what it cannot use again.
 *
 * Fails with CommitConflict when others were always first, RequirementFailed, TableMissing, OutcomeUnknown when the
 * catalog cannot even be asked, or what `actions` fails with.
 */
export const commitTable = Effect.fn("commitTable")(function* <E = never, R = never>(
  request: CommitRequest<E, R>
): Effect.fn.Return<Committed, LakeError | E, Catalog | FileIO | R> {
  const memory: StagingMemory = {
    fileIO: yield* FileIO,
    snapshotId: yield* randomSnapshotId,
    manifests: new Map(),
    merged: new Map(),
    rewritten: new Map()
  }
  const progress: Progress = { attempts: 0, tableUuid: undefined }
  const committed = yield* attemptOnce(request, memory, progress).pipe(
    Effect.catch((error): Effect.Effect<Committed, LakeError | E, Catalog> => {
      if (!(error instanceof LakeError)) return Effect.fail(error)
      if (error.reason === "CommitConflict") return Effect.andThen(faultPoint("swap-conflict"), Effect.fail(error))
      if (error.reason !== "OutcomeUnknown") return Effect.fail(error)
      return Effect.andThen(faultPoint("swap-unknown"), lookUp(request.table, memory, progress, error))
    }),
    Effect.retry({ schedule: backoff(request.retriesMax ?? retriesDefault), while: isConflict })
  )
  yield* faultPoint("after-swap")
  return committed
})
