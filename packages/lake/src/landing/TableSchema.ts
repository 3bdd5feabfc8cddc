/**
 * The Iceberg schema of a landed topic: the record's fields under their names, then where each row came from.
 *
 * Used when a table is made and to check that an existing one is the topic's. Field ids are given in order from 1.
 */
import type { FieldSpec, FieldType, RecordShape } from "@frazil/core"
import type { TableSchema } from "../spec/Schema.ts"
import type { PrimitiveType } from "../spec/Type.ts"

/** The columns that identify a row by its record (protocol: a row is a pure function of its record). */
export const sourceColumns = {
  topic: "source_topic",
  partition: "source_partition",
  offset: "source_offset",
  extra: "extra_fields"
} as const

const typeOf = (type: FieldType): PrimitiveType => {
  switch (type._tag) {
    case "Decimal":
      return { _tag: "decimal", precision: type.precision, scale: type.scale }
    case "Timestamp":
      return { _tag: "timestamptz" }
    case "Date":
      return { _tag: "date" }
    case "Int":
      return { _tag: "long" }
    case "Double":
      return { _tag: "double" }
    case "Boolean":
      return { _tag: "boolean" }
    // identifiers land as text: Spark finds nothing for `uuid_column = 'text'`
    case "Text":
    case "Json":
      return { _tag: "string" }
  }
}

const columnOf = (field: FieldSpec) => ({
  id: field.index + 1,
  name: field.name,
  required: !field.nullable,
  type: typeOf(field.type)
})

export const landedSchema = (shape: RecordShape): TableSchema => {
  const next = shape.fields.length + 1
  return {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [
      ...shape.fields.map(columnOf),
      { id: next, name: sourceColumns.topic, required: true, type: { _tag: "string" } },
      { id: next + 1, name: sourceColumns.partition, required: true, type: { _tag: "int" } },
      { id: next + 2, name: sourceColumns.offset, required: true, type: { _tag: "long" } },
      { id: next + 3, name: sourceColumns.extra, required: false, type: { _tag: "string" } }
    ]
  }
}

/**
 * The schema that files are written with: the landing's, and columns that others added with a default, which has to stand in
 * files (specification, "Default values"). Columns are known by id: one whose name a field of the record has gets another.
 */
export const writtenSchema = (landed: TableSchema, current: TableSchema): TableSchema => {
  const own = new Set(landed.fields.map(({ id }) => id))
  const taken = new Set(landed.fields.map(({ name }) => name.toLowerCase()))
  const added = current.fields.filter(
    ({ id, initialDefault, writeDefault }) =>
      !own.has(id) && (initialDefault !== undefined || writeDefault !== undefined)
  )
  const named = added.map((field) =>
    taken.has(field.name.toLowerCase()) ? { ...field, name: `${field.name}_${field.id}` } : field
  )
  return added.length === 0 ? landed : { ...landed, fields: [...landed.fields, ...named] }
}
