/**
 * Reads rows of a table through DuckDB, now or at an earlier moment.
 *
 * For commands and tests, whose results are small; the query service has its own locked-down DuckDB over the same plan.
 */
import { type Json } from "@duckdb/node-api"
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { DuckDb } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import type { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
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

/** Plans the scan and runs the query over it. `query` is trusted text: it is not for what a user sends. */
export const readTable = Effect.fn("readTable")(function* (
  table: Table,
  options: ReadOptions = {}
): Effect.fn.Return<TableRows, LakeError | DuckDbError, FileIO | DuckDb> {
  const duckDb = yield* DuckDb
  const plan = yield* planScan(table, options)
  const relation = yield* Effect.fromResult(tableRelation(plan))
  const sql = `WITH t AS (${relation}) ${options.query ?? "SELECT * FROM t"}`
  const rows = yield* Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* duckDb.connect
      const result = yield* connection.query(sql, "reading a table")
      return result.getRowObjectsJson()
    })
  )
  return { rows, relation, plan }
})
