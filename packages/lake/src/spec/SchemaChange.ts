/**
 * Changes of a table's schema as values, and the schema that they make (specification, "Schema Evolution").
 *
 * Pure. Columns are found by their full names (`a.b`, `list.element.c`, `map.value.d`) in the schema that the change starts
 * from; ids are never used twice, so that files written before read rightly ever after. What would make them read wrongly is
 * refused in words.
 */
import { readDefault } from "./DefaultValue.ts"
import { FormatError } from "./FormatError.ts"
import { printJson, type JsonValue } from "./Json.ts"
import { fieldEntries, isReservedName, type TableSchema } from "./Schema.ts"
import { isPrimitive, primitiveToText, typeEquals, type NestedField, type PrimitiveType, type Type } from "./Type.ts"

/** Where a column goes among its siblings: to the front, or beside one of them, by its own short name. */
export type ColumnPlace = { readonly _tag: "First" } | { readonly _tag: "Before" | "After"; readonly sibling: string }

export type SchemaChange =
  /** Ids within `type` are placeholders: new ones are given. New columns are optional, since rows that exist have no value. */
  | {
      readonly _tag: "AddColumn"
      /** Full name of the struct it goes into; a list's or map's struct may be named without `element` or `value`. */
      readonly parent?: string
      readonly name: string
      readonly type: Type
      readonly doc?: string
      /** What rows that exist have, and new ones that give nothing, as JSON of the type. Format version 3. */
      readonly defaultValue?: JsonValue
      /** Only with a default: rows that exist have no value otherwise. */
      readonly required?: boolean
    }
  | { readonly _tag: "DropColumn"; readonly column: string }
  | { readonly _tag: "RenameColumn"; readonly column: string; readonly name: string }
  /** int → long, float → double, decimal(P, S) → decimal(P', S) with P' > P; in format version 3 date → timestamp, timestamp_ns. */
  | { readonly _tag: "WidenColumn"; readonly column: string; readonly type: PrimitiveType }
  /** What new rows have that give nothing, as JSON of the type; null: nothing. Rows that exist keep what they have. Format version 3. */
  | { readonly _tag: "ChangeDefault"; readonly column: string; readonly defaultValue: JsonValue | null }
  | { readonly _tag: "MakeOptional"; readonly column: string }
  | { readonly _tag: "DescribeColumn"; readonly column: string; readonly doc: string | null }
  | { readonly _tag: "MoveColumn"; readonly column: string; readonly to: ColumnPlace }
  /** In place of those in force; of required columns that are neither repeated, nested below optional ones, nor floating. */
  | { readonly _tag: "SetIdentifierColumns"; readonly columns: ReadonlyArray<string> }

/** A schema with the highest id that the table has given so far. */
export interface EvolvedSchema {
  readonly schema: TableSchema
  readonly lastColumnId: number
}

/** Why a change cannot be made; the message names the column. */
export class SchemaChangeRefused extends Error {
  override readonly name = "SchemaChangeRefused"
}

const refuse = (message: string): never => {
  throw new SchemaChangeRefused(message)
}

const checkedDefault = (type: Type, value: JsonValue, column: string): JsonValue => {
  try {
    return readDefault(type, value, `column ${column}: its default`)
  } catch (cause) {
    if (cause instanceof FormatError) return refuse(cause.message)
    throw cause
  }
}

/** The type with new ids: a struct's fields first, then what lies in them, as Java gives them. */
const withFreshIds = (type: Type, nextId: () => number): Type => {
  switch (type._tag) {
    case "struct": {
      const ids = type.fields.map(nextId)
      return {
        _tag: "struct",
        fields: type.fields.map((field, i) => ({ ...field, id: ids[i]!, type: withFreshIds(field.type, nextId) }))
      }
    }
    case "list": {
      const elementId = nextId()
      return { ...type, elementId, element: withFreshIds(type.element, nextId) }
    }
    case "map": {
      const [keyId, valueId] = [nextId(), nextId()]
      return { ...type, keyId, valueId, key: withFreshIds(type.key, nextId), value: withFreshIds(type.value, nextId) }
    }
    default:
      return type
  }
}

