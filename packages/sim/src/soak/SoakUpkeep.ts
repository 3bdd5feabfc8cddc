/**
 * Upkeep of the tables during a soak, as `apps/maintenance` does it, only oftener: a soak's hour is a table's month.
 *
 * An orphan is one after a few minutes here: no process of a soak, and hence no attempt to commit, lives as long.
 */
import { Catalog, compactTable, expireSnapshots, removeOrphans } from "@frazil/lake"
import { Effect } from "effect"

const everyMs = 60_000
const snapshotAgeMsMax = 60_000
const fileBytesTarget = 16 * 1_048_576
const orphanAgeMsMin = 5 * 60_000

/** What may be left to the next time: others were quicker. */
const passing: ReadonlySet<string> = new Set(["CommitConflict", "Unavailable", "RequirementFailed"])
/** A kill between the writing of metadata and the swap leaves some that is newer than the catalog's, until the next commit. */
const refused: ReadonlySet<string> = new Set([...passing, "MetadataAhead"])

/** How often something was left to the next time, and how often it was done. */
export interface UpkeepCounts {
  done: number
  left: number
}

/** Each action by itself, so that a table which is refused one does not go without the others. */
const upkeep = Effect.fnUntraced(function* (counts: UpkeepCounts) {
  const catalog = yield* Catalog
  for (const table of yield* catalog.listTables()) {
    const actions = [
      { action: expireSnapshots(table, { snapshotAgeMsMax }), mayFail: passing },
      { action: removeOrphans(table, { ageMsMin: orphanAgeMsMin }), mayFail: refused },
      { action: compactTable(table, { fileBytesTarget }), mayFail: passing }
    ]
    for (const { action, mayFail } of actions) {
      yield* action.pipe(
        Effect.tap(() => Effect.sync(() => counts.done++)),
        Effect.catchIf(
          ({ reason }) => mayFail.has(reason),
          () => Effect.sync(() => counts.left++)
        )
      )
    }
  }
})

/** Again and again, until it is interrupted. */
export const keepUp = Effect.fnUntraced(function* (counts: UpkeepCounts) {
  while (true) {
    yield* Effect.sleep(everyMs)
    yield* upkeep(counts)
  }
})
