/**
 * Orders rows by several columns at once: along a Z-order curve, so that a filter on any of them meets few files.
 *
 * A column's values are divided into 256 ranks of equally many rows, whatever their type and skew; the bits of the ranks,
 * interleaved, are what rows are sorted by. Compaction calls it where a table declares `write.z-order.columns`. **Guarantee**: the
 * order is a function of the rows. **Bounds**: 1 to 7 columns; ranks are told from a sample of about 100,000 rows; text counts by
 * its first 32 characters, bytes by their first 32.
 */
import { Effect, Result } from "effect"
import { type DuckDbConnection, sqlName } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import { LakeError } from "../LakeError.ts"
import { duckDbType } from "../read/RelationFiles.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import type { TableSchema } from "../spec/Schema.ts"
import { isPrimitive, type NestedField } from "../spec/Type.ts"

/** Names of columns, separated by commas. */
const zOrderProperty = "write.z-order.columns"

const rankBits = 8
const ranks = 2 ** rankBits
/** Their ranks fill a BIGINT without its sign. */
const columnsMax = 7
const sampleRows = 100_000
const textCharactersMax = 32

/** The columns that a table's files are ordered by; none: it declares none. Invalid when they cannot be ordered by. */
export const zOrderOf = (
  metadata: TableMetadata,
  schema: TableSchema
): Result.Result<ReadonlyArray<NestedField>, LakeError> => {
  const text = metadata.properties.get(zOrderProperty) ?? ""
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
  const fields = names.flatMap((name) => schema.fields.find((field) => field.name === name) ?? [])
  const ordered = fields.filter(({ type }) => isPrimitive(type))
  if (ordered.length === names.length && new Set(names).size === names.length && names.length <= columnsMax) {
    return Result.succeed(ordered)
  }
  return Result.fail(
    new LakeError({
      reason: "Invalid",
      message: `table ${metadata.location}: ${zOrderProperty} = "${text}": it takes up to ${columnsMax} different columns of the table that are not nested`
    })
  )
}

/** What is compared: values of any length by their beginning, which sorts as they do. */
const comparable = ({ name, type }: NestedField): string => {
  const column = sqlName(name)
  switch (type._tag) {
    case "string":
      return `left(${column}, ${textCharactersMax})`
    case "binary":
    case "fixed":
      return `left(hex(${column}), ${2 * textCharactersMax})`
    default:
      return column
  }
}

/** Bounds come as text that any type can be read from; text itself comes in hexadecimal digits, whatever is in it. */
const boundText = ({ type }: NestedField, bound: string): string =>
  type._tag === "string" ? `hex(encode(${bound}))` : `${bound}::VARCHAR`

const boundLiteral = ({ type }: NestedField, text: string): string => {
  if (type._tag === "string") return `decode(from_hex('${text}'))`
  if (type._tag === "binary" || type._tag === "fixed") return `'${text}'`
  return `'${text}'::${duckDbType(type)}`
}

/** The rank's bits at their places among those of all columns. */
const spread = (rank: number, column: number, columns: number): bigint => {
  let bits = 0n
  for (let bit = 0; bit < rankBits; bit++) {
    if ((rank >> bit) & 1) bits |= 1n << BigInt(bit * columns + (columns - 1 - column))
  }
  return bits
}

/** A search among ascending bounds, as nested CASEs: a rank is the number of bounds below the value. */
const searchSql = (value: string, bounds: ReadonlyArray<string>, leaf: (rank: number) => bigint): string => {
  const search = (from: number, to: number): string => {
    if (from === to) return String(leaf(from))
    const middle = (from + to) >> 1
    return `CASE WHEN ${value} <= ${bounds[middle]} THEN ${search(from, middle)} ELSE ${search(middle + 1, to)} END`
  }
  return `CASE WHEN ${value} IS NULL THEN 0 ELSE ${search(0, bounds.length)} END`
}

/** ORDER BY of the rows of `select`, of which there are `rows`; DuckDB is asked for the ranks' bounds. */
export const zOrderBy = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  select: string,
  fields: ReadonlyArray<NestedField>,
  rows: number
): Effect.fn.Return<string, DuckDbError> {
  const every = Math.max(1, Math.floor(rows / sampleRows))
  const hashed = fields.map(({ name }) => sqlName(name)).join(", ")
  const shares = Array.from({ length: ranks - 1 }, (_, i) => `${(i + 1) / ranks}`).join(", ")
  const ranked: Array<string> = []
  for (const [column, field] of fields.entries()) {
    const value = comparable(field)
    const sample = `SELECT ${value} AS x FROM (${select}) WHERE hash(${hashed}) % ${every} = 0`
    const reader = yield* connection.query(
      `SELECT ${boundText(field, "bound")} FROM (SELECT unnest(quantile_disc(x, [${shares}])) AS bound FROM (${sample}))`,
      "looking at values to order by"
    )
    const bounds = reader.getRows().map(([bound]) => boundLiteral(field, String(bound)))
    ranked.push(`(${searchSql(value, bounds, (rank) => spread(rank, column, fields.length))})`)
  }
  const ties = fields.map(({ name }) => `${sqlName(name)} NULLS FIRST`)
  return `ORDER BY ${[ranked.join(" + "), ...ties].join(", ")}`
})
