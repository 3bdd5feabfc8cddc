/**
 * What a filter asks of a column's values, to be compared with bounds as they lie in a manifest: most files of a partition are ruled
 * out by one of them, before anything of their entries is made.
 *
 * Pure. Its slow twin is `Prune.ts`: what is ruled out here does not match there. Only of types whose bytes compare alike for
 * every writer, and only of comparisons that every row has to meet.
 */
import type { ColumnRange } from "../io/EntryPick.ts"
import { singleValueToBytes, type SingleValue } from "../spec/SingleValue.ts"
import type { PrimitiveType } from "../spec/Type.ts"
import type { Filter, Operator } from "./Filter.ts"

/** The order of a bound in these bytes and a value; undefined where it is not of the type's length. */
type CompareBound = (bytes: Uint8Array, start: number, end: number) => number | undefined

const compareText =
  (value: Uint8Array): CompareBound =>
  (bytes, start, end) => {
    const length = Math.min(end - start, value.length)
    for (let i = 0; i < length; i++) {
      const order = bytes[start + i]! - value[i]!
      if (order !== 0) return order
    }
    return end - start - value.length
  }

const compareLong =
  (value: bigint): CompareBound =>
  (bytes, start, end) => {
    if (end - start !== 8) return undefined
    const bound = new DataView(bytes.buffer, bytes.byteOffset + start, 8).getBigInt64(0, true)
    return bound < value ? -1 : bound > value ? 1 : 0
  }

const compareInt =
  (value: number): CompareBound =>
  (bytes, start, end) =>
    end - start === 4 ? new DataView(bytes.buffer, bytes.byteOffset + start, 4).getInt32(0, true) - value : undefined

/** Undefined for types that are left to decoded values. */
const comparerOf = (type: PrimitiveType, value: SingleValue): CompareBound | undefined => {
  switch (type._tag) {
    case "string":
      // half a surrogate has no bytes of its own
      return typeof value === "string" && value.isWellFormed()
        ? compareText(singleValueToBytes(type, value))
        : undefined
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
      return typeof value === "bigint" ? compareLong(value) : undefined
    case "int":
    case "date":
      return typeof value === "number" ? compareInt(value) : undefined
    default:
      return undefined
  }
}

const rules = (compare: CompareBound, out: (order: number) => boolean) => {
  return (bytes: Uint8Array, start: number, end: number): boolean => {
    const order = compare(bytes, start, end)
    return order !== undefined && out(order)
  }
}

const isAbove = (order: number): boolean => order > 0
const isBelow = (order: number): boolean => order < 0
const isNotBelow = (order: number): boolean => order >= 0
const isNotAbove = (order: number): boolean => order <= 0

type Out = typeof isAbove | undefined

/** By operator, the lower and the upper bounds that no value meets it beside. */
const outBy: Readonly<Record<Operator, readonly [lower: Out, upper: Out]>> = {
  "=": [isAbove, isBelow],
  "<": [isNotBelow, undefined],
  "<=": [isAbove, undefined],
  ">": [undefined, isNotAbove],
  ">=": [undefined, isBelow]
}

type Columns = ReadonlyMap<string, { readonly id: number; readonly type: PrimitiveType }>

/** Ranges that every row of the filter lies in. */
export const rangesOf = (filter: Filter, columns: Columns): ReadonlyArray<ColumnRange> => {
  if (filter._tag === "And") return filter.filters.flatMap((each) => rangesOf(each, columns))
  const column = filter._tag === "Compare" ? columns.get(filter.column) : undefined
  if (filter._tag !== "Compare" || column === undefined) return []
  const compare = comparerOf(column.type, filter.value)
  if (compare === undefined) return []
  const [lower, upper] = outBy[filter.operator]
  return [{ columnId: column.id, lower: lower && rules(compare, lower), upper: upper && rules(compare, upper) }]
}
