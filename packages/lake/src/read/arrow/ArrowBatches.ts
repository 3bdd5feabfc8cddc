/**
 * Rows of a table as a stream of Arrow record batches: `@frazil/lake/arrow`, apart from the rest, so that the Arrow library is
 * loaded only by who uses it.
 *
 * **Bounds**: those of `streamTable`; every batch has the same schema.
 */
import type { RecordBatch } from "apache-arrow"
import { Effect, Stream } from "effect"
import type { Table } from "../../catalog/Catalog.ts"
import type { DuckDb } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import type { FileIO } from "../../io/FileIO.ts"
import type { LakeError } from "../../LakeError.ts"
import { planScan, type ScanPlan } from "../PlanScan.ts"
import type { ReadOptions } from "../ReadTable.ts"
import { openScan, streamChunks } from "../StreamTable.ts"
import { arrowResult } from "./ArrowColumns.ts"

type Batches = Stream.Stream<RecordBatch, LakeError | DuckDbError, FileIO | DuckDb>

/** A planned scan's rows; `query` is trusted SQL text over them, which it calls `t`. */
const arrowScan = (plan: ScanPlan, query?: string): Batches =>
  streamChunks(openScan(plan, query), ({ names, types }) => {
    const { batch } = arrowResult(names, types)
    return (chunk) => batch(chunk, chunk.rowCount)
  })

/** Plans a scan and streams its rows. */
export const arrowTable = (table: Table, { query, ...options }: ReadOptions = {}): Batches =>
  Stream.unwrap(Effect.map(planScan(table, options), (plan) => arrowScan(plan, query)))
