/**
 * How a value of DuckDB is written as text: exact decimals, ISO times in UTC, integers that no reader rounds.
 *
 * Decimals, dates, times, UUIDs and intervals are texts. Integers are numbers up to 2^53 − 1 and texts beyond. What is not
 * finite is a text. Bytes are base64.
 */
import { DuckDBTypeId, type DuckDBType, type DuckDBValue } from "@duckdb/node-api"

/** A value as JSON has it. */
export type Plain = null | boolean | number | string | ReadonlyArray<Plain> | { readonly [key: string]: Plain }

const daysMs = 86_400_000

const two = (value: number): string => String(value).padStart(2, "0")

const dateText = (days: number): string => {
  const date = new Date(days * daysMs)
  return Number.isNaN(date.getTime()) ? String(days) : date.toISOString().replace(/T.*$/, "")
}

const clockText = (micros: bigint): string => {
  const seconds = Number(micros / 1_000_000n)
  const fraction = Number(micros % 1_000_000n)
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(6, "0")}`
}

/** `2026-01-14T23:45:00.000Z`; with six digits when microseconds are there. */
const instantText = (micros: bigint, zone: string): string => {
  let ms = micros / 1000n
  let rest = micros % 1000n
  if (rest < 0n) {
    rest += 1000n
    ms -= 1n
  }
  const date = new Date(Number(ms))
  if (Number.isNaN(date.getTime())) return micros > 0n ? "infinity" : "-infinity"
  const text = date.toISOString().slice(0, -1)
  return `${text}${rest === 0n ? "" : String(rest).padStart(3, "0")}${zone}`
}

const floatValue = (value: number): Plain => (Number.isFinite(value) ? value : String(value))

const integer = (value: bigint): Plain =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)

type Convert = (value: NonNullable<DuckDBValue>) => Plain

/** DuckDB's library types a value by a union of all; which one it is follows from the column's type. */
const as = <A>(value: NonNullable<DuckDBValue>): A => value as unknown as A // by the column's type, which the caller switched on

const list =
  (item: Convert): Convert =>
  (value) =>
    as<{ readonly items: ReadonlyArray<DuckDBValue> }>(value).items.map((each) => (each === null ? null : item(each)))

const struct = (type: DuckDBType): Convert => {
  // a STRUCT, by its id
  const { entryNames, entryTypes } = type as unknown as {
    entryNames: ReadonlyArray<string>
    entryTypes: ReadonlyArray<DuckDBType>
  }
  const converts = entryTypes.map(converter)
  return (value) => {
    const { entries } = as<{ readonly entries: Readonly<Record<string, DuckDBValue>> }>(value)
    return Object.fromEntries(
      entryNames.map((name, index) => {
        const entry = entries[name] ?? null
        return [name, entry === null ? null : (converts[index]?.(entry) ?? null)]
      })
    )
  }
}

const map = (type: DuckDBType): Convert => {
  const { keyType, valueType } = type as unknown as { keyType: DuckDBType; valueType: DuckDBType } // a MAP, by its id
  const key = converter(keyType)
  const held = converter(valueType)
  return (value) =>
    as<{ readonly entries: ReadonlyArray<{ key: DuckDBValue; value: DuckDBValue }> }>(value).entries.map((entry) => ({
      key: entry.key === null ? null : key(entry.key),
      value: entry.value === null ? null : held(entry.value)
    }))
}

const valueTypeOf = (type: DuckDBType): DuckDBType => (type as unknown as { valueType: DuckDBType }).valueType // a LIST or ARRAY, by its id

/** For values that are not null, of columns of this type. */
export const converter = (type: DuckDBType): Convert => {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.ENUM:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return as
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return (value) => integer(as<bigint>(value))
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return (value) => floatValue(as<number>(value))
    case DuckDBTypeId.DATE:
      return (value) => dateText(as<{ readonly days: number }>(value).days)
    case DuckDBTypeId.TIME:
      return (value) => clockText(as<{ readonly micros: bigint }>(value).micros)
    case DuckDBTypeId.TIMESTAMP:
      return (value) => instantText(as<{ readonly micros: bigint }>(value).micros, "")
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => instantText(as<{ readonly micros: bigint }>(value).micros, "Z")
    case DuckDBTypeId.BLOB:
      return (value) => Buffer.from(as<{ readonly bytes: Uint8Array }>(value).bytes).toString("base64")
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return list(converter(valueTypeOf(type)))
    case DuckDBTypeId.STRUCT:
      return struct(type)
    case DuckDBTypeId.MAP:
      return map(type)
    default:
      // decimals, UUIDs, intervals, bits, other times: exact as their own texts
      return String
  }
}
