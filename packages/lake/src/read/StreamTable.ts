/**
 * Rows of a table as a stream: in batches, computed by DuckDB as they are asked for.
 *
 * For programs that go through tables that do not fit in memory. **Bounds**: a batch has at most 2,048 rows, a vector of DuckDB's; of the
 * result no more is there than about a megabyte in DuckDB, whose own memory is bounded too. **Order**: that of the query.
 */
import { type DuckDBDataChunk, JsonDuckDBValueConverter } from "@duckdb/node-api"
import { Effect, Option, type Scope, Stream } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { DuckDb } from "../io/DuckDb.ts"
import type { DuckDbChunks } from "../io/DuckDbChunks.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { checkFiles, findDamage } from "./CheckFiles.ts"
import { withLocalFiles } from "./LocalFiles.ts"
import { planScan, type ScanPlan } from "./PlanScan.ts"
import type { JsonRow, ReadOptions } from "./ReadTable.ts"
import { tableRelation } from "./TableRelation.ts"

type Services = FileIO | DuckDb

/** Starts a query, `t` being the plan's rows; it ends with the scope. */
export const openScan = Effect.fnUntraced(function* (
  plan: ScanPlan,
  query = "SELECT * FROM t"
): Effect.fn.Return<DuckDbChunks, LakeError | DuckDbError, Services | Scope.Scope> {
  const fileIO = yield* FileIO
  const duckDb = yield* DuckDb
  const here = yield* checkFiles(yield* withLocalFiles(fileIO, plan))
  const relation = yield* Effect.fromResult(tableRelation(here))
  const connection = yield* duckDb.connect
  return yield* connection
    .chunks(`WITH t AS (${relation}) ${query}`, "reading a table")
    .pipe(Effect.catchTag("DuckDbError", (error) => findDamage(here, error)))
})

/** A stream of what `of` makes of each chunk. */
export const streamChunks = <A, E, R>(
  open: Effect.Effect<DuckDbChunks, E, R | Scope.Scope>,
  of: (chunks: DuckDbChunks) => (chunk: DuckDBDataChunk) => A
): Stream.Stream<A, E | DuckDbError, Exclude<R, Scope.Scope>> =>
  Stream.unwrap(
    Effect.map(open, (chunks) => {
      const make = of(chunks)
      return Stream.paginate(chunks, (at) =>
        Effect.map(at.next, (chunk) =>
          chunk === undefined
            ? ([[], Option.none<DuckDbChunks>()] as const)
            : ([[make(chunk)], Option.some(at)] as const)
        )
      )
    })
  )

/** A planned scan's rows, in batches; `query` is trusted SQL text over them, which it calls `t`. */
const streamScan = (
  plan: ScanPlan,
  query?: string
): Stream.Stream<ReadonlyArray<JsonRow>, LakeError | DuckDbError, Services> =>
  streamChunks(openScan(plan, query), ({ names }) => (chunk) => {
    const rows = chunk.convertRows(JsonDuckDBValueConverter)
    return rows.map((row): JsonRow => Object.fromEntries(names.map((name, i) => [name, row[i] ?? null])))
  })

/** Plans a scan and streams its rows, in batches. */
export const streamTable = (
  table: Table,
  { query, ...options }: ReadOptions = {}
): Stream.Stream<ReadonlyArray<JsonRow>, LakeError | DuckDbError, Services> =>
  Stream.unwrap(Effect.map(planScan(table, options), (plan) => streamScan(plan, query)))
