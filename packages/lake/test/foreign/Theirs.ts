/**
 * The table of every type as another engine's SQL makes it, and filters as ours: so that what it wrote has to be read here as it
 * was written down, by a filter too.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Filter } from "../../src/read/Filter.ts"
import type { SingleValue } from "../../src/spec/SingleValue.ts"
import type { PrimitiveType } from "../../src/spec/Type.ts"
import { canonical } from "./Canonical.ts"
import { readHere } from "./ReadHere.ts"
import { literalOf, matches, probeName, probeSql, sampled, sweep, type Probe } from "./Sweep.ts"
import { placeOf, typeCases, type TypesRow } from "./TypeCases.ts"
import { expectedRows } from "./TypesTable.ts"

const trinoTypes: Readonly<Partial<Record<PrimitiveType["_tag"], string>>> = {
  int: "INTEGER",
  long: "BIGINT",
  float: "REAL",
  string: "VARCHAR",
  binary: "VARBINARY",
  fixed: "VARBINARY",
  time: "TIME(6)",
  timestamp: "TIMESTAMP(6)",
  timestamptz: "TIMESTAMP(6) WITH TIME ZONE"
}

const trinoType = (type: PrimitiveType): string =>
  type._tag === "decimal"
    ? `DECIMAL(${type.precision}, ${type.scale})`
    : (trinoTypes[type._tag] ?? type._tag.toUpperCase())

/** Nested columns of `nestedCases`, in the same order, in Trino's words. */
const trinoNested: ReadonlyArray<{
  readonly name: string
  readonly type: string
  readonly values: ReadonlyArray<string>
}> = [
  {
    name: "n_struct",
    type: 'ROW(whole INTEGER, text VARCHAR, "inner" ROW("at" TIMESTAMP(6) WITH TIME ZONE))',
    values: [
      "ROW(1, 'a', ROW(TIMESTAMP '2026-01-01 00:00:00.000001 UTC'))",
      "ROW(NULL, NULL, NULL)",
      "ROW(-7, '', ROW(NULL))",
      "NULL"
    ]
  },
  {
    name: "n_list",
    type: "ARRAY(DECIMAL(12, 2))",
    values: ["ARRAY[1.5, NULL, -9999999999.99]", "ARRAY[]", "ARRAY[NULL]", "NULL"]
  },
  {
    name: "n_map",
    type: "MAP(VARCHAR, BIGINT)",
    values: ["MAP(ARRAY['a', 'b'], ARRAY[4611686018427387904, NULL])", "MAP()", "MAP(ARRAY[''], ARRAY[0])", "NULL"]
  },
  {
    name: "n_deep",
    type: "ARRAY(ROW(name VARCHAR, tags MAP(VARCHAR, ARRAY(DATE))))",
    values: [
      "ARRAY[ROW('x', MAP(ARRAY['d'], ARRAY[ARRAY[DATE '2026-02-28', NULL]])), NULL]",
      "ARRAY[ROW(NULL, MAP())]",
      "ARRAY[ROW('y', NULL)]",
      "NULL"
    ]
  }
]

/** Columns of the table, for CREATE TABLE. */
export const trinoColumns: string = [
  "id BIGINT NOT NULL",
  ...typeCases.map(({ column, type }) => `${column} ${trinoType(type)}`),
  ...trinoNested.map(({ name, type }) => `${name} ${type}`)
].join(", ")

/** Rows for INSERT. */
export const trinoRows = (rows: ReadonlyArray<TypesRow>): string =>
  rows
    .map((row) => {
      const plain = typeCases.map((each) => {
        const place = placeOf(row, each)
        return place === null
          ? `CAST(NULL AS ${trinoType(each.type)})`
          : literalOf("trino", each.type, each.values[place]!)
      })
      const nested = trinoNested.map(({ type, values }) => `CAST(${values[row.nested]!} AS ${type})`)
      return `SELECT BIGINT '${row.id}', ${[...plain, ...nested].join(", ")}`
    })
    .join(" UNION ALL ")

const singleValue = (type: PrimitiveType, text: string): SingleValue => {
  const digits = String(canonical(type, text))
  switch (type._tag) {
    case "boolean":
      return digits === "true"
    case "int":
    case "date":
    case "float":
    case "double":
      return Number(digits)
    case "long":
    case "decimal":
    case "time":
    case "timestamp":
    case "timestamptz":
      return BigInt(digits)
    case "binary":
    case "fixed":
      return Uint8Array.from(Buffer.from(digits, "hex"))
    default:
      return text
  }
}

/** A probe as a filter of ours. */
const filterOf = ({ column, operator, type, values }: Probe): Filter => {
  const [first, ...others] = values.map((value) => singleValue(type, value))
  const negated = (filter: Filter): Filter => ({ _tag: "Not", filter })
  switch (operator) {
    case "is null":
      return { _tag: "IsNull", column }
    case "is not null":
      return { _tag: "NotNull", column }
    case "in":
      return { _tag: "In", column, values: [first!, ...others] }
    case "not in":
      return negated({ _tag: "In", column, values: [first!, ...others] })
    case "starts with":
      return { _tag: "StartsWith", column, prefix: values[0]! }
    case "not starts with":
      return negated({ _tag: "StartsWith", column, prefix: values[0]! })
    case "<>":
      return negated({ _tag: "Compare", column, operator: "=", value: first! })
    case "not <":
      return negated({ _tag: "Compare", column, operator: "<", value: first! })
    default:
      return { _tag: "Compare", column, operator, value: first! }
  }
}

/** A table of every type that its engine divided by columns (named in `division`): all rows, and those of filters on these columns. */
export const checkDivided = Effect.fnUntraced(function* (asked: {
  readonly namespace: string
  readonly name: string
  readonly division: ReadonlyArray<string>
  readonly rows: ReadonlyArray<TypesRow>
  readonly columns: ReadonlyArray<string>
  readonly seed: number
}) {
  const { columns, division, name, namespace, rows, seed } = asked
  const all = yield* readHere(namespace, name)
  assert.deepStrictEqual(all.rows, expectedRows(rows, "here", columns), name)
  const divided = new Set(division.map((each) => /c_\w+/.exec(each)![0]))
  const probes = sampled(
    sweep(({ column }) => divided.has(column)),
    12,
    seed
  )
  let filesLeftOut = 0
  for (const probe of probes) {
    const found = yield* readHere(namespace, name, { filter: filterOf(probe), where: probeSql("duckdb", probe) })
    const expected = rows.filter((row) => matches("duckdb", probe, row))
    assert.deepStrictEqual(found.rows, expectedRows(expected, "here", columns), `${name}: ${probeName(probe)}`)
    filesLeftOut += all.files - found.files
  }
  assert.isAbove(filesLeftOut, 0, `${name}: no file was left out by any filter`)
})
