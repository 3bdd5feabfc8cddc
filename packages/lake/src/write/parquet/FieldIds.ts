/** Field ids of columns, as a COPY of a table's rows is told. Pure. */
import { sqlName } from "../../io/DuckDb.ts"
import type { TableSchema } from "../../spec/Schema.ts"
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
