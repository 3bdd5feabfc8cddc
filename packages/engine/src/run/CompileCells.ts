/**
 * The generated code of what state keeps of a record beside its bytes: the fields that expressions read later, as the record
 * would have them. `CompilePattern` and `CompileJoin` use it.
 */
import { type CodeScope, Decimal, type FieldAccess, type FieldSpec } from "@frazil/core"

/** An object of these fields; undefined where there are none. */
export const cellsCode = (kept: ReadonlyArray<FieldSpec>, columns: FieldAccess, scope: CodeScope): string => {
  if (kept.length === 0) return "undefined"
  const members = kept.map((field) => `[${JSON.stringify(field.name)}]: ${cellCode(field, columns, scope)}`)
  return `{ ${members.join(", ")} }`
}

/** One of them. */
export const cellCode = ({ name, type }: FieldSpec, columns: FieldAccess, scope: CodeScope): string => {
  switch (type._tag) {
    case "Text":
      return columns.text(name)
    case "Boolean":
      return `${scope.constant(booleanOf)}(${columns.boolean(name)})`
    case "Decimal":
      return `${scope.constant(decimalOf)}(${columns.unscaled(name)}, ${type.scale})`
    case "Json":
      // it can only be asked whether it is there
      return `(${columns.isNull(name)} ? null : true)`
    default:
      return `${scope.constant(numberOf)}(${columns.number(name)})`
  }
}

const booleanOf = (value: 0 | 1 | 2): boolean | null => (value === 2 ? null : value === 1)
const numberOf = (value: number): number | null => (value === value ? value : null)
const decimalOf = (unscaled: number | bigint, scale: number): Decimal | null =>
  unscaled === unscaled ? Decimal.make(unscaled, scale) : null
