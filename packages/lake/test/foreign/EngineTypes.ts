/** Which types engines say that our columns have: as each prints them, in the table's order. */
import { assert } from "@effect/vitest"
import type { Engine, EngineRows, Question } from "./EngineSweep.ts"
import type { Dialect } from "./Sweep.ts"

type Asked = Exclude<Dialect, "duckdb">
type Columns = Readonly<Record<string, string>>

const spark: Columns = {
  id: "bigint",
  c_boolean: "boolean",
  c_int: "int",
  c_long: "bigint",
  c_float: "float",
  c_double: "double",
  c_decimal9: "decimal(9,2)",
  c_decimal18: "decimal(18,4)",
  c_decimal38: "decimal(38,10)",
  c_date: "date",
  c_timestamp: "timestamp_ntz",
  c_timestamptz: "timestamp",
  c_string: "string",
  c_uuid: "string",
  c_binary: "binary",
  c_fixed: "binary",
  n_struct: "struct<whole:int,text:string,inner:struct<at:timestamp>>",
  n_list: "array<decimal(12,2)>",
  n_map: "map<string,bigint>",
  n_deep: "array<struct<name:string,tags:map<string,array<date>>>>"
}

const flink: Columns = {
  id: "BIGINT NOT NULL",
  c_boolean: "BOOLEAN",
  c_int: "INT",
  c_long: "BIGINT",
  c_float: "FLOAT",
  c_double: "DOUBLE",
  c_decimal9: "DECIMAL(9, 2)",
  c_decimal18: "DECIMAL(18, 4)",
  c_decimal38: "DECIMAL(38, 10)",
  c_date: "DATE",
  c_timestamp: "TIMESTAMP(6)",
  c_timestamptz: "TIMESTAMP_LTZ(6)",
  c_string: "STRING",
  c_uuid: "BINARY(16)",
  c_binary: "BYTES",
  c_fixed: "BINARY(18)",
  n_struct: "ROW<`whole` INT, `text` STRING, `inner` ROW<`at` TIMESTAMP_LTZ(6)>>",
  n_list: "ARRAY<DECIMAL(12, 2)>",
  n_map: "MAP<STRING NOT NULL, BIGINT>",
  n_deep: "ARRAY<ROW<`name` STRING, `tags` MAP<STRING NOT NULL, ARRAY<DATE>>>>"
}

const trino: Columns = {
  id: "bigint",
  c_boolean: "boolean",
  c_int: "integer",
  c_long: "bigint",
  c_float: "real",
  c_double: "double",
  c_decimal9: "decimal(9,2)",
  c_decimal18: "decimal(18,4)",
  c_decimal38: "decimal(38,10)",
  c_date: "date",
  c_time: "time(6)",
  c_timestamp: "timestamp(6)",
  c_timestamptz: "timestamp(6) with time zone",
  c_string: "varchar",
  c_uuid: "uuid",
  c_binary: "varbinary",
  c_fixed: "varbinary",
  n_struct: "row(whole integer, text varchar, inner row(at timestamp(6) with time zone))",
  n_list: "array(decimal(12,2))",
  n_map: "map(varchar, bigint)",
  n_deep: "array(row(name varchar, tags map(varchar, array(date))))"
}

const evolved: Readonly<Record<Asked, Columns>> = {
  spark: {
    c: "decimal(20,2)",
    id: "bigint",
    a: "bigint",
    b: "double",
    s: "struct<z:boolean,ex:bigint,y:string>",
    l: "array<struct<p:bigint,qq:string>>",
    m: "map<string,struct<ar:double,t:string,u:int>>",
    e: "date",
    d: "string"
  },
  flink: {
    c: "DECIMAL(20, 2)",
    id: "BIGINT NOT NULL",
    a: "BIGINT",
    b: "DOUBLE",
    s: "ROW<`z` BOOLEAN, `ex` BIGINT, `y` STRING>",
    l: "ARRAY<ROW<`p` BIGINT, `qq` STRING>>",
    m: "MAP<STRING NOT NULL, ROW<`ar` DOUBLE, `t` STRING, `u` INT>>",
    e: "DATE",
    d: "STRING"
  },
  trino: {
    c: "decimal(20,2)",
    id: "bigint",
    a: "bigint",
    b: "double",
    s: "row(z boolean, ex bigint, y varchar)",
    l: "array(row(p bigint, qq varchar))",
    m: "map(varchar, row(ar double, t varchar, u integer))",
    e: "date",
    d: "varchar"
  }
}

const describe = (dialect: Asked, table: string, columns: Columns): string => {
  if (dialect !== "flink") return `DESCRIBE ${table}`
  const types = Object.keys(columns).map((name) => `TYPEOF(${name}) AS ${name}`)
  return `SELECT ${types.join(", ")} FROM ${table} WHERE id = 1`
}

const said: Readonly<Record<Asked, (rows: EngineRows) => ReadonlyArray<readonly [unknown, unknown]>>> = {
  // what comes after the columns are the partition's, below a line that begins with #
  spark: (rows) => {
    const all = rows.map((row) => [row["col_name"], row["data_type"]] as const)
    const end = all.findIndex(([name]) => typeof name !== "string" || name === "" || name.startsWith("#"))
    return end === -1 ? all : all.slice(0, end)
  },
  flink: ([row]) => Object.entries(row ?? {}),
  // names within rows stand in quotes where they are words of its own
  trino: (rows) => rows.map((row) => [row["Column"], String(row["Type"]).replaceAll('"', "")] as const)
}

/** Columns of the table called `truncated`, and of the one whose columns changed. */
export const typeNamesQuestion = ({ dialect, prefix }: Engine): Question => {
  if (dialect === "duckdb") throw new Error("DuckDB's reader is not asked in SQL")
  const asked = [
    ["truncated", { spark, flink, trino }[dialect]],
    ["evolved", evolved[dialect]]
  ] as const
  return {
    queries: asked.map(([name, columns]) => describe(dialect, `${prefix}types.${name}`, columns)),
    check: (answers) =>
      asked.forEach(([name, columns], i) =>
        assert.deepStrictEqual(said[dialect](answers[i]!), Object.entries(columns), `types of ${name}`)
      )
  }
}