/** Rebuilds the fields with `change` at the struct's fields that `parentId` (null: the top) has. */
const atStruct = (
  fields: ReadonlyArray<NestedField>,
  parentId: number | null,
  change: (fields: ReadonlyArray<NestedField>) => ReadonlyArray<NestedField>
): ReadonlyArray<NestedField> => {
  const walk = (type: Type, id: number): Type => {
    switch (type._tag) {
      case "struct": {
        const inner = type.fields.map((field) => ({ ...field, type: walk(field.type, field.id) }))
        return { _tag: "struct", fields: id === parentId ? change(inner) : inner }
      }
      case "list":
        return { ...type, element: walk(type.element, type.elementId) }
      case "map":
        return { ...type, key: walk(type.key, type.keyId), value: walk(type.value, type.valueId) }
      default:
        return type
    }
  }
  const inner = fields.map((field) => ({ ...field, type: walk(field.type, field.id) }))
  return parentId === null ? change(inner) : inner
}

/** Rebuilds the one field, or list element or map value, that has the id. */
const atField = (
  fields: ReadonlyArray<NestedField>,
  id: number,
  change: (field: NestedField) => NestedField
): ReadonlyArray<NestedField> => {
  const inType = (type: Type): Type => {
    switch (type._tag) {
      case "struct":
        return { _tag: "struct", fields: type.fields.map(inField) }
      case "list": {
        const element = inField({
          id: type.elementId,
          name: "element",
          required: type.elementRequired,
          type: type.element
        })
        return { ...type, elementRequired: element.required, element: element.type }
      }
      case "map": {
        const value = inField({ id: type.valueId, name: "value", required: type.valueRequired, type: type.value })
        return { ...type, key: inType(type.key), valueRequired: value.required, value: value.type }
      }
      default:
        return type
    }
  }
  const inField = (field: NestedField): NestedField =>
    field.id === id ? change(field) : { ...field, type: inType(field.type) }
  return fields.map(inField)
}

interface Found {
  readonly id: number
  readonly path: ReadonlyArray<string>
  readonly type: Type
  readonly required: boolean
  /** The struct that holds it: null at the top, undefined for a list's element or a map's key or value. */
  readonly parentId: number | null | undefined
  /** A map's key, or below one. */
  readonly inKey: boolean
}

const indexOf = (fields: ReadonlyArray<NestedField>): ReadonlyMap<string, Found> => {
  const out = new Map<string, Found>()
  const walk = (
    field: NestedField,
    above: ReadonlyArray<string>,
    parentId: number | null | undefined,
    inKey: boolean
  ) => {
    const path = [...above, field.name]
    out.set(path.join("."), { id: field.id, path, type: field.type, required: field.required, parentId, inKey })
    const { type } = field
    if (type._tag === "struct") for (const inner of type.fields) walk(inner, path, field.id, inKey)
    if (type._tag === "list") {
      const element = { id: type.elementId, name: "element", required: type.elementRequired, type: type.element }
      walk(element, path, undefined, inKey)
    }
    if (type._tag === "map") {
      walk({ id: type.keyId, name: "key", required: true, type: type.key }, path, undefined, true)
      walk({ id: type.valueId, name: "value", required: type.valueRequired, type: type.value }, path, undefined, inKey)
    }
  }
  for (const field of fields) walk(field, [], null, false)
  return out
}

const mayWiden = (from: PrimitiveType, to: PrimitiveType): boolean => {
  if (from._tag === "int") return to._tag === "long"
  if (from._tag === "float") return to._tag === "double"
  if (from._tag === "date") return to._tag === "timestamp" || to._tag === "timestamp_ns"
  return (
    from._tag === "decimal" &&
    to._tag === "decimal" &&
    to.scale === from.scale &&
    to.precision > from.precision &&
    to.precision <= 38
  )
}

