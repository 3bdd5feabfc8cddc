/**
 * What holds rows of one partition until they become a part of its file: pages of our own (`pages/PageRows.ts`), or a table of
 * DuckDB's (`DuckDbRows.ts`). `PartitionBuffers` fills and empties them, again and again.
 */
import type { ColumnBatch } from "@frazil/core"
import type { Effect, Scope } from "effect"
import type { ParquetError } from "./ParquetError.ts"
import type { MemoryPart } from "./pages/RowGroupPart.ts"

/** A part of a data file: a Parquet file of its own, which becomes the file's or is appended to it; or bytes in memory. */
export type Part = { readonly _tag: "File"; readonly path: string } | ({ readonly _tag: "Memory" } & MemoryPart)

export interface RowHold {
  /** Rows held. */
  rows: number
  /** Bytes of the records that the rows came from: what it is bounded by. */
  bytes: number
  /** Makes the empty hold ready for rows. */
  readonly open: Effect.Effect<void, ParquetError>
  /** Takes rows `rows[from, to)` of the batch that was taken up last. Throws. */
  readonly append: (batch: ColumnBatch, rows: Int32Array, from: number, to: number, sourcePartition: number) => void
  /** Nothing more comes: what has to be done on this thread is done. */
  readonly close: Effect.Effect<void, ParquetError>
  /** The closed hold's rows; it is empty when it ends. `path` is free for a file. */
  readonly take: (path: string) => Effect.Effect<Part, ParquetError>
}

/** All holds of one writer. */
export interface RowHolds {
  /** Takes up a batch, whose rows go to several holds. */
  readonly begin: (batch: ColumnBatch) => void
  /** A hold more, there as long as the scope. */
  readonly make: Effect.Effect<RowHold, ParquetError, Scope.Scope>
}
