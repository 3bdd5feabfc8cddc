/**
 * What can go wrong in DuckDB, by what the caller should do about it.
 *
 * `reason` decides: Full → stop until there is room on the disk; OutOfMemory → stop and raise a limit; Unavailable → retry
 * later; Interrupted → somebody else cancelled the statement; Failed → the statement is wrong or DuckDB is: a bug here.
 */
import { Schema } from "effect"

export class DuckDbError extends Schema.TaggedError<DuckDbError>()("DuckDbError", {
  reason: Schema.Literals(["Full", "OutOfMemory", "Unavailable", "Interrupted", "Failed"]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

// DuckDB tells kinds of errors by their text only. The first that matches decides.
const patterns: ReadonlyArray<readonly [RegExp, DuckDbError["reason"], string]> = [
  [/no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i, "Full", "the disk is full; make room and start again"],
  [
    /max_temp_directory_size/i,
    "Full",
    "it needs more room to spill than it may take; raise spillBytesMax or make room"
  ],
  [/^Out of Memory Error|failed to allocate|bad_alloc/i, "OutOfMemory", "it needs more memory; raise memoryBytesMax"],
  [/^INTERRUPT Error/i, "Interrupted", "the statement was cancelled"],
  [/^IO Error|Permission denied|Read-only file system/i, "Unavailable", "a file could not be read or written"]
]

// What statements of ours raise by `raiseSql`: it holds no values.
const raised = /^Invalid Input Error: frazil: ([^\n]*)/

/** SQL that fails with a message of ours, which must name no value. */
export const raiseSql = (message: string): string => `error('frazil: ${message.replaceAll("'", "''")}')`

// These speak of the statement. Texts of other errors may quote values of records.
const aboutStatement = /^(Parser|Binder|Catalog|Not implemented|Permission|Dependency) Error/

/**
 * Tells what went wrong from what DuckDB threw. `doing` begins the message: "writing a Parquet file". DuckDB's own text
 * follows where it cannot hold values of records; where it can, only its first words do, and there is no cause.
 */
export const toDuckDbError =
  (doing: string) =>
  (cause: unknown): DuckDbError => {
    const text = cause instanceof Error ? cause.message : String(cause)
    const ours = raised.exec(text)?.[1]
    if (ours !== undefined) return new DuckDbError({ reason: "Failed", message: `DuckDB, ${doing}: ${ours}` })
    const found = patterns.find(([pattern]) => pattern.test(text))
    if (found === undefined && !aboutStatement.test(text)) {
      const kind = /^[A-Za-z ]{1,40} Error/.exec(text)?.[0] ?? "unknown error"
      return new DuckDbError({ reason: "Failed", message: `DuckDB, ${doing}: it failed (${kind})` })
    }
    const detail = text.split("\n", 1)[0] ?? ""
    const message = `DuckDB, ${doing}: ${found === undefined ? "it failed" : found[2]} (${detail})`
    return new DuckDbError({ reason: found?.[1] ?? "Failed", message, cause })
  }
