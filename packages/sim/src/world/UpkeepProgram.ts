/**
 * Upkeep of the tables beside their landings: compaction, expiry, orphan removal, and now and then another engine's commit
 * that knows nothing of marks. The lake's own code; `Simulation` runs it as a process that may be killed at any step.
 */
import {
  append,
  commitTable,
  compactTable,
  expireSnapshots,
  FileRewriter,
  type Landing,
  removeOrphans,
  rowFileRewriter
} from "@frazil/lake"
import { Effect, Random } from "effect"
import type { Durable } from "./Durable.ts"
import { lakeServices } from "./lake/LakeServices.ts"
import type { Caller, Door } from "./Port.ts"
import type { UpkeepRhythm } from "./Scenario.ts"

/** As long as an attempt to commit may take: what is younger may be offered to a swap in flight (protocol, rule 12). */
export const orphanAgeMs = 3_600_000

const sizes = { fileBytesTarget: 1_000_000, inputFilesMin: 2 }

const foreignCommit = (landing: Landing) => commitTable({ table: landing, actions: () => Effect.succeed([append([])]) })

const compact = (landing: Landing) => Effect.asVoid(compactTable(landing, sizes))
const orphans = (landing: Landing) => Effect.asVoid(removeOrphans(landing, { ageMsMin: orphanAgeMs }))

const expire = (landing: Landing, { retention }: UpkeepRhythm) => Effect.asVoid(expireSnapshots(landing, retention))

/** Drawn from, as often as they stand here. */
const actions = [
  compact,
  compact,
  expire,
  orphans,
  orphans,
  // the newest snapshot has no marks: those of the one before it are needed
  (landing: Landing, rhythm: UpkeepRhythm) => Effect.andThen(foreignCommit(landing), expire(landing, rhythm))
]

/** Nothing to stop for: the next round finds the table as it then is. */
const passing = new Set([
  "TableMissing",
  "TableReplaced",
  "CommitConflict",
  "RequirementFailed",
  "Unavailable",
  "OutcomeUnknown",
  "Full"
])

/** A folder that holds what a lost or torn commit left: who removes files refuses it until that is settled. */
const refusesFolder = ({ reason }: { readonly reason: string }): boolean =>
  reason === "MetadataAhead" || reason === "LocationInDoubt"

/** Does round after round, until enough were done or the job is. */
export const upkeepProgram = (
  door: Door,
  caller: Caller,
  durable: Durable,
  landings: ReadonlyArray<Landing>,
  rhythm: UpkeepRhythm,
  over: () => boolean
) =>
  Effect.gen(function* () {
    for (let round = 0; round < rhythm.rounds && !over(); round++) {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, rhythm.pauseMsMax))
      // the first tables most, so that several are at one at once
      const last = yield* Random.nextIntBetween(0, landings.length - 1)
      const landing = landings[yield* Random.nextIntBetween(0, last)]!
      const action = actions[yield* Random.nextIntBetween(0, actions.length - 1)]!
      yield* action(landing, rhythm).pipe(
        Effect.catchIf(
          (error) => passing.has(error.reason) || refusesFolder(error),
          () => Effect.void
        )
      )
    }
  }).pipe(Effect.provideService(FileRewriter, rowFileRewriter), Effect.provide(lakeServices(door, caller, durable)))

/** At the end, long after everything else: what nothing names goes. Tables whose folder is refused are left out. */
export const tidyProgram = (door: Door, caller: Caller, durable: Durable, landings: ReadonlyArray<Landing>) =>
  Effect.forEach(landings, (landing) =>
    // a commit settles what was given up
    Effect.andThen(foreignCommit(landing), removeOrphans(landing, { ageMsMin: orphanAgeMs })).pipe(
      Effect.as([landing.table]),
      Effect.catchIf(refusesFolder, () => Effect.succeed([]))
    )
  ).pipe(
    Effect.map((tables) => new Set(tables.flat())),
    Effect.provide(lakeServices(door, caller, durable))
  )
