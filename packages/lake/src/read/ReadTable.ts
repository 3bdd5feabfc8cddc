/**
 * Reads rows of a table through DuckDB, now or at an earlier moment.
 *
 * For commands and tests, whose results are small; the query service has its own locked-down DuckDB over the same plan.
 */
import { type Json } from "@duckdb/node-api"
import { Effect, type Scope } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { DuckDb } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { checkFiles, findDamage } from "./CheckFiles.ts"
import { withLocalFiles } from "./LocalFiles.ts"
import { planScan, type ScanOptions, type ScanPlan } from "./PlanScan.ts"
import { tableRelation } from "./TableRelation.ts"

/** A row by column name: decimals, 64-bit integers, dates and times as text, so that nothing is rounded. */
export type JsonRow = Readonly<Record<string, Json>>

export interface ReadOptions extends ScanOptions {
  /**
   * SQL over the table, which it calls `t`: `SELECT count(*) AS rows FROM t WHERE …`. All rows and columns when left out.
   * The whole result is held in memory.
   */
  readonly query?: string
}

export interface TableRows {
  readonly rows: ReadonlyArray<JsonRow>
  /** The table as a relation: SQL text that gives all its rows. */
  readonly relation: string
  readonly plan: ScanPlan
}

/** Runs a query over a relation, which it calls `t`. */
export const rowsOf = Effect.fnUntraced(function* (
  relation: string,
  query = "SELECT * FROM t"
): Effect.fn.Return<ReadonlyArray<JsonRow>, DuckDbError, DuckDb | Scope.Scope> {
  const duckDb = yield* DuckDb
  const connection = yield* duckDb.connect
  const result = yield* connection.query(`WITH t AS (${relation}) ${query}`, "reading a table")
  return result.getRowObjectsJson()
})

/** Plans the scan and runs the query over it. `query` is trusted text: it is not for what a user sends. */
export const readTable = Effect.fn("readTable")(function* (
  table: Table,
  options: ReadOptions = {}
): Effect.fn.Return<TableRows, LakeError | DuckDbError, FileIO | DuckDb> {
  const fileIO = yield* FileIO
  const plan = yield* planScan(table, options)
  const relation = yield* Effect.fromResult(tableRelation(plan))
  const rows = yield* Effect.scoped(
    Effect.gen(function* () {
      const here = yield* checkFiles(yield* withLocalFiles(fileIO, plan))
      const local = yield* Effect.fromResult(tableRelation(here))
      return yield* Effect.catchTag(rowsOf(local, options.query), "DuckDbError", (error) => findDamage(here, error))
    })
  )
  return { rows, relation, plan }
})
