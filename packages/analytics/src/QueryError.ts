/**
 * Why a query has no answer, by what whoever asked should do about it.
 *
 * Syntax, Refused, TableMissing, ColumnMissing, SnapshotMissing, Invalid → change the query; LimitReached → ask for less or
 * with other limits; Busy, Unavailable → try again; Failed → tell the operator.
 */
import { Schema } from "effect"

export class QueryError extends Schema.TaggedError<QueryError>()("QueryError", {
  reason: Schema.Literals([
    "Syntax",
    "Refused",
    "TableMissing",
    "ColumnMissing",
    "SnapshotMissing",
    "Invalid",
    "LimitReached",
    "Busy",
    "Unavailable",
    "Failed"
  ]),
  /** One line for a person. */
  message: Schema.String,
  /** Where in the query, counted from 1. (Not "line": JavaScriptCore gives every error one of its own.) */
  atLine: Schema.optionalKey(Schema.Int),
  atColumn: Schema.optionalKey(Schema.Int),
  hint: Schema.optionalKey(Schema.String),
  /** Which limit was reached. */
  limit: Schema.optionalKey(Schema.Literals(["rows", "bytes", "time", "memory"]))
}) {}
