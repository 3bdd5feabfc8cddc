/**
 * The fields of a record as plain data, in the order the schema declares them.
 *
 * Made from a record's schema when a topic is declared; the decoder, the encoder, expressions, plans and tables read it.
 */
import { type Schema, SchemaAST } from "effect"
import { annotationOf } from "./Field.ts"
import type { FieldSpec } from "./FieldType.ts"

export interface RecordShape {
  readonly fields: ReadonlyArray<FieldSpec>
  readonly byName: ReadonlyMap<string, FieldSpec>
  /** Unknown fields are refused instead of kept. */
  readonly closed: boolean
}

/** Names that columns, expressions and generated code can use as they are. */
const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,127}$/

/** Fields of a record: far more than any contract has, and few enough for a bit set of the scanner. */
const recordFieldsMax = 1_000

/**
 * Reads the shape of a struct of `Field`s. Throws a `TypeError` naming the field when the schema is no struct, a field was
 * not made by `Field`, has a check of its own, or has a name that columns cannot have: a declaration is wrong, not data.
 */
const of = (schema: Schema.Constraint, options?: { readonly closed?: boolean }): RecordShape => {
  const ast = schema.ast
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) {
    throw new TypeError("a record's schema must be a Schema.Struct of fields made with Field")
  }
  if (ast.checks !== undefined || ast.encoding !== undefined) {
    throw new TypeError(
      "a record's schema must be a plain Schema.Struct: checks and transformations of the whole record are not applied to columns"
    )
  }
  if (ast.propertySignatures.length > recordFieldsMax) {
    throw new TypeError(`a record has at most ${recordFieldsMax} fields`)
  }
  const fields = ast.propertySignatures.map((property, index): FieldSpec => {
    const name = String(property.name)
    if (typeof property.name !== "string" || !namePattern.test(name)) {
      throw new TypeError(`field "${name}": a name must be letters, digits and _, and begin with a letter`)
    }
    const annotation = annotationOf(property.type)
    if (annotation === undefined) {
      throw new TypeError(`field "${name}" must be made with Field.text, Field.decimal and so on, without .check(…)`)
    }
    if (SchemaAST.isOptional(property.type) !== annotation.nullable) {
      throw new TypeError(`field "${name}": a field that may be absent is made with Field.optional`)
    }
    return { name, index, ...annotation }
  })
  return { fields, byName: new Map(fields.map((field) => [field.name, field])), closed: options?.closed ?? false }
}

export const RecordShape = { of } as const
