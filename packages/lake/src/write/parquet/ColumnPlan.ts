/**
 * Which column of a decoded batch becomes which column of the file, and how its cells lie in DuckDB on the way.
 *
 * Made once per writer from the table's schema and the record's shape; the buffers fill by it, the COPY selects by it.
 * Pure. A table's column that the record does not have is left out of the file: readers give null for it.
 */
import type { FieldSpec, RecordShape } from "@frazil/core"
import { sqlName, sqlText } from "../../io/DuckDb.ts"
import { writeDefaultSql } from "../../read/DefaultSql.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import { isPrimitive, primitiveToText, type NestedField, type PrimitiveType } from "../../spec/Type.ts"

/** How a cell lies in a DuckDB vector. `Micros` is a timestamp given in milliseconds, the rest are what they say. */
export type CellKind = "Text" | "Boolean" | "Int16" | "Int32" | "Int64" | "Int128" | "Double" | "Micros"

/** Where a cell's value comes from. */
export type CellSource =
  /** A column of the batch, by field index. */
  | { readonly _tag: "Field"; readonly index: number }
  /** The partition that the batch was read from: the same for all its rows. */
  | { readonly _tag: "SourcePartition" }
  /** The record's offset. */
  | { readonly _tag: "SourceOffset" }
  /** The record's unknown fields as JSON text, or null. */
  | { readonly _tag: "Extras" }

/** A column of the buffer's table. */
export interface StoredColumn {
  readonly source: CellSource
  readonly kind: CellKind
  /** Its type in the buffer's table. */
  readonly sqlType: string
  /** The table's field that it becomes. */
  readonly field: NestedField & { readonly type: PrimitiveType }
}

/** A column of the file. */
export interface WrittenColumn {
  readonly field: StoredColumn["field"]
  /** The column that it is made of; undefined: the topic's name in every row. */
  readonly stored: StoredColumn | undefined
}

export interface ColumnPlan {
  readonly stored: ReadonlyArray<StoredColumn>
  /** The file's columns, in the table's order. */
  readonly written: ReadonlyArray<WrittenColumn>
  /** Columns that the record leaves out are filled with their write-default, by DuckDB: `written` has not all. */
  readonly defaults: boolean
  readonly sourceTopic: string
  /** Columns of the buffer's table, for CREATE TABLE: `c0 VARCHAR, …`. */
  readonly tableColumns: string
  /** The file's columns, for SELECT, in the table's order. */
  readonly selected: string
  /** For COPY's FIELD_IDS: `{"name": 1, …}`. */
  readonly fieldIds: string
}

/** The columns that say which record a row comes from, beside `extra_fields`. */
const sourceColumns = {
  source_topic: { _tag: "string" },
  source_partition: { _tag: "int" },
  source_offset: { _tag: "long" },
  extra_fields: { _tag: "string" }
} as const satisfies Record<string, PrimitiveType>

const isSourceColumn = (name: string): name is keyof typeof sourceColumns => Object.hasOwn(sourceColumns, name)

const decimalKind = (precision: number): CellKind =>
  precision <= 4 ? "Int16" : precision <= 9 ? "Int32" : precision <= 18 ? "Int64" : "Int128"

const int32Min = -2_147_483_648
const int32Max = 2_147_483_647

interface Cell {
  readonly kind: CellKind
  readonly sqlType: string
}

/** How values of a record's field are kept for a column of `type`; undefined when they cannot be, or not all of them. */
const cellOf = ({ type: from }: FieldSpec, type: PrimitiveType): Cell | undefined => {
  switch (from._tag) {
    case "Text":
      // a uuid column is cast from its text when the file is written
      return type._tag === "string" || (type._tag === "uuid" && from.format === "uuid")
        ? { kind: "Text", sqlType: "VARCHAR" }
        : undefined
    case "Json":
      return type._tag === "string" ? { kind: "Text", sqlType: "VARCHAR" } : undefined
    case "Decimal": {
      const fits = type._tag === "decimal" && type.scale === from.scale && type.precision >= from.precision
      if (!fits) return undefined
      return { kind: decimalKind(type.precision), sqlType: `DECIMAL(${type.precision}, ${type.scale})` }
    }
    case "Timestamp":
      if (type._tag === "timestamptz") return { kind: "Micros", sqlType: "TIMESTAMPTZ" }
      return type._tag === "timestamp" ? { kind: "Micros", sqlType: "TIMESTAMP" } : undefined
    case "Date":
      return type._tag === "date" ? { kind: "Int32", sqlType: "DATE" } : undefined
    case "Int":
      if (type._tag === "long") return { kind: "Int64", sqlType: "BIGINT" }
      return type._tag === "int" && from.min >= int32Min && from.max <= int32Max
        ? { kind: "Int32", sqlType: "INTEGER" }
        : undefined
    case "Double":
      return type._tag === "double" ? { kind: "Double", sqlType: "DOUBLE" } : undefined
    case "Boolean":
      return type._tag === "boolean" ? { kind: "Boolean", sqlType: "BOOLEAN" } : undefined
  }
}

