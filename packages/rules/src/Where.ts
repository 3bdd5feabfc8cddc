/**
 * Aggregates over some of a window's records: a field that has a value only where the aggregate's condition holds.
 *
 * `Plan.ts` adds it before the window, which leaves nulls out. Null is written as a text that is no number, read as one.
 */
import { expr, type Expr } from "@frazil/core"
import type { CheckedAggregate } from "./CheckedRule.ts"

/** A name that no record's field has by chance. */
export const pickedField = ({ name }: CheckedAggregate): string => `picked__${name}`

type AnyRecord = Readonly<Record<string, unknown>>

/** The field's value; undefined when the aggregate takes every record. */
export const pickedValue = ({ field, where }: CheckedAggregate): Expr<AnyRecord, unknown> | undefined => {
  if (where === undefined) return undefined
  // on a line of its own: the condition may end in a comment
  const pick = (then: string, otherwise: string) => `(${where.source}\n) ? ${then} : ${otherwise}`
  if (field === undefined) return expr.number(pick("1", "0"))
  const { name, type } = field
  switch (type._tag) {
    case "Decimal":
      return expr.decimal(type.scale, pick(name, `${name} * int("")`))
    case "Int":
      return expr.number(pick(name, 'int("")'))
    case "Double":
      return expr.number(pick(name, 'double("")'))
    default:
      return expr.string(pick(name, 'string(int(""))'))
  }
}
