/**
 * Turns a schema's issue into the machine word, the field and the sentence of a dead letter.
 *
 * Only the slow path calls it. Nothing of the record enters the sentence: neither values, nor names that the schema does
 * not declare.
 */
import type { SchemaIssue } from "effect"
import type { DecodeReason } from "../record/ColumnBatch.ts"
import { reasonAnnotationKey } from "../schema/Field.ts"

export interface RecordProblem {
  readonly reason: DecodeReason
  readonly field: string | undefined
  readonly message: string
}

/** What went wrong with a record, from the first issue of its schema. */
export const issueProblem = (issue: SchemaIssue.Issue): RecordProblem => {
  let field: string | undefined
  let current: SchemaIssue.Issue | undefined = issue
  while (current !== undefined) {
    if (current._tag === "Pointer") {
      field ??= String(current.path[0])
      current = current.issue
    } else if (current._tag === "MissingKey" && field !== undefined) {
      return { reason: "missing_field", field, message: `field ${field} is missing` }
    } else if (current._tag === "InvalidValue" && current.annotations?.[reasonAnnotationKey] !== undefined) {
      // only Field writes under this key
      const reason = current.annotations[reasonAnnotationKey] as DecodeReason
      return { reason, field, message: `field ${field} ${current.annotations.message}` }
    } else {
      current = inner(current)
    }
  }
  return { reason: "wrong_type", field, message: `field ${field} does not fit the schema of its nested value` }
}

/** The issue within an issue that says most: of alternatives, the first. */
const inner = (issue: SchemaIssue.Issue): SchemaIssue.Issue | undefined => {
  switch (issue._tag) {
    case "Filter":
    case "Encoding":
      return issue.issue
    case "Composite":
    case "AnyOf":
      return issue.issues[0]
    default:
      return undefined
  }
}