const placed = (
  siblings: ReadonlyArray<NestedField>,
  id: number,
  to: ColumnPlace,
  column: string
): ReadonlyArray<NestedField> => {
  const moving = siblings.find((field) => field.id === id)!
  const others = siblings.filter((field) => field.id !== id)
  if (to._tag === "First") return [moving, ...others]
  const beside = others.findIndex((field) => field.name === to.sibling)
  if (beside < 0) return refuse(`column ${column} cannot be put beside ${to.sibling}: it has no such sibling`)
  return others.toSpliced(to._tag === "Before" ? beside : beside + 1, 0, moving)
}

class Evolution {
  fields: ReadonlyArray<NestedField>
  identifierIds: ReadonlyArray<number>
  lastColumnId: number
  /** Names as they were when the change began, and new ones: a column that was renamed keeps both for this change. */
  private index: ReadonlyMap<string, Found>
  private readonly gone = new Set<number>()

  constructor(schema: TableSchema, lastColumnId: number) {
    this.fields = schema.fields
    this.identifierIds = schema.identifierFieldIds
    this.lastColumnId = Math.max(lastColumnId, ...fieldEntries(schema).map(({ id }) => id))
    this.index = indexOf(schema.fields)
  }

  private column(name: string): Found {
    const found = this.index.get(name)
    if (found === undefined || this.gone.has(found.id)) return refuse(`the table has no column ${name}`)
    if (found.inKey) return refuse(`column ${name} is a map's key or lies in one: keys cannot change`)
    return found
  }

  /** The struct's id and its fields' prefix. */
  private structOf(parent: string | undefined): { readonly id: number | null; readonly path: string } {
    if (parent === undefined) return { id: null, path: "" }
    let { id, path, type } = this.column(parent)
    // a list's or map's struct is meant by the column's own name too, as in Java
    if (type._tag === "list") [id, path, type] = [type.elementId, [...path, "element"], type.element]
    else if (type._tag === "map") [id, path, type] = [type.valueId, [...path, "value"], type.value]
    if (type._tag !== "struct") return refuse(`column ${parent} holds no struct: nothing can be added to it`)
    return { id, path: `${path.join(".")}.` }
  }

  private refuseName(prefix: string, name: string, except?: number): void {
    if (name === "") refuse("a column needs a name")
    if (prefix === "" && isReservedName(name)) {
      refuse(`readers of Iceberg keep the name ${name} for a metadata column; choose another`)
    }
    for (const [path, { id }] of indexOf(this.fields)) {
      if (id !== except && path.toLowerCase() === `${prefix}${name}`.toLowerCase()) {
        refuse(`there is a column ${path} already (case does not count)`)
      }
    }
  }

  private reindex(): void {
    // earlier names stay known: a list of changes speaks of the table as it was
    this.index = new Map([...this.index, ...indexOf(this.fields)])
  }

  apply(change: SchemaChange): void {
    switch (change._tag) {
      case "AddColumn":
        return this.add(change)
      case "DropColumn":
        return this.drop(change.column)
      case "RenameColumn":
        return this.rename(change.column, change.name)
      case "WidenColumn":
        return this.widen(change.column, change.type)
      case "ChangeDefault":
        return this.changeDefault(change.column, change.defaultValue)
      case "MakeOptional":
        return this.makeOptional(change.column)
      case "DescribeColumn":
        return this.describe(change.column, change.doc)
      case "MoveColumn":
        return this.move(change.column, change.to)
      case "SetIdentifierColumns":
        return this.identify(change.columns)
    }
  }

