/**
 * Problem documents (RFC 9457): every error that the gateway answers is one.
 *
 * Pure. `type` names the reason for programs; `detail` and `hint` are for people; places in a query are counted from 1.
 */
import type { QueryError } from "@frazil/analytics"
import type { LogError } from "@frazil/engine"
import type { LakeError } from "@frazil/lake"
import { Schema } from "effect"

/** The document. */
export const ProblemDocument = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  hint: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.Int),
  limit: Schema.optionalKey(Schema.String)
})
type ProblemDocument = typeof ProblemDocument.Type

/** An error on its way to whoever asked. */
export class Problem extends Schema.TaggedError<Problem>()("Problem", { document: ProblemDocument }) {}

export const problemType = "application/problem+json"

const typeOf = (reason: string): string =>
  `urn:frazil:problem:${reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()}`

/** A problem by a reason in words: `NotFound`, `Busy`. */
export const problem = (status: number, reason: string, detail: string, more: Partial<ProblemDocument> = {}): Problem =>
  new Problem({
    document: { type: typeOf(reason), title: reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "), status, detail, ...more }
  })

const queryStatus: Readonly<Record<QueryError["reason"], number>> = {
  Syntax: 400,
  Refused: 400,
  Invalid: 400,
  ColumnMissing: 400,
  TableMissing: 404,
  SnapshotMissing: 404,
  LimitReached: 422,
  Busy: 503,
  Unavailable: 503,
  Failed: 500
}

export const fromQueryError = (error: QueryError): Problem =>
  problem(queryStatus[error.reason], error.reason, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.atLine === undefined ? {} : { line: error.atLine }),
    ...(error.atColumn === undefined ? {} : { column: error.atColumn }),
    ...(error.limit === undefined ? {} : { limit: error.limit })
  })

const lakeStatus = (reason: LakeError["reason"]): number =>
  reason === "TableMissing" || reason === "SnapshotMissing" ? 404 : reason === "Unavailable" ? 503 : 500

export const fromLakeError = (error: LakeError, hint?: string): Problem =>
  problem(lakeStatus(error.reason), error.reason, error.message, hint === undefined ? {} : { hint })

export const fromLogError = (error: LogError): Problem =>
  problem(error.reason === "Unavailable" ? 503 : 500, error.reason, error.message)

export const problemResponse = ({ document }: Problem): Response =>
  new Response(`${JSON.stringify(document)}\n`, {
    status: document.status,
    headers: {
      "content-type": problemType,
      ...(document.status === 503 ? { "retry-after": "1" } : {})
    }
  })
