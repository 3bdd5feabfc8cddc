/**
 * Reads a record's fields by their rules, in the order of the schema: what the schema says of it, at a fraction of its cost.
 *
 * The decoder calls it for rows that the scanner gave up on, most of which are invalid: interpreting a schema for a few of them
 * has hundreds of functions compiled. The rules are those that `Field`'s schemas apply; a nested value is read by its own
 * schema. Its twin is `readBySchema`, whose verdicts and values it must give (`Fuzz.equivalence.test.ts`).
 */
import { Result, Schema, SchemaAST, SchemaIssue } from "effect"
import { ProblemFound } from "../schema/FieldValue.ts"
import type { FieldSpec } from "../schema/FieldType.ts"
import type { Topic } from "../Topic.ts"
import { issueProblem, type RecordProblem } from "./IssueProblem.ts"
import { ruleOf } from "./OddValues.ts"
import type { ReadFields } from "./SlowDecode.ts"

/** The value as the record holds it, or what is wrong with it. */
type ReadField = (value: unknown) => unknown

/** As the schema of a record meets the issue: below the field's name. */
const nestedReader = (field: FieldSpec, schema: Schema.Codec<unknown, unknown>): ReadField => {
  const decode = Schema.decodeUnknownResult(schema)
  return (value) => {
    const decoded = decode(value)
    if (Result.isSuccess(decoded)) return decoded.success
    const { message, reason } = issueProblem(new SchemaIssue.Pointer([field.name], decoded.failure.issue))
    return new NestedProblem({ reason, field: field.name, message })
  }
}

/** A problem in words of its schema. */
class NestedProblem {
  readonly problem: RecordProblem
  constructor(problem: RecordProblem) {
    this.problem = problem
  }
}

const missing = new ProblemFound("missing_field", "is missing")

const inWords = (field: string, { problem }: ProblemFound): RecordProblem => ({
  reason: problem.reason,
  field,
  message: `field ${field} ${problem.message}`
})

export const readByRules = <A>({ schema, shape: { fields } }: Topic<A>): ReadFields => {
  const { ast } = schema
  const properties = SchemaAST.isObjects(ast) ? ast.propertySignatures : []
  const readers = fields.map((field) =>
    field.type._tag === "Json"
      ? nestedReader(field, Schema.make<Schema.Codec<unknown, unknown>>(properties[field.index]!.type))
      : ruleOf(field)
  )
  return (input) => {
    const record: Record<string, unknown> = {}
    for (const { index, name, nullable } of fields) {
      const value = input[name]
      if (nullable && (value === undefined || value === null)) {
        record[name] = null
        continue
      }
      const read = value === undefined ? missing : readers[index]!(value)
      if (read instanceof ProblemFound) return inWords(name, read)
      if (read instanceof NestedProblem) return read.problem
      record[name] = read
    }
    return { record }
  }
}
