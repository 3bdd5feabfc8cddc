/**
 * **The commit point of the landing**: files, and the marks that say which records are in them, by one swap.
 *
 * Every attempt asks the base that it swaps against (protocol, rule 14): the table is still the same, its history bears
 * out its marks, and they are the ones that the files were read from. A moved mark abandons the attempt, its files stay
 * (rule 12).
 */
import { Effect, Schema } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import type { FileIO } from "../io/FileIO.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { assertTableUuid } from "../spec/Requirement.ts"
import { commitTable } from "../write/CommitTable.ts"
import { append, setProperties, type TableAction } from "../write/TableAction.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { type Marks, readMarks, sameMarks, writeMarks } from "./Mark.ts"
import { marksBorneOut } from "./MarksBorneOut.ts"

export interface Swapped {
  readonly table: Table
  /** The snapshot that the swap made; when it was looked for, others may be on it already. */
  readonly snapshotId: string
}

class MarkMoved extends Schema.TaggedError<MarkMoved>()("MarkMoved", {}) {}

/** The table is gone, or another has its name: opening it again tells what that means. */
const isAnother = (error: { readonly reason: string }): boolean =>
  error.reason === "TableMissing" || error.reason === "TableReplaced"

/** The table with the files in it; undefined when the base was no longer the one read from, and nothing was done. */
export const swapIn = (landing: Landing, table: Table, before: Marks, after: Marks, files: ReadonlyArray<DataFile>) => {
  const marks = writeMarks(landing.uid, landing.branch, after)
  // a mark moves only with a snapshot: an empty one when no record decoded
  const actions = [append(files, marks), setProperties(marks)]
  return commitTable({
    table: landing,
    requirements: [assertTableUuid(table.metadata.tableUuid)],
    actions: (base): Effect.Effect<ReadonlyArray<TableAction>, LandingError | MarkMoved, FileIO> => {
      const known = readMarks(landing.uid, landing.branch, base.metadata.properties)
      if (known === undefined || !sameMarks(known, knownOf(before, known))) return Effect.fail(new MarkMoved())
      return Effect.flatMap(
        marksBorneOut(landing, base),
        (inForce): Effect.Effect<ReadonlyArray<TableAction>, LandingError> =>
          inForce instanceof LandingError ? Effect.fail(inForce) : Effect.succeed(actions)
      )
    }
  }).pipe(
    Effect.map(({ snapshot, table: swapped }): Swapped | undefined => ({
      table: swapped,
      snapshotId: String(snapshot?.snapshotId)
    })),
    Effect.catchTag("MarkMoved", () => Effect.undefined),
    Effect.catchIf(isAnother, () => Effect.undefined)
  )
}

/** The marks that the attempt started from, without partitions that the table does not know yet. */
const knownOf = (before: Marks, known: Marks): Marks =>
  new Map([...before].filter(([partition, mark]) => known.has(partition) || mark.next > 0))
