/** Default values as the specification's examples write them: what rows without the column then have. */
import { tmpdir } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { initialDefaultSql } from "../../src/read/DefaultSql.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"
import { vectorRows, vectors } from "../spec/Vectors.ts"

/** The value as the vectors say what it means. */
const meaning: Readonly<Record<string, (sql: string) => string>> = {
  date: (sql) => `date_diff('day', DATE '1970-01-01', ${sql})`,
  time: (sql) => `epoch_us(${sql})`,
  timestamp: (sql) => `epoch_us(${sql})`,
  timestamptz: (sql) => `epoch_us(${sql})`,
  decimal: (sql) => `replace(${sql}::VARCHAR, '.', '')`,
  fixed: (sql) => `lower(hex(${sql}))`,
  binary: (sql) => `lower(hex(${sql}))`
}

describe("default values", () => {
  it.live("mean what the specification's examples mean", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* (yield* DuckDb).connect
        const rows = vectorRows(vectors("json.json"), "read").filter(([, , expected]) => expected !== undefined)
        assert.isAbove(rows.length, 15)
        for (const [text, value, expected] of rows) {
          const type = primitiveFromText(String(text), "vector")
          const sql = initialDefaultSql({ type, initialDefault: value! })
          const reader = yield* connection.query(`SELECT (${meaning[type._tag]!(sql)})::VARCHAR`, "a default value")
          assert.deepStrictEqual(reader.getRows()[0], [String(expected)], `${String(text)} ${String(value)}`)
        }
      })
    ).pipe(Effect.provide(DuckDb.layer({ dataDirectory: tmpdir() })))
  )
})
