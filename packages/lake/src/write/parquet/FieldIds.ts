/** What a COPY of a table's rows is told besides: field ids of columns, and their order. Pure. */
import { sqlName } from "../../io/DuckDb.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { SortOrder } from "../../spec/SortOrder.ts"
import { isPrimitive, type NestedField, type Type } from "../../spec/Type.ts"

const childrenOf = (type: Type): ReadonlyArray<readonly [string, Pick<NestedField, "id" | "type">]> => {
  switch (type._tag) {
    case "struct":
      return type.fields.map((field) => [field.name, field])
    case "list":
      return [["element", { id: type.elementId, type: type.element }]]
    case "map":
      return [
        ["key", { id: type.keyId, type: type.key }],
        ["value", { id: type.valueId, type: type.value }]
      ]
    default:
      return []
  }
}

const fieldIds = (fields: ReadonlyArray<readonly [name: string, field: Pick<NestedField, "id" | "type">]>): string =>
  fields.map(([name, field]) => `${sqlName(name)}: ${fieldIdOf(field)}`).join(", ")

const fieldIdOf = ({ id, type }: Pick<NestedField, "id" | "type">): string =>
  isPrimitive(type) ? String(id) : `{__duckdb_field_id: ${id}, ${fieldIds(childrenOf(type))}}`

/** The inside of `FIELD_IDS {…}`, nested ids included. */
export const fieldIdsSql = ({ fields }: TableSchema): string => fieldIds(fields.map((field) => [field.name, field]))

/** ORDER BY of the table's sort order; empty where rows keep their order. */
export const orderBySql = (order: SortOrder, schema: TableSchema): string => {
  const terms = order.fields.map((field) => {
    const column = schema.fields.find(({ id }) => id === field.sourceId)
    if (column === undefined || field.transform._tag !== "identity") return undefined
    return `${sqlName(column.name)} ${field.direction} NULLS ${field.nullOrder === "nulls-first" ? "FIRST" : "LAST"}`
  })
  return terms.length === 0 || terms.includes(undefined) ? "" : `ORDER BY ${terms.join(", ")}`
}
