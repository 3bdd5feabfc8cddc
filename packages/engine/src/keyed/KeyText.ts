/** The text of a key that fields are added to: a JSON array of the flow's key and those fields. */
import type { FieldSpec } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import { keyTextOf } from "../run/Collector.ts"
import { KeyError, makeStateKey, type StateKey } from "../run/StateKey.ts"

/** As `makeStateKey`, with the operator's own fields behind the flow's; throws a `KeyError` when one of them is null. */
export const makeKeyedKey = (operator: PlannedOperator, fields: ReadonlyArray<string>): StateKey => {
  const keyOf = makeStateKey(operator)
  if (fields.length === 0) return keyOf
  const all = [...operator.key, ...fields]
  return (record: AnyRecord, read: AnyRecord) => {
    keyOf(record, read)
    const text = keyTextOf(all, record)
    if (text !== null) return text
    throw new KeyError({
      field: fields.join(","),
      message: `${operator.name}: a field that it tells records apart by is null; filter such records before`
    })
  }
}

/** The key's fields of its text: one is the text itself, several are a JSON array. */
export const makeKeyReader = (fields: ReadonlyArray<FieldSpec>): ((text: string) => AnyRecord) => {
  const valuesOf = (text: string): ReadonlyArray<unknown> => {
    // written by keyTextOf
    if (fields.length > 1) return JSON.parse(text) as ReadonlyArray<unknown>
    return [fields[0]!.type._tag === "Int" ? Number(text) : text]
  }
  return (text) => {
    const values = valuesOf(text)
    return Object.fromEntries(fields.map(({ name }, index) => [name, values[index]]))
  }
}

/** Whether the text `of` is that of the flow's key, or of it and further fields. */
export const isKeyOf = ({ fields }: { readonly fields: ReadonlyArray<string> }, key: string, of: string): boolean => {
  if (fields.length === 0) return of === key
  const values = (JSON.parse(of) as ReadonlyArray<unknown>).slice(0, -fields.length) // written by makeKeyedKey
  return (values.length === 1 ? String(values[0]) : JSON.stringify(values)) === key
}
