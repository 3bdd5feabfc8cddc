/**
 * What a text says that a value of the table's type would not, as SQL: more decimals, a zone, words behind a day. DuckDB's casts
 * leave these out in silence. Pure.
 */
import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api"
import { duckDbType } from "../../read/RelationFiles.ts"
import type { PrimitiveType } from "../../spec/Type.ts"

/** Types that say in words what they hold. */
const textual: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.ENUM,
  DuckDBTypeId.UNION,
  DuckDBTypeId.VARIANT
])

export const isTextual = ({ typeId }: DuckDBType): boolean => textual.has(typeId)

/** JSON is a text of its own name in DuckDB. */
export const isJson = ({ alias }: DuckDBType): boolean => alias === "JSON"

/** The words; a text within JSON without its quotes, and NULL for JSON's null. */
export const wordsOf = (given: DuckDBType, of: string): string =>
  isJson(given) ? `(${of} ->> '$')` : given.typeId === DuckDBTypeId.VARCHAR ? of : `(${of})::VARCHAR`

/** A number with more than `scale` decimals, zeros at the end left out: `1.50` has one, and so has `15e-1`. */
const finerNumber = (text: string, scale: number): string => {
  const part = (pattern: string) => `regexp_extract(replace(${text}, '_', ''), '${pattern}', 1)`
  const fraction = part(String.raw`\.([0-9]*)`)
  const digits = `(${part(String.raw`^\s*[-+]?([0-9]*)`)} || ${fraction})`
  const significant = `rtrim(${digits}, '0')`
  const exponent = `coalesce(TRY_CAST(${part("[eE]([-+]?[0-9]+)")} AS DOUBLE), 0)`
  const decimals = `length(${fraction}) - (length(${digits}) - length(${significant})) - ${exponent}`
  // most texts are plain, which is told sooner
  const plain = String.raw`\s*[-+]?[0-9]*(\.[0-9]{0,${scale}}0*)?\s*`
  return `(NOT regexp_full_match(${text}, '${plain}') AND ${significant} <> '' AND ${decimals} > ${scale})`
}

const found = (text: string, pattern: string): string => `regexp_matches(${text}, '${pattern}')`

/** More decimals of a second than `scale`. */
const finerTime = (text: string, scale: number): string => found(text, String.raw`\.[0-9]{${scale}}[0-9]*[1-9]`)

/** A zone, whose time is not UTC's. */
const elsewhere = (text: string): string =>
  `TRY_CAST(${text} AS TIMESTAMPTZ) IS DISTINCT FROM TRY_CAST(${text} AS TIMESTAMP)::TIMESTAMPTZ`

const utc = String.raw`\s*(Z|[-+][0:]+)?\s*`
/** Only a day, or its midnight. */
const day = String.raw`\s*[-+]?[0-9]+[- /\\][0-9]+[- /\\][0-9]+(\s*\(BC\))?([ T]+[0:]+(\.0*)?${utc})?\s*`
const timeOfDay = String.raw`\s*[0-9]+:[0-9]+(:[0-9]+(\.[0-9]{0,6}0*)?)?${utc}`

/** True of a text that says more than the type holds; undefined where every text that is read at all is kept. */
export const textLoses = (type: PrimitiveType, text: string): string | undefined => {
  switch (type._tag) {
    case "int":
    case "long":
      return finerNumber(text, 0)
    case "decimal":
      return finerNumber(text, type.scale)
    case "float":
    case "double":
      // what is beyond all numbers becomes infinity
      return `(isinf(TRY_CAST(${text} AS ${duckDbType(type)})) AND NOT ${found(text, "[iI][nN][fF]")})`
    case "timestamp":
      return `(${finerTime(text, 6)} OR ${elsewhere(text)})`
    case "timestamp_ns":
      return `(${finerTime(text, 9)} OR ${elsewhere(text)})`
    case "timestamptz":
      return finerTime(text, 6)
    case "date":
      // 'epoch' and the like have no digits
      return `(${found(text, "[0-9]")} AND NOT regexp_full_match(${text}, '${day}'))`
    case "time":
      return `NOT regexp_full_match(${text}, '${timeOfDay}')`
    default:
      return undefined
  }
}
