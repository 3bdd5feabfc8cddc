/**
 * What PyIceberg writes, read here: tables of every type, with columns that changed and with partitions. Rows must be those that
 * its own reader gives.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { canonicalRows } from "./Canonical.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { readHere } from "./ReadHere.ts"

const Tables = Schema.Record(Schema.String, Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))

/** What its tables are divided by: values of columns, as its other transforms need its Rust half. */
const divisions = ["text", "date", "decimal"] as const

describe("tables of PyIceberg", () => {
  it.live("read here as there: every type, changed columns, partitions, deletes", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* Effect.gen(function* () {
        // makes the catalog's tables
        yield* (yield* Catalog).listTables("written").pipe(Effect.ignore)
        const theirs = yield* runPython("foreign_writers.py", {
          catalogName: "frazil",
          catalogFile: join(path, "catalog.db"),
          warehouse: `file://${path}/warehouse`
        }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Tables)))
        assert.strictEqual(Object.keys(theirs).length, 2 + divisions.length)
        for (const [table, rows] of Object.entries(theirs)) {
          const [namespace = "", name = ""] = table.split(".")
          const ours = yield* readHere(namespace, name)
          assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, rows), table)
          assert.isAbove(ours.rows.length, 1)
        }
        for (const division of divisions) {
          assert.strictEqual((yield* readHere("written", `by_${division}`)).rows.length, 15, division)
        }
      }).pipe(Effect.provide(layerAt(path)))
    }).pipe(Effect.scoped)
  )
})
