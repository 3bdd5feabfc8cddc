/**
 * Why a data file could not be written, by what the caller should do about it.
 *
 * `reason` decides: Full → stop until there is room; OutOfMemory → stop and raise a limit; Unavailable → retry the whole
 * attempt later; Refused (keys, rights) → stop and tell the operator; Unsupported → the table and the topic do not fit, or the table asks for what is not done here: stop and
 * tell the operator; Corrupt → what was written is not what was given: a bug here or in DuckDB, stop.
 */
import { Schema } from "effect"
import type { StorageError } from "@frazil/core"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FormatError } from "../../spec/FormatError.ts"

export class ParquetError extends Schema.TaggedError<ParquetError>()("ParquetError", {
  reason: Schema.Literals(["Full", "OutOfMemory", "Unavailable", "Refused", "Unsupported", "Corrupt"]),
  /** What happened, where, and what to do: one line for a person. */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export const fromDuckDbError = (error: DuckDbError): ParquetError => {
  const reasons = {
    Full: "Full",
    OutOfMemory: "OutOfMemory",
    Unavailable: "Unavailable",
    Interrupted: "Unavailable",
    Failed: "Corrupt"
  } as const
  return new ParquetError({ reason: reasons[error.reason], message: error.message, cause: error })
}

export const fromStorageError = (error: StorageError): ParquetError => {
  const reasons = {
    Full: "Full",
    Unavailable: "Unavailable",
    NotFound: "Unavailable",
    // a writer's prefix was used before: another attempt with a new one does not meet it
    AlreadyExists: "Unavailable",
    Refused: "Refused",
    Corrupt: "Corrupt"
  } as const
  return new ParquetError({ reason: reasons[error.reason], message: error.message, cause: error })
}

/** For what Node's file functions throw, and what is found wrong in a file of ours. */
export const fromFileError = (cause: unknown): ParquetError => {
  if (cause instanceof FormatError) {
    return new ParquetError({ reason: cause.reason, message: `writing a Parquet file: ${cause.message}`, cause })
  }
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error"
  const full = code === "ENOSPC" || code === "EDQUOT"
  const message = full
    ? "writing a Parquet file: the disk is full; make room and start again"
    : `writing a Parquet file: its file could not be read or written (${code})`
  return new ParquetError({ reason: full ? "Full" : "Unavailable", message, cause })
}
