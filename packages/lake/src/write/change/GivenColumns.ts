/** The columns that a query gives, and what of them a table has no place for. Pure. Names are DuckDB's: case does not count. */
import { DuckDBArrayType, DuckDBListType, DuckDBMapType, DuckDBStructType, type DuckDBType } from "@duckdb/node-api"
import type { NestedField, Type } from "../../spec/Type.ts"

/** Columns of a query, by name in lower case. */
export type GivenColumns = ReadonlyMap<string, DuckDBType>

export const givenColumns = (names: ReadonlyArray<string>, types: ReadonlyArray<DuckDBType>): GivenColumns =>
  new Map(names.map((name, i) => [name.toLowerCase(), types[i]!]))

/** The fields of a struct; undefined of another type. */
export const entriesOf = (type: DuckDBType): GivenColumns | undefined =>
  type instanceof DuckDBStructType ? givenColumns(type.entryNames, type.entryTypes) : undefined

/** What a list is of; undefined of another type. */
export const elementOf = (type: DuckDBType): DuckDBType | undefined =>
  type instanceof DuckDBListType || type instanceof DuckDBArrayType ? type.valueType : undefined

const unknownIn = (type: Type, given: DuckDBType, name: string): ReadonlyArray<string> => {
  switch (type._tag) {
    case "struct":
      return unknownColumns(type.fields, entriesOf(given) ?? new Map(), `${name}.`)
    case "list": {
      const element = elementOf(given)
      return element === undefined ? [] : unknownIn(type.element, element, `${name}.element`)
    }
    case "map":
      return given instanceof DuckDBMapType
        ? [
            ...unknownIn(type.key, given.keyType, `${name}.key`),
            ...unknownIn(type.value, given.valueType, `${name}.value`)
          ]
        : []
    default:
      return []
  }
}

/** Columns, and fields at any depth, that are given and that the table has not: DuckDB would leave them out in silence. */
export const unknownColumns = (
  fields: ReadonlyArray<NestedField>,
  given: GivenColumns,
  within = ""
): ReadonlyArray<string> => {
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]))
  return [...given].flatMap(([name, type]) => {
    const field = byName.get(name)
    return field === undefined ? [`${within}${name}`] : unknownIn(field.type, type, `${within}${field.name}`)
  })
}
