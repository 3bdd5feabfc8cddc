/**
 * Whether rows of a query fit a table, as SQL that fails where they do not, at every depth: required fields, lengths of `fixed`,
 * times without end.
 *
 * Pure. What the cast itself would refuse or change is found before (`LossSql.ts`). Messages name columns, never values.
 */
import { sqlName } from "../../io/DuckDb.ts"
import { raiseSql } from "../../io/DuckDbError.ts"
import type { NestedField, Type } from "../../spec/Type.ts"

/** Something that must not be true of a value. */
export interface Wrong {
  readonly when: string
  readonly message: string
}

const endless: ReadonlySet<Type["_tag"]> = new Set(["date", "timestamp", "timestamptz", "timestamp_ns"])

/** Of a list of values: one of them is wrong. */
export const anyOf = (list: string, variable: string, element: ReadonlyArray<Wrong>): ReadonlyArray<Wrong> =>
  element.map(({ message, when }) => ({ when: `len(list_filter(${list}, lambda ${variable}: ${when})) > 0`, message }))

const missing = (of: string, name: string): Wrong => ({ when: `${of} IS NULL`, message: `column ${name} is required` })

/** `of` is an expression of the value, which may be null: then nothing is wrong. Lambdas of each depth have their variable. */
const wrongOf = (type: Type, of: string, name: string, depth: number): ReadonlyArray<Wrong> => {
  const variable = `x${depth}`
  switch (type._tag) {
    case "fixed":
      return [{ when: `octet_length(${of}) <> ${type.length}`, message: `column ${name} has values of another length` }]
    case "struct":
      return type.fields.flatMap((field) =>
        wrongOfField(field, `${of}.${sqlName(field.name)}`, `${name}.${field.name}`, depth).map(
          ({ message, when }) => ({
            when: `(${of} IS NOT NULL AND ${when})`,
            message
          })
        )
      )
    case "list": {
      const inner = wrongOf(type.element, variable, `${name}.element`, depth + 1)
      return anyOf(of, variable, type.elementRequired ? [missing(variable, `${name}.element`), ...inner] : inner)
    }
    case "map": {
      const keys = wrongOf(type.key, variable, `${name}.key`, depth + 1)
      const values = wrongOf(type.value, variable, `${name}.value`, depth + 1)
      return [
        ...anyOf(`map_keys(${of})`, variable, keys),
        ...anyOf(
          `map_values(${of})`,
          variable,
          type.valueRequired ? [missing(variable, `${name}.value`), ...values] : values
        )
      ]
    }
    default:
      // DuckDB's times without end are none of the specification: bounds and partitions would say something else
      return endless.has(type._tag) ? [{ when: `isinf(${of})`, message: `column ${name} has a time without end` }] : []
  }
}

const wrongOfField = (field: NestedField, of: string, name: string, depth: number): ReadonlyArray<Wrong> => {
  const inner = wrongOf(field.type, of, name, depth)
  return field.required ? [missing(of, name), ...inner] : inner
}

/** The value, or an error that names the column; `first` is looked at before the value is computed. */
export const fittingSql = (field: NestedField, value: string, first: ReadonlyArray<Wrong> = []): string => {
  const wrong = [...first, ...wrongOfField(field, value, field.name, 0)]
  if (wrong.length === 0) return value
  const cases = wrong.map(({ message, when }) => `WHEN ${when} THEN ${raiseSql(message)}`)
  return `CASE ${cases.join(" ")} ELSE ${value} END`
}
