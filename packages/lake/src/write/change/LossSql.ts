/**
 * Whether values of a query stay what they are as values of the table's types, as SQL that is true of those that do not: DuckDB's
 * casts round numbers and cut times in silence, and name no column where they refuse.
 *
 * Pure. What a type holds whole, by the types alone, is not looked at: such columns cost nothing. A value that comes back equal
 * is kept: 1.50 in one decimal place is not lost, nor is the double 0.1 as the decimal 0.10. A text means the number nearest to
 * it in a float or double. Messages name columns and types, never values.
 */
import {
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBVarCharType,
  VARCHAR
} from "@duckdb/node-api"
import { sqlName, sqlText } from "../../io/DuckDb.ts"
import { duckDbType } from "../../read/RelationFiles.ts"
import {
  isPrimitive,
  type ListType,
  type MapType,
  type PrimitiveType,
  primitiveToText,
  type StructType,
  type Type
} from "../../spec/Type.ts"
import { anyOf, type Wrong } from "./FitsSql.ts"
import { elementOf, entriesOf } from "./GivenColumns.ts"
import { isJson, isTextual, textLoses, wordsOf } from "./TextLossSql.ts"

/** Digits of DuckDB's integers. */
const integerDigits: ReadonlyMap<DuckDBTypeId, number> = new Map([
  [DuckDBTypeId.BOOLEAN, 1],
  [DuckDBTypeId.TINYINT, 3],
  [DuckDBTypeId.UTINYINT, 3],
  [DuckDBTypeId.SMALLINT, 5],
  [DuckDBTypeId.USMALLINT, 5],
  [DuckDBTypeId.INTEGER, 10],
  [DuckDBTypeId.UINTEGER, 10],
  [DuckDBTypeId.BIGINT, 19],
  [DuckDBTypeId.UBIGINT, 20]
])

const tiny = [DuckDBTypeId.BOOLEAN, DuckDBTypeId.TINYINT, DuckDBTypeId.UTINYINT]
const small = [...tiny, DuckDBTypeId.SMALLINT, DuckDBTypeId.USMALLINT]
const integers = [...small, DuckDBTypeId.INTEGER]

/** DuckDB's types whose every value a type holds as it is. Decimals depend on their digits; texts hold everything. */
const heldWhole: Readonly<Record<Exclude<PrimitiveType["_tag"], "decimal" | "string">, ReadonlyArray<DuckDBTypeId>>> = {
  boolean: [DuckDBTypeId.BOOLEAN],
  int: integers,
  long: [...integers, DuckDBTypeId.UINTEGER, DuckDBTypeId.BIGINT],
  float: [...small, DuckDBTypeId.FLOAT],
  double: [...integers, DuckDBTypeId.UINTEGER, DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE],
  date: [DuckDBTypeId.DATE],
  time: [DuckDBTypeId.TIME],
  timestamp: [DuckDBTypeId.TIMESTAMP],
  timestamptz: [DuckDBTypeId.TIMESTAMP_TZ],
  timestamp_ns: [DuckDBTypeId.TIMESTAMP_NS],
  uuid: [DuckDBTypeId.UUID],
  fixed: [DuckDBTypeId.BLOB],
  binary: [DuckDBTypeId.BLOB]
}

const holds = (type: PrimitiveType, given: DuckDBType): boolean => {
  if (type._tag === "string" || given.typeId === DuckDBTypeId.SQLNULL) return true
  if (type._tag !== "decimal") return heldWhole[type._tag].includes(given.typeId)
  const whole = type.precision - type.scale
  if (given instanceof DuckDBDecimalType) return given.scale <= type.scale && given.width - given.scale <= whole
  return (integerDigits.get(given.typeId) ?? Infinity) <= whole
}

const floating: ReadonlySet<DuckDBTypeId> = new Set([DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE])

/** True of a value that does not come back equal from the table's type. `cast` is the value as the table has it. */
const comesBackOther = (type: PrimitiveType, given: DuckDBType, of: string, cast: string): string => {
  const other = (back: string) => `TRY_CAST(${back} AS ${given.toString()}) IS DISTINCT FROM ${of}`
  // between decimals and floats DuckDB computes, and may miss by the last digit; texts are read exactly
  const asText = other(`${cast}::VARCHAR`)
  if (type._tag === "decimal" && floating.has(given.typeId)) return asText
  const isFloat = type._tag === "float" || type._tag === "double"
  return isFloat && given instanceof DuckDBDecimalType ? `(${other(cast)} AND ${asText})` : other(cast)
}

/** Of times in microseconds, what is left in nanoseconds of 64 bits. DuckDB's cast fails beyond, even where it may be tried. */
const nanosecondsRange = "TIMESTAMP '1677-09-22 00:00:00' AND TIMESTAMP '2262-04-11 23:47:16.854775'"

