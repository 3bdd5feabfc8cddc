/**
 * Partition transforms in DuckDB's SQL (specification, "Partition Transforms"): the same values as `spec/Transform.ts`, which a
 * test holds it against. Pure.
 */
import { sqlName } from "../../io/DuckDb.ts"
import type { BoundPartitionField } from "../../spec/PartitionSpec.ts"
import { fieldsById, type TableSchema } from "../../spec/Schema.ts"
import type { PrimitiveType } from "../../spec/Type.ts"

const mask = "4294967295::UBIGINT"

/** x * y modulo 2^32, of two numbers below 2^32. */
const multiplied = (x: string, y: number): string =>
  `((${x})::UHUGEINT * ${y}::UHUGEINT & 4294967295::UHUGEINT)::UBIGINT`

const rotated = (x: string, bits: number): string =>
  `(((((${x}) << ${bits}) & ${mask}) | ((${x}) >> ${32 - bits})) & ${mask})`

const mixedKey = (word: string): string => multiplied(rotated(multiplied(word, 0xcc9e2d51), 15), 0x1b873593)

const nextHash = (hash: string, word: string): string =>
  `((${multiplied(rotated(`xor(${hash}, ${mixedKey(word)})`, 13), 5)} + 3864292196::UBIGINT) & ${mask})`

/** The steps are lambdas over lists, so that no expression is written out twice. */
const chained = (start: string, ...steps: ReadonlyArray<(x: string) => string>): string =>
  steps.reduce((value, step) => `list_transform([${value}], lambda x: ${step("x")})[1]`, start)

const avalanche = (hash: string, length: string): string =>
  chained(
    `xor(${hash}, (${length})::UBIGINT)`,
    (x) => multiplied(`xor(${x}, ${x} >> 16)`, 0x85ebca6b),
    (x) => multiplied(`xor(${x}, ${x} >> 13)`, 0xc2b2ae35),
    (x) => `xor(${x}, ${x} >> 16)`
  )

/** Murmur3 of a list of little-endian words, the bytes left over as one word (0 for none), and the length in bytes. */
const murmur3Sql = (words: string, tail: string, length: string): string => {
  const body = `list_reduce(list_prepend(0::UBIGINT, ${words}), lambda h, w: ${nextHash("h", "w")})`
  return avalanche(`xor(${body}, ${mixedKey(tail)})`, length)
}

/** The 32-bit hash of an integer that is hashed as eight bytes. */
const longHash = (value: string): string => {
  const unsigned = `(CASE WHEN ${value} < 0 THEN (${value})::HUGEINT + 18446744073709551616::HUGEINT ELSE (${value})::HUGEINT END)::UBIGINT`
  return chained(unsigned, (x) => murmur3Sql(`[${x} & ${mask}, ${x} >> 32]`, "0::UBIGINT", "8"))
}

/** The same of bytes, given as an expression of their lower-case hexadecimal text. */
const hexHash = (hex: string): string =>
  chained(hex, (x) => {
    const byte = (at: string) => `('0x' || substr(${x}, 2 * (${at}) + 1, 2))::UBIGINT`
    const length = `(len(${x}) // 2)`
    const word = (at: string) =>
      `(${byte(at)} | (${byte(`${at} + 1`)} << 8) | (${byte(`${at} + 2`)} << 16) | (${byte(`${at} + 3`)} << 24))`
    const words = `list_transform(range(${length} // 4), lambda i: ${word("4 * i")})`
    const left = (i: number) =>
      `(CASE WHEN ${length} % 4 > ${i} THEN ${byte(`${length} // 4 * 4 + ${i}`)} << ${8 * i} ELSE 0::UBIGINT END)`
    return murmur3Sql(`${words}::UBIGINT[]`, `(${left(0)} | ${left(1)} | ${left(2)})`, length)
  })