  private add({
    defaultValue,
    doc,
    name,
    parent,
    required = false,
    type
  }: Extract<SchemaChange, { _tag: "AddColumn" }>): void {
    const { id: parentId, path } = this.structOf(parent)
    this.refuseName(path, name)
    const id = ++this.lastColumnId
    const fresh = withFreshIds(type, () => ++this.lastColumnId)
    if (required && (defaultValue ?? null) === null) {
      refuse(`column ${path}${name} cannot be required without a default: rows that exist have no value`)
    }
    const described = { id, name, required, type: fresh, ...(doc === undefined ? {} : { doc }) }
    const value = defaultValue === undefined ? undefined : checkedDefault(fresh, defaultValue, `${path}${name}`)
    const field: NestedField =
      value === undefined ? described : { ...described, initialDefault: value, writeDefault: value }
    this.fields = atStruct(this.fields, parentId, (fields) => [...fields, field])
    this.reindex()
  }

  private drop(column: string): void {
    const { id, parentId, type } = this.column(column)
    if (parentId === undefined) refuse(`${column} is part of a list or map: drop the whole column`)
    const lost = new Set([id, ...indexedIds(type)])
    if (this.identifierIds.some((identifier) => lost.has(identifier))) {
      refuse(`column ${column} identifies rows: set other identifier columns first`)
    }
    this.fields = atStruct(this.fields, parentId ?? null, (fields) => fields.filter((field) => field.id !== id))
    for (const each of lost) this.gone.add(each)
  }

  private rename(column: string, name: string): void {
    const { id, parentId, path } = this.column(column)
    if (parentId === undefined) refuse(`${column} is part of a list or map: its name is the format's`)
    const prefix = path.length === 1 ? "" : `${path.slice(0, -1).join(".")}.`
    this.refuseName(prefix, name, id)
    this.fields = atField(this.fields, id, (field) => ({ ...field, name }))
    this.reindex()
  }

  private widen(column: string, type: PrimitiveType): void {
    const { id, type: before } = this.column(column)
    if (typeEquals(before, type)) return
    if (!isPrimitive(before) || !mayWiden(before, type)) {
      const from = isPrimitive(before) ? primitiveToText(before) : before._tag
      refuse(`column ${column} cannot go from ${from} to ${primitiveToText(type)}: only to a wider type of its kind`)
    }
    // defaults are those of the narrower type: only a date is written otherwise as a timestamp
    const wider = <A extends JsonValue | undefined>(value: A) =>
      before._tag === "date" && typeof value === "string" ? `${value}T00:00:00` : value
    this.fields = atField(this.fields, id, ({ initialDefault, writeDefault, ...field }) => ({
      ...field,
      type,
      ...(initialDefault === undefined ? {} : { initialDefault: wider(initialDefault) }),
      ...(writeDefault === undefined ? {} : { writeDefault: wider(writeDefault) })
    }))
  }

  private changeDefault(column: string, value: JsonValue | null): void {
    const { id, parentId, required, type } = this.column(column)
    if (parentId === undefined) refuse(`${column} is part of a list or map: it has no default of its own`)
    if (value === null && required) refuse(`column ${column} is required: rows that give nothing would not fit`)
    const checked = value === null ? undefined : checkedDefault(type, value, column)
    this.fields = atField(this.fields, id, ({ writeDefault: _, ...field }) =>
      checked === undefined ? field : { ...field, writeDefault: checked }
    )
  }

  private makeOptional(column: string): void {
    const { id } = this.column(column)
    if (this.identifierIds.includes(id)) refuse(`column ${column} identifies rows, so it stays required`)
    this.fields = atField(this.fields, id, (field) => ({ ...field, required: false }))
  }

  private describe(column: string, doc: string | null): void {
    const { id, parentId } = this.column(column)
    if (parentId === undefined) refuse(`${column} is part of a list or map: it takes no description of its own`)
    this.fields = atField(this.fields, id, ({ doc: _, ...field }) => (doc === null ? field : { ...field, doc }))
  }

