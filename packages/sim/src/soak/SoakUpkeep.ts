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

const upkeep = Effect.gen(function* () {
  const catalog = yield* Catalog
  let conflicts = 0
  for (const table of yield* catalog.listTables()) {
    yield* expireSnapshots(table, { snapshotAgeMsMax })
    yield* removeOrphans(table, { ageMsMin: orphanAgeMsMin })
    conflicts += (yield* compactTable(table, { fileBytesTarget })).conflicts
  }
  return conflicts
})

/** Again and again, until it is interrupted; what the pipeline was quicker at is left to the next time. */
export const keepUp = Effect.gen(function* () {
  while (true) {
    yield* Effect.sleep(everyMs)
    yield* upkeep.pipe(
      Effect.catchIf(
        ({ reason }) => reason === "CommitConflict" || reason === "Unavailable",
        () => Effect.void
      )
    )
  }
})
