/**
 * Name mappings: field ids for columns of files that were written without any (specification, "Column Projection", "Name
 * Mapping Serialization"). Kept in the table's property `schema.name-mapping.default`.
 */
import { parseJson, type JsonValue } from "./Json.ts"
import { readInt, readList, readObject, readOptional, readString, type Read } from "./JsonRead.ts"

export interface MappedField {
  /** Undefined: columns of these names belong to no field of the table. */
  readonly fieldId: number | undefined
  readonly names: ReadonlyArray<string>
  /** Of what lies in it; a list's as `element`, a map's as `key` and `value`. */
  readonly fields: ReadonlyArray<MappedField>
}

export const nameMappingProperty = "schema.name-mapping.default"

const readField: Read<MappedField> = (value, where) => {
  const object = readObject(value, where)
  return {
    fieldId: readOptional(object["field-id"], `${where}.field-id`, readInt),
    names: readOptional(object["names"], `${where}.names`, (names, at) => readList(names, at, readString)) ?? [],
    fields: readOptional(object["fields"], `${where}.fields`, readFields) ?? []
  }
}

const readFields = (value: JsonValue | undefined, where: string): ReadonlyArray<MappedField> =>
  readList(value, where, readField)

/** Of the property's text; FormatError when it is none. */
export const nameMappingFromText = (text: string): ReadonlyArray<MappedField> =>
  readFields(parseJson(text), nameMappingProperty)
