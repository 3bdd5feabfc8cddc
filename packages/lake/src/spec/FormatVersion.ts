/**
 * Format versions of tables: which are read and written here, and metadata of version 1 in the form of version 2
 * (specification, appendix E).
 *
 * 1 is read; a table of it is written once it was upgraded. 2 is what tables are made with. 3 is read, and written where a
 * table was made with it or upgraded to it.
 */
import { corrupt, unsupported } from "./FormatError.ts"
import type { JsonObject, JsonValue } from "./Json.ts"
import { readInt, readList, readObject, readOptional, readString } from "./JsonRead.ts"
import { murmur3 } from "./Murmur3.ts"
import { partitionIdNone, partitionSpecFromJson } from "./PartitionSpec.ts"
import { sortOrderToJson, unsorted } from "./SortOrder.ts"

export type FormatVersion = 1 | 2 | 3

/** In the properties of a table to be made: its format version. Kept in the metadata, not among the properties. */
export const formatVersionProperty = "format-version"

/** The version that declared properties ask for; undefined when it is none that is written here. */
export const declaredVersion = (properties: ReadonlyMap<string, string>): 2 | 3 | undefined => {
  const text = properties.get(formatVersionProperty) ?? "2"
  return text === "2" ? 2 : text === "3" ? 3 : undefined
}

export const isFormatVersion = (version: number): version is FormatVersion =>
  version === 1 || version === 2 || version === 3

export const readVersion = (object: JsonObject): FormatVersion => {
  const version = readInt(object["format-version"], "format-version")
  return isFormatVersion(version)
    ? version
    : unsupported(`format version ${version}: tables of versions 1 to 3 are read here, this one is not`)
}

const utf8 = new TextEncoder()

/** A table of version 1 may lack a UUID: its location stands for it, so that every reader of it gives the same one. */
const uuidOf = (location: string): string => {
  const parts = [0, 1, 2, 3].map((i) => murmur3(utf8.encode(`${i} ${location}`)) >>> 0)
  const digits = parts.map((part) => part.toString(16).padStart(8, "0")).join("")
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-8$3-8$4-$5")
}

/** What version 1 may leave out, from what it has in its place; the rest as it is. */
export const fromVersion1 = (object: JsonObject): JsonObject => {
  const schemas: JsonValue = object["schemas"] ?? [readObject(object["schema"], "schema")]
  const specs: JsonValue = object["partition-specs"] ?? [{ "spec-id": 0, fields: object["partition-spec"] ?? [] }]
  const read = readList(specs, "partition-specs", partitionSpecFromJson)
  const fieldIds = read.flatMap(({ fields }) => fields.map(({ fieldId }) => fieldId))
  const schema = readOptional(object["schema"], "schema", readObject)
  if (schema === undefined && object["current-schema-id"] === undefined) {
    corrupt("current-schema-id", "is missing, and there is no `schema` that would say which one is in force")
  }
  // which spec is in force nobody says: the newest
  const specIds = read.map(({ specId }) => specId)
  return {
    ...object,
    "table-uuid": object["table-uuid"] ?? uuidOf(readString(object["location"], "location")),
    "last-sequence-number": object["last-sequence-number"] ?? 0,
    schemas,
    "current-schema-id": object["current-schema-id"] ?? schema?.["schema-id"] ?? 0,
    "partition-specs": specs,
    "default-spec-id": object["default-spec-id"] ?? Math.max(0, ...specIds),
    "last-partition-id": object["last-partition-id"] ?? Math.max(partitionIdNone, ...fieldIds),
    "sort-orders": object["sort-orders"] ?? [sortOrderToJson(unsorted)],
    "default-sort-order-id": object["default-sort-order-id"] ?? 0
  }
}
