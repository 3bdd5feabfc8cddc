/**
 * A table's schema: named, typed fields with ids, and what is looked up in it.
 *
 * Table metadata holds every schema a table ever had; the Parquet writer, the partition spec, the metrics and the scan
 * find fields in it by id, never by name. Called `TableSchema` because `Schema` is Effect's.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonObject } from "./Json.ts"
import { readInt, readList, readObject, readOptional, readString, type Read } from "./JsonRead.ts"
import {
  isPrimitive,
  structFields,
  structFieldsToJson,
  type NestedField,
  type PrimitiveType,
  type Type
} from "./Type.ts"

export interface TableSchema {
  readonly schemaId: number
  readonly fields: ReadonlyArray<NestedField>
  /** Ids of required primitive fields that identify a row; usually empty. */
  readonly identifierFieldIds: ReadonlyArray<number>
}

/**
 * A field found by id, with the way to it. List elements and map keys and values appear as `element`, `key`, `value`,
 * as Parquet and Iceberg's full names have them.
 */
export interface FieldEntry {
  readonly id: number
  readonly path: ReadonlyArray<string>
  readonly type: Type
  readonly required: boolean
  /** True below a list or map: such a field has no partition transforms and no bounds that a scan may use. */
  readonly repeated: boolean
}

// Metadata columns of readers: a table column of such a name makes Spark and others refuse the table.
const reservedNames: ReadonlySet<string> = new Set([
  "_file",
  "_pos",
  "_deleted",
  "_spec_id",
  "_partition",
  "_row_id",
  "_last_updated_sequence_number"
])

/** What only tables of format version 3 may have, of a field at any depth: its name; undefined when there is none. */
export const ofVersion3 = (schema: TableSchema): string | undefined => {
  const within = (type: Type): string | undefined => {
    for (const field of children(type)) {
      if (field.initialDefault !== undefined || field.writeDefault !== undefined) return "default values"
      if (field.type._tag === "timestamp_ns") return "type timestamp_ns"
      const inner = within(field.type)
      if (inner !== undefined) return inner
    }
    return undefined
  }
  return within({ _tag: "struct", fields: schema.fields })
}

/** Ids above this are reserved for metadata columns (specification, "Reserved Field IDs"). */
export const fieldIdMax = 2_147_483_447

/** True for names that readers keep for themselves; a new table must not use them at the top level. */
export const isReservedName = (name: string): boolean => reservedNames.has(name) || name.startsWith("_change_")

const children = (type: Type): ReadonlyArray<NestedField> => {
  switch (type._tag) {
    case "struct":
      return type.fields
    case "list":
      return [{ id: type.elementId, name: "element", required: type.elementRequired, type: type.element }]
    case "map":
      return [
        { id: type.keyId, name: "key", required: true, type: type.key },
        { id: type.valueId, name: "value", required: type.valueRequired, type: type.value }
      ]
    default:
      return []
  }
}

/** Every field of the schema, nested ones included, parents before children. */
export const fieldEntries = (schema: TableSchema): ReadonlyArray<FieldEntry> => {
  const out: Array<FieldEntry> = []
  const walk = (fields: ReadonlyArray<NestedField>, path: ReadonlyArray<string>, repeated: boolean): void => {
    for (const field of fields) {
      const here = [...path, field.name]
      out.push({ id: field.id, path: here, type: field.type, required: field.required, repeated })
      walk(children(field.type), here, repeated || field.type._tag === "list" || field.type._tag === "map")
    }
  }
  walk(schema.fields, [], false)
  return out
}

/** Fields by id, nested ones included. */
export const fieldsById = (schema: TableSchema): ReadonlyMap<number, FieldEntry> =>
  new Map(fieldEntries(schema).map((entry) => [entry.id, entry]))

/** The field with this full name (`a.b`); names are case-sensitive. */
export const fieldByName = (schema: TableSchema, name: string): FieldEntry | undefined =>
  fieldEntries(schema).find((entry) => entry.path.join(".") === name)

/** Primitive fields, nested ones included: those that have columns in Parquet, hence metrics. */
export const leafFields = (schema: TableSchema): ReadonlyArray<FieldEntry & { readonly type: PrimitiveType }> =>
  fieldEntries(schema).filter((entry): entry is FieldEntry & { readonly type: PrimitiveType } =>
    isPrimitive(entry.type)
  )

/** The highest field id in use: `last-column-id` of a new table. 0 for no fields. */
export const highestFieldId = (schema: TableSchema): number =>
  fieldEntries(schema).reduce((highest, entry) => Math.max(highest, entry.id), 0)

/**
 * What is wrong with a schema for a table to be made from it; empty when nothing is.
 *
 * Reading is more lenient (`schemaFromJson`): a foreign table may use names that we would not.
 */
export const schemaProblems = (schema: TableSchema): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const entries = fieldEntries(schema)
  const ids = new Set<number>()
  const names = new Set<string>()
  for (const entry of entries) {
    const name = entry.path.join(".")
    if (entry.id < 1 || entry.id > fieldIdMax) problems.push(`field ${name}: id ${entry.id} is out of range`)
    if (ids.has(entry.id)) problems.push(`field ${name}: id ${entry.id} is used twice`)
    // Readers that fold case would see one name twice.
    if (names.has(name.toLowerCase())) problems.push(`field ${name}: the name is used twice (case does not count)`)
    if (entry.path.at(-1) === "") problems.push(`field ${entry.id} has no name`)
    if (entry.path.length === 1 && isReservedName(name)) {
      problems.push(`field ${name}: readers of Iceberg keep this name for a metadata column; choose another`)
    }
    ids.add(entry.id)
    names.add(name.toLowerCase())
  }
  for (const id of schema.identifierFieldIds) {
    const entry = entries.find((candidate) => candidate.id === id)
    const floating = entry?.type._tag === "float" || entry?.type._tag === "double"
    const above = (entry?.path ?? []).slice(0, -1).map((_, i) => entry?.path.slice(0, i + 1).join("."))
    const required = entries.filter(({ path }) => above.includes(path.join("."))).every((each) => each.required)
    if (entry === undefined || !entry.required || !required || entry.repeated || !isPrimitive(entry.type) || floating) {
      problems.push(`identifier field ${id} is not a required primitive field that is equal or not`)
    }
  }
  return problems
}

export const schemaToJson = (schema: TableSchema): JsonObject => ({
  type: "struct",
  "schema-id": schema.schemaId,
  ...(schema.identifierFieldIds.length === 0 ? {} : { "identifier-field-ids": schema.identifierFieldIds }),
  fields: structFieldsToJson(schema.fields)
})

export const schemaFromJson: Read<TableSchema> = (value, where) => {
  const object = readObject(value, where)
  if (readString(object["type"], `${where}.type`) !== "struct") corrupt(where, "a schema must be a struct")
  const schema = {
    schemaId: readOptional(object["schema-id"], `${where}.schema-id`, readInt) ?? 0,
    fields: structFields(object["fields"], `${where}.fields`),
    identifierFieldIds:
      readOptional(object["identifier-field-ids"], `${where}.identifier-field-ids`, (ids, at) =>
        readList(ids, at, readInt)
      ) ?? []
  }
  const ids = fieldEntries(schema).map((entry) => entry.id)
  if (new Set(ids).size !== ids.length) corrupt(where, "a field id is used twice")
  return schema
}
