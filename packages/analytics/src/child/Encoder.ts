/** How chunks of rows become bytes of an answer: one encoder a query. */
import type { DuckDBDataChunk } from "@duckdb/node-api"

export interface Encoder {
  /** What stands before all rows. */
  readonly head: () => Uint8Array
  /** The first `rows` rows of the chunk. */
  readonly rows: (chunk: DuckDBDataChunk, rows: number) => Uint8Array
  /** What stands after all rows. */
  readonly tail: () => Uint8Array
}
