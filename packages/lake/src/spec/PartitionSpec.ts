/**
 * Partition specs: how a table's rows are divided into partitions (specification, "Partitioning").
 *
 * A table keeps every spec it ever had; each manifest holds files of one spec. Field ids start at 1000 and are never
 * used twice in a table, since they are the ids of partition tuples in manifests.
 */
import type { PartitionValue } from "./DataFile.ts"
import { corrupt } from "./FormatError.ts"
import type { JsonObject, JsonValue } from "./Json.ts"
import { readInt, readList, readObject, readOptional, readString, type Read } from "./JsonRead.ts"
import { fieldByName, fieldsById, type TableSchema } from "./Schema.ts"
import { readSourceId } from "./SourceId.ts"
import { transformFromText, transformResult, transformToText, type Transform } from "./Transform.ts"
import { isPrimitive, type PrimitiveType } from "./Type.ts"

export interface PartitionField {
  readonly sourceId: number
  readonly fieldId: number
  readonly name: string
  readonly transform: Transform
}

export interface PartitionSpec {
  readonly specId: number
  readonly fields: ReadonlyArray<PartitionField>
}

/** A partition field with what its schema says of it. `type` is undefined when the source column or the transform is not known. */
export interface BoundPartitionField extends PartitionField {
  readonly sourceType: PrimitiveType | undefined
  readonly type: PrimitiveType | undefined
}

/** `last-partition-id` of a table that has no partition field yet. */
export const partitionIdNone = 999

/** The spec of a table without partitions. */
export const unpartitioned: PartitionSpec = { specId: 0, fields: [] }

/** Java's habit: `event_timestamp_day`. */
export const partitionFieldName = (source: string, transform: Transform): string => {
  switch (transform._tag) {
    case "identity":
      return source
    case "truncate":
      return `${source}_trunc`
    case "void":
      return `${source}_null`
    default:
      return `${source}_${transform._tag}`
  }
}

/** One field of a spec to be made: the column's full name, how it is divided, and the field's name unless Java's habit (`<column>_day`) will do. */
export interface PartitionBy {
  readonly column: string
  readonly transform: Transform
  readonly name?: string
}

/**
 * A table's first spec over `schema`.
 *
 * What cannot be (no such column, a transform that does not take its type, a name in use) is found by `partitionProblems`,
 * which creation calls; here an unknown column gives source id 0.
 */
export const partitionSpec = (schema: TableSchema, by: ReadonlyArray<PartitionBy>): PartitionSpec => ({
  specId: 0,
  fields: by.map(({ column, transform, name }, i) => ({
    sourceId: fieldByName(schema, column)?.id ?? 0,
    fieldId: partitionIdNone + 1 + i,
    name: name ?? partitionFieldName(column, transform),
    transform
  }))
})

/** The spec's fields with the types that `schema` gives them, in the spec's order: the order of `DataFile.partition`. */
export const bindPartitionSpec = (spec: PartitionSpec, schema: TableSchema): ReadonlyArray<BoundPartitionField> => {
  const byId = fieldsById(schema)
  return spec.fields.map((field) => {
    const source = byId.get(field.sourceId)?.type
    const sourceType = source !== undefined && isPrimitive(source) ? source : undefined
    return {
      ...field,
      sourceType,
      type: sourceType === undefined ? undefined : transformResult(field.transform, sourceType)
    }
  })
}

/**
 * The spec's fields with the types that the table's schemas give them, newest schema first: a column that was dropped since
 * still has the type that its files were written with.
 */
export const bindInTable = (
  spec: PartitionSpec,
  schemas: ReadonlyArray<TableSchema>
): ReadonlyArray<BoundPartitionField> => {
  const known = boundInTables.get(spec)
  if (known?.schemas === schemas) return known.fields
  const fields = bindNewestFirst(spec, schemas)
  boundInTables.set(spec, { schemas, fields })
  return fields
}

/** Of each spec, what it was bound to last: every manifest of a table asks for the same. */
const boundInTables = new WeakMap<
  PartitionSpec,
  { readonly schemas: ReadonlyArray<TableSchema>; readonly fields: ReadonlyArray<BoundPartitionField> }
>()

