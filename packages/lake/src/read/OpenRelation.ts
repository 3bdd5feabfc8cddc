/**
 * A planned scan made ready to be read: its files on this machine, looked at, and the SQL that gives its rows.
 *
 * Whoever reads rows calls it, at once (`ReadTable.ts`) or as a stream (`StreamTable.ts`). The files are there as long as the scope
 * is open.
 */
import { Effect, type Scope } from "effect"
import type { DuckDb } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { checkFiles, findDamage } from "./CheckFiles.ts"
import { withLocalFiles } from "./LocalFiles.ts"
import type { ScanPlan } from "./PlanScan.ts"
import { tableRelation } from "./TableRelation.ts"

export interface OpenRelation {
  readonly relation: string
  /** What a failure of DuckDB's over it was: damage of a file, told by its name, or what DuckDB says. */
  readonly told: <A, R>(
    reading: Effect.Effect<A, DuckDbError, R>
  ) => Effect.Effect<A, LakeError | DuckDbError, R | DuckDb | Scope.Scope>
}

/** A query over a relation, which it calls `t`; all rows and columns when it is left out. Both are trusted text. */
export const queryOver = (relation: string, query = "SELECT * FROM t"): string => `WITH t AS (${relation}) ${query}`

export const openRelation = Effect.fnUntraced(function* (
  plan: ScanPlan
): Effect.fn.Return<OpenRelation, LakeError, FileIO | Scope.Scope> {
  const here = yield* checkFiles(yield* withLocalFiles(yield* FileIO, plan))
  const relation = yield* Effect.fromResult(tableRelation(here))
  return {
    relation,
    told: (reading) => Effect.catchTag(reading, "DuckDbError", (error) => findDamage(here, error))
  }
})