  private move(column: string, to: ColumnPlace): void {
    const { id, parentId } = this.column(column)
    if (parentId === undefined) refuse(`${column} is part of a list or map: it has no place to move to`)
    this.fields = atStruct(this.fields, parentId ?? null, (fields) => placed(fields, id, to, column))
  }

  private identify(columns: ReadonlyArray<string>): void {
    this.identifierIds = columns.map((column) => this.column(column).id)
  }

  /** Whether each identifier may be one: required all the way down, one value a row, comparable. */
  checkIdentifiers(): void {
    const entries = new Map(
      fieldEntries({ schemaId: 0, fields: this.fields, identifierFieldIds: [] }).map((each) => [each.id, each])
    )
    const byPath = new Map(Array.from(entries.values(), (entry) => [entry.path.join("."), entry]))
    for (const id of this.identifierIds) {
      const entry = entries.get(id)!
      const name = entry.path.join(".")
      const above = entry.path.slice(0, -1).map((_, i) => byPath.get(entry.path.slice(0, i + 1).join("."))!)
      const floating = entry.type._tag === "float" || entry.type._tag === "double"
      if (!entry.required || above.some((each) => !each.required))
        refuse(`column ${name} cannot identify rows: it may be null`)
      if (entry.repeated || !isPrimitive(entry.type) || floating) {
        refuse(`column ${name} cannot identify rows: it must hold one value that is equal or not`)
      }
    }
  }
}

const indexedIds = (type: Type): ReadonlyArray<number> =>
  Array.from(indexOf([{ id: -1, name: "_", required: false, type }]).values(), ({ id }) => id).filter((id) => id >= 0)

/**
 * The schema after the changes, in their order, with the id that the table gives it: that of an equal schema which it has
 * already, else the next. Throws `SchemaChangeRefused`.
 */
export const evolveSchema = (
  schemas: ReadonlyArray<TableSchema>,
  current: TableSchema,
  lastColumnId: number,
  changes: ReadonlyArray<SchemaChange>
): EvolvedSchema => {
  const evolution = new Evolution(current, lastColumnId)
  for (const change of changes) evolution.apply(change)
  evolution.checkIdentifiers()
  if (evolution.fields.length === 0) refuse("a table needs a column")
  const { fields, identifierIds } = evolution
  const same = schemas.find((schema) => sameSchema(schema, { schemaId: 0, fields, identifierFieldIds: identifierIds }))
  const schemaId = same?.schemaId ?? 1 + Math.max(...schemas.map((schema) => schema.schemaId))
  return { schema: { schemaId, fields, identifierFieldIds: identifierIds }, lastColumnId: evolution.lastColumnId }
}

const docsOf = (schema: TableSchema): string => printJson(Array.from(withDocs(schema.fields)))

/** What `typeEquals` does not look at: docs and defaults. */
function* withDocs(fields: ReadonlyArray<NestedField>): Generator<JsonValue> {
  for (const { doc, id, initialDefault, type, writeDefault } of fields) {
    yield [id, doc ?? null, initialDefault ?? null, writeDefault ?? null]
    yield* docsWithin(type)
  }
}

function* docsWithin(type: Type): Generator<JsonValue> {
  if (type._tag === "struct") yield* withDocs(type.fields)
  if (type._tag === "list") yield* docsWithin(type.element)
  if (type._tag === "map") {
    yield* docsWithin(type.key)
    yield* docsWithin(type.value)
  }
}

/** Equal in all but its id. */
const sameSchema = (a: TableSchema, b: TableSchema): boolean =>
  typeEquals({ _tag: "struct", fields: a.fields }, { _tag: "struct", fields: b.fields }) &&
  docsOf(a) === docsOf(b) &&
  a.identifierFieldIds.length === b.identifierFieldIds.length &&
  a.identifierFieldIds.every((id) => b.identifierFieldIds.includes(id))
