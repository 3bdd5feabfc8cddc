/**
 * Expressions over several records by their names: `country != large.country`, `left.amount + right.amount`.
 *
 * Checked against a shape whose fields have the names that the expression gives them; compiled over a reader for each record.
 */
import type { FieldAccess, FieldSpec, RecordShape } from "@frazil/core"

const separator = "."

/** Whether the name is that of a field of a named record. */
export const isNamed = (name: string): boolean => name.includes(separator)

/** The record's name and the field's. */
export const partsOf = (name: string): readonly [of: string, field: string] => {
  const at = name.indexOf(separator)
  return [name.slice(0, at), name.slice(at + 1)]
}

/** The fields of a record with that name. `missing`: it may not be there. */
export const namedFields = (of: string, { fields }: RecordShape, missing: boolean): ReadonlyArray<FieldSpec> =>
  fields.map((field) => ({ ...field, name: `${of}${separator}${field.name}`, nullable: field.nullable || missing }))

export const shapeOfFields = (fields: ReadonlyArray<FieldSpec>): RecordShape => ({
  fields,
  byName: new Map(fields.map((field) => [field.name, field])),
  closed: false
})

/** Reads `large.country` by what `of` gives for `large`, and `country` by `own`. */
export const namedAccess = (of: (name: string) => FieldAccess, own: FieldAccess | undefined): FieldAccess => {
  const split = (name: string): readonly [FieldAccess, string] => {
    if (!isNamed(name)) return [own!, name] // it was checked against a shape with such a field
    const [record, field] = partsOf(name)
    return [of(record), field]
  }
  const pass =
    (read: "number" | "unscaled" | "boolean" | "text" | "isNull") =>
    (name: string): string => {
      const [access, field] = split(name)
      return access[read](field)
    }
  return {
    number: pass("number"),
    unscaled: pass("unscaled"),
    boolean: pass("boolean"),
    text: pass("text"),
    isNull: pass("isNull"),
    textEquals: (name, literal) => {
      const [access, field] = split(name)
      return access.textEquals(field, literal)
    }
  }
}
