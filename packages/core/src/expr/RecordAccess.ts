/**
 * Fields of record objects as JavaScript text: lets compiled expressions run where a function has made the record.
 */
import type { Decimal } from "../Decimal.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import type { CodeScope, FieldAccess } from "./Access.ts"
import { intMax } from "./Tree.ts"

/** Reads fields of the record that `variable` holds in the generated code. */
export const recordAccess = (shape: RecordShape, scope: CodeScope, variable: string): FieldAccess => {
  const read = (name: string): string => {
    // a record without the field must not show what every object inherits
    if (name in Object.prototype) return `${scope.constant(own)}(${variable}, ${JSON.stringify(name)})`
    return `${variable}[${JSON.stringify(name)}]`
  }
  const helpers = new Map<string, (value: Decimal | null | undefined) => number | bigint>()
  const unscaledOf = (name: string) => {
    const type = shape.byName.get(name)?.type
    const magnitudeMax = 10n ** BigInt(type?._tag === "Decimal" ? type.precision : 0) - 1n
    const helper =
      helpers.get(name) ?? (magnitudeMax <= intMax ? narrowUnscaled(Number(magnitudeMax)) : wideUnscaled(magnitudeMax))
    helpers.set(name, helper)
    return helper
  }
  return {
    number: (name) => `(${read(name)} ?? NaN)`,
    unscaled: (name) => `${scope.constant(unscaledOf(name))}(${read(name)})`,
    boolean: (name) => `${scope.constant(flag)}(${read(name)})`,
    text: (name) => `(${read(name)} ?? null)`,
    textEquals: (name, literal) => `(${read(name)} === ${scope.constant(literal)})`,
    isNull: (name) => `(${read(name)} == null)`
  }
}

const own = (record: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : null

const flag = (value: boolean | null | undefined): 0 | 1 | 2 => (value === true ? 1 : value === false ? 0 : 2)

// a function may have made more digits than the field declares: no value, as after any overflow
const narrowUnscaled =
  (max: number) =>
  (value: Decimal | null | undefined): number => {
    const unscaled = value?.unscaled
    return typeof unscaled === "number" && unscaled <= max && unscaled >= -max ? unscaled : Number.NaN
  }
const wideUnscaled =
  (max: bigint) =>
  (value: Decimal | null | undefined): number | bigint => {
    const unscaled = value?.unscaled ?? Number.NaN
    return typeof unscaled === "number" || (unscaled <= max && unscaled >= -max) ? unscaled : Number.NaN
  }
