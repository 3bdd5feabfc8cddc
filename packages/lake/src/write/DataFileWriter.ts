/**
 * Who writes a landing's data files: Parquet by DuckDB, unless something else is provided.
 *
 * The landing opens one for each attempt. It is a reference and not a service because nobody but the simulated world has
 * a reason to change it: DuckDB runs on threads of its own, and what they do first cannot be replayed from a seed.
 */
import type { Storage } from "@frazil/core"
import { Context, type Effect, type Scope } from "effect"
import type { DuckDb } from "../io/DuckDb.ts"
import type { ParquetError } from "./parquet/ParquetError.ts"
import { ParquetWriter, type ParquetWriterOptions } from "./parquet/ParquetWriter.ts"

export const DataFileWriter = Context.Reference<{
  readonly open: (
    options: ParquetWriterOptions
  ) => Effect.Effect<ParquetWriter, ParquetError, DuckDb | Storage | Scope.Scope>
}>("@frazil/lake/DataFileWriter", { defaultValue: () => ({ open: ParquetWriter.make }) })