/** The hexadecimal text of a decimal's unscaled value: two's complement, big-endian, in the least number of bytes. */
const unscaledHex = (value: string): string =>
  chained(`replace(${value}::VARCHAR, '.', '')::HUGEINT`, (x) => {
    const negative = `hex(340282366920938463463374607431768211455::UHUGEINT - (-1 - ${x})::UHUGEINT)`
    const positive = `lpad(hex(${x}::UHUGEINT), 32, '0')`
    // bytes that only repeat the sign are left out
    return `CASE WHEN ${x} < 0 THEN regexp_replace(lower(${negative}), '^(ff)*([89a-f].)', '\\2') ELSE regexp_replace(lower(${positive}), '^(00)*([0-7].)', '\\2') END`
  })

/** `value` without what is left over below a multiple of `by`, divided by it: rounded down, in whole numbers. */
const floorDivided = (value: string, by: string): string =>
  `((${value} - ((${value} % ${by}) + ${by}) % ${by}) // ${by})`

/** Microseconds since 1970 of a timestamp. */
const microsSql = (type: PrimitiveType, value: string): string =>
  type._tag === "timestamp_ns" ? floorDivided(`epoch_ns(${value})`, "1000") : `epoch_us(${value})`

const hashSql = (type: PrimitiveType, value: string): string | undefined => {
  switch (type._tag) {
    case "int":
    case "long":
      return longHash(value)
    case "date":
      return longHash(`(${value} - DATE '1970-01-01')::BIGINT`)
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
      return longHash(microsSql(type, value))
    case "decimal":
      return hexHash(unscaledHex(value))
    case "string":
      return hexHash(`lower(hex(encode(${value})))`)
    case "binary":
    case "fixed":
      return hexHash(`lower(hex(${value}))`)
    case "uuid":
      return hexHash(`replace(${value}::VARCHAR, '-', '')`)
    default:
      return undefined
  }
}

const truncated = (type: PrimitiveType, value: string, width: number): string | undefined => {
  switch (type._tag) {
    case "int":
    case "long":
      return `(${value} - ((${value} % ${width}) + ${width}) % ${width})`
    case "string":
      return `array_to_string(list_slice(string_split(${value}, ''), 1, ${width}), '')`
    case "binary":
      return `unhex(substr(hex(${value}), 1, ${2 * width}))`
    case "decimal": {
      const by = `${width * 10 ** -type.scale}::DECIMAL(38, ${type.scale})`
      return `(${value} - ((${value} % ${by}) + ${by}) % ${by})::DECIMAL(${type.precision}, ${type.scale})`
    }
    default:
      return undefined
  }
}

/** A timestamp to the microsecond, in UTC. */
const utc = (type: PrimitiveType, value: string): string => {
  if (type._tag === "timestamp_ns") return `make_timestamp(${microsSql(type, value)})`
  return type._tag === "timestamptz" ? `(${value} AT TIME ZONE 'UTC')` : value
}

/** The partition value as an expression over the rows; TypeError for a transform of a type that is not divided in SQL. */
export const partitionValueSql = (field: BoundPartitionField, schema: TableSchema): string => {
  const source = fieldsById(schema).get(field.sourceId)
  const type = field.sourceType
  const unknown = () => new TypeError(`rows are not divided by ${field.name} here`)
  if (source === undefined || type === undefined) throw unknown()
  const value = source.path.map(sqlName).join(".")
  const { transform } = field
  switch (transform._tag) {
    case "identity":
      return value
    case "year":
      return `(year(${utc(type, value)}) - 1970)::INTEGER`
    case "month":
      return `((year(${utc(type, value)}) - 1970) * 12 + month(${utc(type, value)}) - 1)::INTEGER`
    case "day":
      return `${utc(type, value)}::DATE`
    case "hour":
      // a double does not hold every microsecond of later centuries
      return `${floorDivided(microsSql(type, value), "3600000000")}::INTEGER`
    case "truncate": {
      const text = truncated(type, value, transform.width)
      if (text === undefined) throw unknown()
      return text
    }
    case "bucket": {
      const hash = hashSql(type, value)
      if (hash === undefined) throw unknown()
      return `(CASE WHEN ${value} IS NULL THEN NULL ELSE ((${hash}) & 2147483647::UBIGINT) % ${transform.buckets} END)::INTEGER`
    }
    case "void":
    case "unknown":
      throw unknown()
  }
}
