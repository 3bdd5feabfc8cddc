/**
 * Makes record objects out of a column batch's rows, on demand.
 *
 * User functions and the slow twins get them; hot loops read columns. Absent and null both become null, so that all records
 * of a topic have one form.
 */
import { Schema, SchemaAST } from "effect"
import { Decimal } from "../Decimal.ts"
import type { Column, ColumnBatch } from "../record/ColumnBatch.ts"
import type { FieldSpec } from "../schema/FieldType.ts"
import type { Topic } from "../Topic.ts"
import { makeTextOf } from "./TextOf.ts"

type TextOf = ReturnType<typeof makeTextOf>
type ReadCell = (batch: ColumnBatch, column: Column, row: number, textOf: TextOf) => unknown

const readBytes: ReadCell = (_, column, row, textOf) =>
  column._tag === "Bytes" && column.starts[row]! >= 0 ? textOf(column.starts[row]!, column.ends[row]!) : null

const readNumber: ReadCell = (_, column, row) => {
  const value = column._tag === "Numbers" ? column.values[row]! : Number.NaN
  return Number.isNaN(value) ? null : value
}

const readBoolean: ReadCell = (_, column, row) => {
  const value = column._tag === "Booleans" ? column.values[row]! : 2
  return value === 2 ? null : value === 1
}

const cellReader = (field: FieldSpec, fieldCount: number, schema: Schema.Codec<unknown, unknown>): ReadCell => {
  const { type } = field
  switch (type._tag) {
    case "Text":
      return readBytes
    case "Boolean":
      return readBoolean
    case "Decimal":
      return (batch, column, row) => {
        const wide = batch.wide[row] === 1 ? batch.wideDecimals.get(row * fieldCount + field.index) : undefined
        const unscaled = wide ?? (column._tag === "Numbers" ? column.values[row]! : Number.NaN)
        return Number.isNaN(unscaled) ? null : Decimal.make(unscaled, type.scale)
      }
    case "Json": {
      const decode = Schema.decodeUnknownSync(schema)
      return (batch, column, row, textOf) => {
        const text = readBytes(batch, column, row, textOf)
        return text === null ? null : decode(JSON.parse(String(text)))
      }
    }
    default:
      return readNumber
  }
}

/** Makes the function that reads one row as a record. A row that did not decode gives nonsense: look at `valid` first. */
export const makeRecordReader = <A>(topic: Topic<A>): ((batch: ColumnBatch, row: number) => A) => {
  const { fields } = topic.shape
  const { ast } = topic.schema
  const properties = SchemaAST.isObjects(ast) ? ast.propertySignatures : []
  const readers = fields.map((field) =>
    cellReader(field, fields.length, Schema.make<Schema.Codec<unknown, unknown>>(properties[field.index]!.type))
  )
  // an object literal gives all records one hidden class; names were checked by RecordShape
  const members = fields.map(({ name, index }) => `${name}: r${index}(batch, batch.columns[${index}], row, textOf)`)
  const make = new Function(
    ...readers.map((_, index) => `r${index}`),
    `"use strict"; return (batch, row, textOf) => ({ ${members.join(", ")} })`
  ) as (...readers: ReadonlyArray<ReadCell>) => (batch: ColumnBatch, row: number, textOf: TextOf) => A
  const read = make(...readers)
  let textBytes: Uint8Array | undefined
  let textOf: TextOf = () => ""
  return (batch, row) => {
    if (batch.bytes !== textBytes) {
      textBytes = batch.bytes
      textOf = makeTextOf(batch.bytes)
    }
    return read(batch, row, textOf)
  }
}
