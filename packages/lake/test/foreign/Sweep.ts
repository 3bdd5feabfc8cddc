/**
 * A sweep of filters over the columns of every type, with the rows that each must give: worked out by places in lists of
 * values, by no reader. Written for each engine in its own words.
 */
import type { PrimitiveType } from "../../src/spec/Type.ts"
import { seeded } from "../write/parquet/WriterCases.ts"
import { placeOf, typeCases, type TypeCase, type TypesRow } from "./TypeCases.ts"

const comparisons = ["=", "<>", "<", "<=", ">", ">=", "not <"] as const
const sets = ["in", "not in"] as const
const nulls = ["is null", "is not null"] as const
const prefixes = ["starts with", "not starts with"] as const

export interface Probe {
  readonly column: string
  readonly type: PrimitiveType
  readonly operator: (typeof comparisons | typeof sets | typeof nulls | typeof prefixes)[number]
  readonly values: ReadonlyArray<string>
}

export const probeName = ({ column, operator, values }: Probe): string =>
  `${column} ${operator} ${JSON.stringify(values)}`

const compare = (operator: Probe["operator"], place: number, places: ReadonlyArray<number>): boolean => {
  const to = places[0]!
  switch (operator) {
    case "=":
      return place === to
    case "<>":
      return place !== to
    case "<":
      return place < to
    case "<=":
      return place <= to
    case ">":
      return place > to
    case ">=":
    case "not <":
      return place >= to
    case "in":
      return places.includes(place)
    default:
      return !places.includes(place)
  }
}

/**
 * Whether the row matches: of a null, nothing but "is null" is true, as SQL has it. PyIceberg's "not in" takes nulls too, as
 * Iceberg's own expressions do.
 */
export const matches = (reader: string, probe: Probe, row: TypesRow): boolean => {
  const found = typeCases.find(({ column }) => column === probe.column)!
  const place = placeOf(row, found)
  if (probe.operator === "is null") return place === null
  if (place === null) return reader === "pyiceberg" && probe.operator === "not in"
  if (probe.operator === "is not null") return true
  if (probe.operator === "starts with" || probe.operator === "not starts with") {
    const starts = found.values[place]!.startsWith(probe.values[0]!)
    return starts === (probe.operator === "starts with")
  }
  return compare(
    probe.operator,
    place,
    probe.values.map((value) => found.values.indexOf(value))
  )
}

const textPrefixes = [
  "",
  "a",
  "aaaaaaaaaaaaaaaa",
  "aaaaaaaaaaaaaaaab",
  "b%",
  "q",
  "zz",
  "é",
  "😀".repeat(16),
  "😀".repeat(17)
]

const probesOf = ({ column, type, values }: TypeCase): ReadonlyArray<Probe> => {
  const probe = (operator: Probe["operator"], ...of: ReadonlyArray<string>): Probe => ({
    column,
    type,
    operator,
    values: of
  })
  const pairs = values.map((value, i) => [value, values[(i + Math.ceil(values.length / 2)) % values.length]!] as const)
  return [
    ...nulls.map((operator) => probe(operator)),
    ...comparisons.flatMap((operator) => values.map((value) => probe(operator, value))),
    ...sets.flatMap((operator) => pairs.map((pair) => probe(operator, ...pair))),
    ...(type._tag === "string"
      ? prefixes.flatMap((operator) => textPrefixes.map((prefix) => probe(operator, prefix)))
      : [])
  ]
}

/** Every filter on the columns. */
export const sweep = (columns: (column: TypeCase) => boolean = () => true): ReadonlyArray<Probe> =>
  typeCases.filter(columns).flatMap(probesOf)

/** Of each column so many, chosen by the seed. */
export const sampled = (probes: ReadonlyArray<Probe>, each: number, seed: number): ReadonlyArray<Probe> => {
  const below = seeded(seed)
  return Array.from(Map.groupBy(probes, ({ column }) => column).values()).flatMap((group) => {
    const left = [...group]
    return Array.from({ length: Math.min(each, left.length) }, () => left.splice(below(left.length), 1)[0]!)
  })
}

export type Dialect = "duckdb" | "spark" | "flink" | "trino"

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Spark takes a backslash in text for an escape, and two quotes for nothing. */
const sparkText = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`

const sqlTypes: Readonly<Record<Dialect, Readonly<Partial<Record<PrimitiveType["_tag"], string>>>>> = {
  duckdb: { long: "BIGINT", float: "FLOAT", string: "VARCHAR", timestamptz: "TIMESTAMP WITH TIME ZONE" },
  spark: {
    long: "BIGINT",
    float: "FLOAT",
    string: "STRING",
    uuid: "STRING",
    timestamp: "TIMESTAMP_NTZ",
    timestamptz: "TIMESTAMP"
  },
  flink: {
    long: "BIGINT",
    float: "FLOAT",
    string: "STRING",
    time: "TIME",
    timestamp: "TIMESTAMP(6)",
    timestamptz: "TIMESTAMP_LTZ(6)"
  },
  trino: {
    long: "BIGINT",
    float: "REAL",
    string: "VARCHAR",
    time: "TIME(6)",
    timestamp: "TIMESTAMP(6)",
    timestamptz: "TIMESTAMP(6) WITH TIME ZONE"
  }
}

/** What says of text that it is in UTC. */
const utc: Readonly<Record<Dialect, string>> = { duckdb: "+00", spark: "+00", flink: "", trino: " UTC" }

const sqlTypeOf = (dialect: Dialect, type: PrimitiveType): string =>
  type._tag === "decimal"
    ? `DECIMAL(${type.precision}, ${type.scale})`
    : (sqlTypes[dialect][type._tag] ?? type._tag.toUpperCase())

/** A value as a literal of the engine. Moments are in UTC, whatever the session says. */
export const literalOf = (dialect: Dialect, type: PrimitiveType, text: string): string => {
  if (type._tag === "binary" || type._tag === "fixed")
    return dialect === "duckdb" ? `unhex(${quoted(text)})` : `X'${text}'`
  if (type._tag === "string") return dialect === "spark" ? sparkText(text) : quoted(text)
  const zone = type._tag === "timestamptz" ? utc[dialect] : ""
  return `CAST(${quoted(`${text}${zone}`)} AS ${sqlTypeOf(dialect, type)})`
}

/** The filter as an SQL condition. */
export const probeSql = (dialect: Dialect, { column, operator, type, values }: Probe): string => {
  const literals = values.map((value) => literalOf(dialect, type, value))
  switch (operator) {
    case "is null":
    case "is not null":
      return `${column} ${operator}`
    case "in":
    case "not in":
      return `${column} ${operator} (${literals.join(", ")})`
    case "not <":
      return `NOT (${column} < ${literals[0]})`
    case "starts with":
    case "not starts with": {
      const not = operator === "not starts with" ? "NOT " : ""
      return dialect === "spark"
        ? `${not}startswith(${column}, ${literals[0]})`
        : `${not}starts_with(${column}, ${literals[0]})`
    }
    default:
      return `${column} ${operator} ${literals[0]}`
  }
}
