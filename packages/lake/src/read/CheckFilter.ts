/**
 * Whether a filter can be asked of a table: the one guard of all who take filters. Every scan asks it (`planScan`), and with it
 * deletes and overwrites; what it lets through, `filterSql` writes as SQL and `mayMatch` answers.
 *
 * Filters come from programs, and from what those were sent: a column, an operator or a value may be anything. **Bounds**:
 * the depth and the number of conditions, since both are walked by recursion, here and in DuckDB.
 */
import { Result } from "effect"
import { LakeError } from "../LakeError.ts"
import { fieldByName, type TableSchema } from "../spec/Schema.ts"
import { singleValueToBytes, type SingleValue } from "../spec/SingleValue.ts"
import { isPrimitive, primitiveToText, type PrimitiveType } from "../spec/Type.ts"
import { type Filter, operators } from "./Filter.ts"

const depthMax = 100
const conditionsMax = 10_000

/** The value, of the right kind, lies within the type: DuckDB would not cast it otherwise. */
const isWithin = (type: PrimitiveType, value: SingleValue): boolean => {
  switch (type._tag) {
    case "int":
    case "date":
      return typeof value === "number" && (value | 0) === value
    case "float":
      return typeof value === "number" && Number.isFinite(value) === Number.isFinite(Math.fround(value))
    case "decimal": {
      const bound = 10n ** BigInt(type.precision)
      return typeof value === "bigint" && -bound < value && value < bound
    }
    case "fixed":
      return value instanceof Uint8Array && value.length === type.length
    default:
      return typeof value !== "bigint" || BigInt.asIntN(64, value) === value
  }
}

/** The value is one of the type. */
const isOf = (type: PrimitiveType, value: SingleValue): boolean => {
  try {
    // of another kind: it throws
    singleValueToBytes(type, value)
    return isWithin(type, value)
  } catch {
    return false
  }
}

/** A column by its full name; those within lists and maps are none that a row has one value of. */
const columnOf = (schema: TableSchema, name: string) => {
  const entry = fieldByName(schema, name)
  return entry?.repeated === true ? undefined : entry
}

const valueProblem = (column: string, schema: TableSchema, values: ReadonlyArray<SingleValue>): string | undefined => {
  const type = columnOf(schema, column)?.type
  if (type === undefined || !isPrimitive(type)) return `it names ${column}, which is no column that can be compared`
  return values.every((value) => isOf(type, value))
    ? undefined
    : `it has a value for ${column} that is no ${primitiveToText(type)}`
}

/** What is wrong with the filter itself, without those that it holds. */
const ownProblem = (filter: Filter, schema: TableSchema): string | undefined => {
  switch (filter._tag) {
    case "And":
    case "Or":
    case "Not":
      return undefined
    case "IsNull":
    case "NotNull":
      return columnOf(schema, filter.column) === undefined ? `it names ${filter.column}, which is no column` : undefined
    case "Compare":
      return operators.includes(filter.operator)
        ? valueProblem(filter.column, schema, [filter.value])
        : `it compares ${filter.column} in a way that is none of ${operators.join(", ")}`
    case "In":
      return valueProblem(filter.column, schema, filter.values)
    case "StartsWith": {
      const type = columnOf(schema, filter.column)?.type
      if (type?._tag !== "string") return `it asks what ${filter.column} starts with, which is no column of text`
      return isOf(type, filter.prefix) ? undefined : `it asks whether ${filter.column} starts with what is no text`
    }
    default:
      return "it holds what is no filter"
  }
}

const held = (filter: Filter): ReadonlyArray<Filter> =>
  filter._tag === "And" || filter._tag === "Or" ? filter.filters : filter._tag === "Not" ? [filter.filter] : []

/** By depth, without recursion: it must hold against what is too deep for it. */
const problemOf = (filter: Filter, schema: TableSchema): string | undefined => {
  let level: ReadonlyArray<Filter> = [filter]
  let conditions = 0
  for (let depth = 0; level.length > 0; depth++) {
    conditions += level.length
    if (depth > depthMax) return `its conditions are more than ${depthMax} deep in each other`
    if (conditions > conditionsMax) return `it has more than ${conditionsMax} conditions: ask for values by In`
    for (const each of level) {
      const problem = ownProblem(each, schema)
      if (problem !== undefined) return problem
    }
    level = level.flatMap(held)
  }
  return undefined
}

/** Invalid, with what is wrong, for a filter that cannot be asked of a table with this schema. */
export const checkFilter = (location: string, filter: Filter, schema: TableSchema): Result.Result<void, LakeError> => {
  const problem = problemOf(filter, schema)
  return problem === undefined
    ? Result.void
    : Result.fail(
        new LakeError({
          reason: "Invalid",
          message: `table ${location}: its rows cannot be asked by a filter: ${problem}`
        })
      )
}