const sourceCells: Record<"source_partition" | "source_offset" | "extra_fields", Cell & { source: CellSource }> = {
  source_partition: { source: { _tag: "SourcePartition" }, kind: "Int32", sqlType: "INTEGER" },
  source_offset: { source: { _tag: "SourceOffset" }, kind: "Int64", sqlType: "BIGINT" },
  extra_fields: { source: { _tag: "Extras" }, kind: "Text", sqlType: "VARCHAR" }
}

const kindName = (type: NestedField["type"]): string => (isPrimitive(type) ? primitiveToText(type) : type._tag)

type Planned =
  | { readonly _tag: "Stored"; readonly column: StoredColumn }
  | { readonly _tag: "Topic" }
  | { readonly _tag: "Absent" }
  /** Not in records; written all the same, since readers take another value for a column that files lack. */
  | { readonly _tag: "Default"; readonly sql: string }
  | { readonly _tag: "Problem"; readonly text: string }

const stored = (cell: Cell, source: CellSource, field: StoredColumn["field"]): Planned => ({
  _tag: "Stored",
  column: { ...cell, source, field }
})

const problem = (text: string): Planned => ({ _tag: "Problem", text })

/** A column that records do not have (specification, "Default values": the write default must be written). */
const planAbsent = (field: NestedField): Planned => {
  const { initialDefault, name, required, type, writeDefault } = field
  if (writeDefault === undefined && required)
    return problem(`column ${name} is required, but records have no such field`)
  if (writeDefault === undefined && initialDefault === undefined) return { _tag: "Absent" }
  return isPrimitive(type) && type._tag !== "fixed"
    ? { _tag: "Default", sql: writeDefaultSql(field) }
    : problem(
        `column ${name} has a default and records have no such field: of ${kindName(type)} it is not written here`
      )
}

/** Where the table's column comes from. */
const planColumn = (field: NestedField, shape: RecordShape): Planned => {
  const { name, type } = field
  if (isSourceColumn(name)) {
    if (type._tag !== sourceColumns[name]._tag) {
      return problem(`column ${name} must be ${sourceColumns[name]._tag}, the table has ${kindName(type)}`)
    }
    if (name === "source_topic") return { _tag: "Topic" }
    if (name === "extra_fields" && field.required) {
      return problem(`column ${name} must not be required: most records have none`)
    }
    const { source, ...cell } = sourceCells[name]
    return stored(cell, source, { ...field, type: sourceColumns[name] })
  }
  const from = shape.byName.get(name)
  if (from === undefined) return planAbsent(field)
  const cell = isPrimitive(type) ? cellOf(from, type) : undefined
  if (!isPrimitive(type) || cell === undefined) {
    return problem(`column ${name} is ${kindName(type)}, which does not take all values of a ${from.type._tag} field`)
  }
  if (field.required && from.nullable) {
    return problem(`column ${name} is required, but the record's field may be absent`)
  }
  return stored(cell, { _tag: "Field", index: from.index }, { ...field, type })
}

/** The plan, or what stands against it: one line for each column. `sourceTopic` fills the column of that name. */
export const planColumns = (
  schema: TableSchema,
  shape: RecordShape,
  sourceTopic: string
): ColumnPlan | ReadonlyArray<string> => {
  const problems = shape.fields.flatMap((field) => {
    if (isSourceColumn(field.name)) return [`the record's field ${field.name} has the name of a column of the landing`]
    const known = schema.fields.some((column) => column.name === field.name)
    return known ? [] : [`the record's field ${field.name} has no column: add it to the table`]
  })
  const columns: Array<StoredColumn> = []
  const written: Array<WrittenColumn> = []
  const selected: Array<string> = []
  const fieldIds: Array<string> = []
  let defaults = false
  for (const field of schema.fields) {
    const planned = planColumn(field, shape)
    const name = sqlName(field.name)
    if (planned._tag === "Problem") problems.push(planned.text)
    else if (planned._tag === "Topic") {
      selected.push(`${sqlText(sourceTopic)} AS ${name}`)
      written.push({ field: { ...field, type: sourceColumns.source_topic }, stored: undefined })
    } else if (planned._tag === "Default") {
      defaults = true
      selected.push(`${planned.sql} AS ${name}`)
    } else if (planned._tag === "Stored") {
      const cell = `c${columns.length}`
      selected.push(`${field.type._tag === "uuid" ? `CAST(${cell} AS UUID)` : cell} AS ${name}`)
      columns.push(planned.column)
      written.push({ field: planned.column.field, stored: planned.column })
    }
    if (planned._tag !== "Absent") fieldIds.push(`${name}: ${field.id}`)
  }
  if (columns.length === 0) problems.push("no column of the table is in the record")
  if (problems.length > 0) return problems
  return {
    stored: columns,
    written,
    defaults,
    sourceTopic,
    tableColumns: columns.map((column, i) => `c${i} ${column.sqlType}`).join(", "),
    selected: selected.join(", "),
    fieldIds: `{${fieldIds.join(", ")}}`
  }
}