/** A value that the cast does not take: another kind, beyond the range, a text that is none. */
const notTaken = (type: Type, given: DuckDBType, of: string, name: string): Wrong => {
  const isText = isTextual(given)
  const isTaken =
    type._tag === "timestamp_ns" && !isText
      ? `coalesce(TRY_CAST(${of} AS TIMESTAMP) BETWEEN ${nanosecondsRange}, false)`
      : `TRY_CAST(${of} AS ${duckDbType(type)}) IS NOT NULL`
  return {
    when: `(${isText ? wordsOf(given, of) : of} IS NOT NULL AND NOT (${isTaken}))`,
    message: `column ${name} has values that are no ${isPrimitive(type) ? primitiveToText(type) : type._tag}`
  }
}

/** True of a value that is given in words and would be another. */
const wordsLost = (type: PrimitiveType, given: DuckDBType, of: string): string | undefined => {
  const words = wordsOf(given, of)
  const lost = textLoses(type, words)
  if (!isJson(given)) return lost
  // DuckDB reads JSON's numbers as doubles: their digits may be others
  const to = duckDbType(type)
  const other = `TRY_CAST(${of} AS ${to}) IS DISTINCT FROM TRY_CAST(${words} AS ${to})`
  return lost === undefined ? other : `(${lost} OR ${other})`
}

const lossOfPrimitive = (type: PrimitiveType, given: DuckDBType, of: string, name: string): ReadonlyArray<Wrong> => {
  if (holds(type, given)) return []
  const lost = isTextual(given)
    ? wordsLost(type, given, of)
    : comesBackOther(type, given, of, `TRY_CAST(${of} AS ${duckDbType(type)})`)
  const message = `column ${name} has values that ${primitiveToText(type)} would round or cut`
  return [notTaken(type, given, of, name), ...(lost === undefined ? [] : [{ when: lost, message }])]
}

type Nested = StructType | ListType | MapType

/** A text of a list, struct or map, as one of texts: its parts are as the text has them. */
const partsOf = (type: Nested, given: DuckDBType): readonly [given: DuckDBType, sql: string] => {
  const part = isJson(given) ? DuckDBVarCharType.create("JSON") : VARCHAR
  const sql = isJson(given) ? "JSON" : "VARCHAR"
  switch (type._tag) {
    case "struct": {
      const names = type.fields.map(({ name }) => name)
      const fields = names.map((name) => `${sqlName(name)} ${sql}`)
      return [
        new DuckDBStructType(
          names,
          names.map(() => part)
        ),
        `STRUCT(${fields.join(", ")})`
      ]
    }
    case "list":
      return [new DuckDBListType(part), `${sql}[]`]
    case "map":
      return [new DuckDBMapType(VARCHAR, part), `MAP(VARCHAR, ${sql})`]
  }
}

/** Fields that a struct in JSON has and the table has not: they would be left out, and so would those in other letters. */
const otherFields = ({ fields }: StructType, of: string, name: string, variable: string): Wrong => ({
  when: `len(list_filter(json_keys(${of}), lambda ${variable}: ${variable} NOT IN (${fields.map((field) => sqlText(field.name)).join(", ")}))) > 0`,
  message: `column ${name} has values with fields that the table has not`
})

const lossOfText = (type: Nested, given: DuckDBType, of: string, name: string, depth: number): ReadonlyArray<Wrong> => {
  const [parts, sql] = partsOf(type, given)
  const others = isJson(given) && type._tag === "struct" ? [otherFields(type, of, name, `x${depth}`)] : []
  return [notTaken(type, given, of, name), ...others, ...lossOf(type, parts, `TRY_CAST(${of} AS ${sql})`, name, depth)]
}

const lossOfNested = (
  type: Nested,
  given: DuckDBType,
  of: string,
  name: string,
  depth: number
): ReadonlyArray<Wrong> | undefined => {
  const variable = `x${depth}`
  switch (type._tag) {
    case "struct": {
      const entries = entriesOf(given)
      return entries === undefined
        ? undefined
        : type.fields.flatMap((field) => {
            const inner = entries.get(field.name.toLowerCase())
            const at = `struct_extract(${of}, ${sqlText(field.name)})`
            return inner === undefined ? [] : lossOf(field.type, inner, at, `${name}.${field.name}`, depth)
          })
    }
    case "list": {
      const element = elementOf(given)
      return element === undefined
        ? undefined
        : anyOf(of, variable, lossOf(type.element, element, variable, `${name}.element`, depth + 1))
    }
    case "map":
      return given instanceof DuckDBMapType
        ? [
            ...anyOf(`map_keys(${of})`, variable, lossOf(type.key, given.keyType, variable, `${name}.key`, depth + 1)),
            ...anyOf(
              `map_values(${of})`,
              variable,
              lossOf(type.value, given.valueType, variable, `${name}.value`, depth + 1)
            )
          ]
        : undefined
  }
}

/** What would be lost, or not be taken at all, of values of a type of DuckDB's that become the table's; nothing where all are held. */
export const lossOf = (
  type: Type,
  given: DuckDBType,
  of: string,
  name: string,
  depth: number
): ReadonlyArray<Wrong> => {
  if (given.typeId === DuckDBTypeId.SQLNULL) return []
  if (isPrimitive(type)) return lossOfPrimitive(type, given, of, name)
  return isTextual(given)
    ? lossOfText(type, given, of, name, depth)
    : (lossOfNested(type, given, of, name, depth) ?? [notTaken(type, given, of, name)])
}
