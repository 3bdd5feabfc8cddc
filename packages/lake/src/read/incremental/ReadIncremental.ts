/**
 * Rows that came, or that changed, between two snapshots, read through DuckDB: for commands and tests, whose results are small.
 */
import { Effect } from "effect"
import type { Table } from "../../catalog/Catalog.ts"
import type { DuckDb } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FileIO } from "../../io/FileIO.ts"
import type { LakeError } from "../../LakeError.ts"
import { checkFiles, fileChecks, runChecks } from "../CheckFiles.ts"
import { withLocalFiles } from "../LocalFiles.ts"
import { type JsonRow, rowsOf } from "../ReadTable.ts"
import { tableRelation } from "../TableRelation.ts"
import { changesRelation, type UpdatesBy, withLocalChanges } from "./ChangesRelation.ts"
import { type AppendsOptions, planAppends } from "./PlanAppends.ts"
import { planChanges } from "./PlanChanges.ts"
import type { Between } from "./SnapshotsBetween.ts"

interface Asked {
  /** Trusted SQL over the rows, which it calls `t`; all of them when it is left out. */
  readonly query?: string
}

type Read = Effect.fn.Return<ReadonlyArray<JsonRow>, LakeError | DuckDbError, FileIO | DuckDb>

/** Appended rows: `planAppends`. */
export const readAppends = Effect.fn("readAppends")(function* (
  table: Table,
  { query, ...options }: AppendsOptions & Asked = {}
): Read {
  const fileIO = yield* FileIO
  const plan = yield* planAppends(table, options)
  const read = Effect.gen(function* () {
    const relation = yield* Effect.fromResult(tableRelation(yield* withLocalFiles(fileIO, plan)))
    yield* checkFiles(plan)
    return yield* rowsOf(relation, query)
  })
  return yield* Effect.scoped(read)
})

export interface ChangesOptions extends Between {
  /** What tells a row that was changed from one that went and another that came; without it, all are DELETE and INSERT. */
  readonly updates?: UpdatesBy
}

/** Inserted, deleted and changed rows: `planChanges`, `changesRelation`. */
export const readChanges = Effect.fn("readChanges")(function* (
  table: Table,
  { query, updates, ...between }: ChangesOptions & Asked = {}
): Read {
  const fileIO = yield* FileIO
  const plan = yield* planChanges(table, between)
  const read = Effect.gen(function* () {
    const relation = yield* Effect.fromResult(changesRelation(yield* withLocalChanges(fileIO, plan), updates))
    for (const { after, before } of plan.steps) yield* runChecks([...fileChecks(before), ...fileChecks(after)])
    return yield* rowsOf(relation, query)
  })
  return yield* Effect.scoped(read)
})
