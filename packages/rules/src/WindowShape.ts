/** The fields of a window's results, as `Flow.window` gives them: what the condition of a window rule may read. */
import { decimalPrecisionMax, type FieldSpec, type FieldType, type RecordShape } from "@frazil/core"
import type { CheckedAggregate } from "./CheckedRule.ts"

const integer: FieldType = { _tag: "Int", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }
const double: FieldType = { _tag: "Double", min: -Number.MAX_VALUE, max: Number.MAX_VALUE }

const required = (name: string, type: FieldType): FieldSpec => ({
  name,
  type,
  index: 0,
  nullable: false,
  personal: false,
  hiddenFromRules: false
})

const aggregateFields = ({ field, function: kind, name, where }: CheckedAggregate): ReadonlyArray<FieldSpec> => {
  if (kind === "count") return [required(name, where === undefined ? integer : double)]
  if (kind === "distinct") return [required(name, integer), required(`${name}_capped`, { _tag: "Boolean" })]
  if (field === undefined) return []
  const nullable = field.nullable || where !== undefined
  const { type } = field
  if (kind === "min" || kind === "max") {
    // what a condition picks is computed, as a double
    return [{ ...field, name, nullable, type: where !== undefined && type._tag === "Int" ? double : type }]
  }
  if (type._tag !== "Decimal") return [{ ...field, name, nullable, type: double }]
  return [{ ...field, name, nullable, type: { ...type, precision: decimalPrecisionMax, positive: false } }]
}

export const windowShape = (key: FieldSpec, aggregates: ReadonlyArray<CheckedAggregate>): RecordShape => {
  const fields = [
    key,
    required("window_start", { _tag: "Timestamp" }),
    required("window_end", { _tag: "Timestamp" }),
    required("revision", integer),
    ...aggregates.flatMap(aggregateFields)
  ].map((field, index) => ({ ...field, index }))
  return { fields, byName: new Map(fields.map((field) => [field.name, field])), closed: false }
}