const bindNewestFirst = (
  spec: PartitionSpec,
  schemas: ReadonlyArray<TableSchema>
): ReadonlyArray<BoundPartitionField> => {
  const bound = schemas.toReversed().map((schema) => bindPartitionSpec(spec, schema))
  return spec.fields.map((field, i) => {
    const known = bound.map((fields) => fields[i]).find((each) => each?.sourceType !== undefined)
    return known ?? { ...field, sourceType: undefined, type: undefined }
  })
}

/** A field whose transform another engine knows: what its values mean cannot be told here, nor written anew. */
export const unknownField = ({ fields }: PartitionSpec): PartitionField | undefined =>
  fields.find(({ transform }) => transform._tag === "unknown")

/** What is wrong with a spec for a table to be written by it; empty when nothing is. */
export const partitionProblems = (spec: PartitionSpec, schema: TableSchema): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const byId = fieldsById(schema)
  const names = new Set<string>()
  for (const field of bindPartitionSpec(spec, schema)) {
    const text = transformToText(field.transform)
    const source = byId.get(field.sourceId)
    if (source === undefined) problems.push(`partition field ${field.name}: its column is not in the schema`)
    else if (source.repeated) problems.push(`partition field ${field.name}: its column lies in a list or map`)
    else if (field.type === undefined) problems.push(`partition field ${field.name}: ${text} does not take this column`)
    if (names.has(field.name)) problems.push(`partition field ${field.name}: the name is used twice`)
    names.add(field.name)
    const sameName = fieldByName(schema, field.name)
    if (sameName !== undefined && (sameName.id !== field.sourceId || field.transform._tag !== "identity")) {
      problems.push(`partition field ${field.name}: a column has this name`)
    }
  }
  return problems
}

const valueText = (value: PartitionValue): string => {
  if (value === null) return "null"
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return String(value)
}

const dateText = (days: number): string => {
  const date = new Date(days * 86_400_000)
  return Number.isNaN(date.getTime()) ? String(days) : date.toISOString().slice(0, -14)
}

const valueKey = (value: PartitionValue): string | null => {
  if (value === null) return null
  // -0.0 and 0.0 are different partitions (specification, "Scan Planning")
  return Object.is(value, -0) ? "-0" : valueText(value)
}

/** A text that is equal for equal partitions of one spec and no others: null is not the text "null". */
export const partitionKey = (specId: number, values: ReadonlyArray<PartitionValue>): string =>
  JSON.stringify([specId, ...values.map(valueKey)])

/**
 * The folder of a partition, `event_timestamp_day=2026-06-01/…`. Different partitions may have the same: null and "null".
 *
 * Readers take partition values from manifests, never from paths: the folders are for people.
 */
export const partitionPath = (spec: PartitionSpec, values: ReadonlyArray<PartitionValue>): string =>
  spec.fields
    .map((field, i) => {
      const value = values[i] ?? null
      const text = field.transform._tag === "day" && typeof value === "number" ? dateText(value) : valueText(value)
      return `${encodeURIComponent(field.name)}=${encodeURIComponent(text)}`
    })
    .join("/")

export const partitionFieldsToJson = (spec: PartitionSpec): JsonValue =>
  spec.fields.map((field) => ({
    name: field.name,
    transform: transformToText(field.transform),
    "source-id": field.sourceId,
    "field-id": field.fieldId
  }))

export const partitionSpecToJson = (spec: PartitionSpec): JsonObject => ({
  "spec-id": spec.specId,
  fields: partitionFieldsToJson(spec)
})

const readField = (value: JsonValue | undefined, where: string, i: number): PartitionField => {
  const object = readObject(value, where)
  return {
    sourceId: readSourceId(object, where),
    // specs of version 1 may leave ids out: they count from 1000 then
    fieldId: readOptional(object["field-id"], `${where}.field-id`, readInt) ?? partitionIdNone + 1 + i,
    name: readString(object["name"], `${where}.name`),
    transform: transformFromText(readString(object["transform"], `${where}.transform`), `${where}.transform`)
  }
}

const readFields: Read<PartitionSpec["fields"]> = (value, where) => {
  const fields = readList(value, where, (field) => field).map((field, i) => readField(field, `${where}[${i}]`, i))
  if (new Set(fields.map((field) => field.fieldId)).size !== fields.length) corrupt(where, "a field id is used twice")
  return fields
}

export const partitionSpecFromJson: Read<PartitionSpec> = (value, where) => {
  const object = readObject(value, where)
  return {
    specId: readInt(object["spec-id"], `${where}.spec-id`),
    fields: readFields(object["fields"], `${where}.fields`)
  }
}
