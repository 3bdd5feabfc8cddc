/**
 * Tables of every type that Spark divided by every transform, and deleted rows of, read here: all rows, and filters on what
 * they are divided by.
 *
 * Spark is large: it runs only when FRAZIL_FOREIGN is `full`.
 */
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runSpark } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { checkDivided } from "./Theirs.ts"
import { typesSchema } from "./TypeCases.ts"
import { keptRows, metricsTables, writeTypes } from "./TypesTable.ts"

/** Its identifiers become text, and it has no time of day. */
const columns = typesSchema.fields.map(({ name }) => name).filter((name) => name !== "c_uuid" && name !== "c_time")

const divisions: ReadonlyArray<ReadonlyArray<string>> = [
  ["c_boolean", "bucket(3, c_int)"],
  ["truncate(10, c_int)", "bucket(4, c_long)"],
  ["truncate(1000, c_long)", "bucket(3, c_decimal9)"],
  // Java refuses to truncate the least decimal: it would need a digit more
  ["bucket(5, c_decimal38)", "bucket(3, c_decimal18)"],
  ["years(c_date)", "bucket(3, c_string)"],
  ["months(c_timestamp)", "bucket(4, c_timestamptz)"],
  ["days(c_timestamptz)", "bucket(3, c_timestamp)"],
  ["hours(c_timestamp)"],
  ["truncate(2, c_string)", "bucket(3, c_binary)"],
  ["c_string", "truncate(1, c_binary)"],
  ["c_float", "c_double"],
  ["c_decimal38", "c_date"],
  ["c_timestamptz", "bucket(2, c_date)"]
]

const gone = 7

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("tables of Spark", () => {
  it.live(
    "read here as written down, by filters too, whatever they are divided by",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        yield* Effect.gen(function* () {
          const [source] = metricsTables.filter(({ name }) => name === "truncated")
          yield* writeTypes(source!, ({ column }) => columns.includes(column))
          yield* runSpark(
            join(path, "catalog.db"),
            join(path, "warehouse"),
            divisions.flatMap((division, i) => [
              `CREATE TABLE frazil.types.by_${i} USING iceberg PARTITIONED BY (${division.join(", ")})
                TBLPROPERTIES ('write.delete.mode' = '${i % 2 === 0 ? "merge-on-read" : "copy-on-write"}') AS SELECT * FROM frazil.types.truncated`,
              `DELETE FROM frazil.types.by_${i} WHERE id = ${gone}`
            ])
          )
          const rows = keptRows.filter(({ id }) => id !== gone)
          for (const [i, division] of divisions.entries()) {
            yield* checkDivided({ namespace: "types", name: `by_${i}`, division, rows, columns, seed: i })
          }
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    1_800_000
  )
})
