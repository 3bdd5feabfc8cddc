/**
 * Reading records of manifests by field id: what the two manifest codecs share.
 *
 * Another writer may name fields as it likes; ids decide. A field that is absent from the file reads as null.
 */
import type { AvroField, AvroType } from "./avro/AvroType.ts"
import type { AvroRecord, AvroValue } from "./avro/AvroValue.ts"
import { corrupt, unsupported } from "../spec/FormatError.ts"

/** The same layout with fields named by `nameOf`; fields without id, or that it does not know, keep theirs. */
export const renameById = (type: AvroType, nameOf: (id: number) => string | undefined): AvroType => {
  switch (type._tag) {
    case "record":
      return {
        _tag: "record",
        fields: type.fields.map((field): AvroField => ({
          ...field,
          name: (field.fieldId === undefined ? undefined : nameOf(field.fieldId)) ?? field.name,
          type: renameById(field.type, nameOf)
        }))
      }
    case "array":
      return { _tag: "array", items: renameById(type.items, nameOf) }
    case "optional":
      return { ...type, type: renameById(type.type, nameOf) }
    default:
      return type
  }
}

const wrong = (where: string, expected: string): never => corrupt(where, `is no ${expected}`)

export const asRecord = (value: AvroValue | undefined, where: string): AvroRecord =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Map)
    ? // Of the object types only a record is left; TypeScript does not narrow readonly arrays and maps away.
      (value as AvroRecord)
    : wrong(where, "record")

export const asLong = (value: AvroValue | undefined, where: string): bigint =>
  typeof value === "bigint" ? value : typeof value === "number" ? BigInt(value) : wrong(where, "long")

export const asInt = (value: AvroValue | undefined, where: string): number =>
  typeof value === "number" ? value : wrong(where, "int")

export const asText = (value: AvroValue | undefined, where: string): string =>
  typeof value === "string" ? value : wrong(where, "string")

export const asBoolean = (value: AvroValue | undefined, where: string): boolean =>
  typeof value === "boolean" ? value : wrong(where, "boolean")

export const asBytes = (value: AvroValue | undefined, where: string): Uint8Array =>
  value instanceof Uint8Array ? value : wrong(where, "bytes")

export const asList = (value: AvroValue | undefined, where: string): ReadonlyArray<AvroValue> =>
  // Array.isArray gives any[]; elements of an Avro array are AvroValues.
  Array.isArray(value) ? (value as ReadonlyArray<AvroValue>) : wrong(where, "array")

/** Null for null and for a field that the file lacks. */
export const asOptional = <A>(
  value: AvroValue | undefined,
  where: string,
  read: (value: AvroValue, where: string) => A
): A | null => (value === null || value === undefined ? null : read(value, where))

/** Unsupported where a file or manifest has a key: what is encrypted is not read here. `path` is which one it is. */
export const refuseEncrypted = (value: AvroValue | undefined, where: string, what: string, path: string): null => {
  const key = asOptional(value, `${where}.key_metadata`, asBytes)
  return key === null || key.length === 0
    ? null
    : unsupported(`${where}: an encrypted ${what} (it has key_metadata) is not read here: ${path}`)
}

/** A map written as an array of key-value records, or as Avro's map when the keys are text. */
export const asIntMap = <A>(
  value: AvroValue | undefined,
  where: string,
  read: (value: AvroValue | undefined, where: string) => A
): ReadonlyMap<number, A> => {
  if (value === null || value === undefined) return new Map()
  return new Map(
    asList(value, where).map((item) => {
      const pair = asRecord(item, where)
      return [asInt(pair["key"], `${where}.key`), read(pair["value"], `${where}.value`)]
    })
  )
}
