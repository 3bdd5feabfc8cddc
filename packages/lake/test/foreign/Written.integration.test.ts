/**
 * What PyIceberg writes, read here: tables of every type, with columns that changed and with partitions, whole and by filters that
 * leave partitions out. Rows must be those that its own reader gives.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { canonicalRows } from "./Canonical.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { readHere } from "./ReadHere.ts"

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
const Tables = Schema.Record(Schema.String, Rows)

interface Asked {
  readonly filter: Filter
  readonly where: string
  /** The same of a value as its reader spells it. */
  readonly has: (value: unknown) => boolean
}

/** What its tables are divided by: values of columns, as its other transforms need its Rust half; and what is asked of them. */
const divisions: Readonly<Record<string, { readonly column: string; readonly asked: ReadonlyArray<Asked> }>> = {
  text: {
    column: "name",
    asked: [
      {
        filter: { _tag: "Compare", column: "name", operator: "=", value: "n1é/ 1" },
        where: "name = 'n1é/ 1'",
        has: (value) => value === "n1é/ 1"
      },
      { filter: { _tag: "IsNull", column: "name" }, where: "name IS NULL", has: (value) => value === null }
    ]
  },
  date: {
    column: "day",
    asked: [
      {
        filter: { _tag: "Compare", column: "day", operator: "<", value: 0 },
        where: "day < DATE '1970-01-01'",
        has: (value) => value !== null && Number(value) < 0
      },
      { filter: { _tag: "IsNull", column: "day" }, where: "day IS NULL", has: (value) => value === null }
    ]
  },
  decimal: {
    column: "amount",
    asked: [
      {
        filter: { _tag: "Compare", column: "amount", operator: ">=", value: 325n },
        where: "amount >= 3.25",
        has: (value) => Number(value) >= 3.25
      }
    ]
  }
}

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
        assert.strictEqual(Object.keys(theirs).length, 2 + Object.keys(divisions).length)
        for (const [table, rows] of Object.entries(theirs)) {
          const [namespace = "", name = ""] = table.split(".")
          const ours = yield* readHere(namespace, name)
          assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, rows), table)
          assert.isAbove(ours.rows.length, 1)
        }
        for (const [division, { asked, column }] of Object.entries(divisions)) {
          yield* checkDivision(`by_${division}`, theirs[`written.by_${division}`]!, column, asked)
        }
      }).pipe(Effect.provide(layerAt(path)))
    }).pipe(Effect.scoped)
  )
})

/** It has several partitions, and each filter gives its rows from some of its files. */
const checkDivision = Effect.fnUntraced(function* (
  name: string,
  theirs: typeof Rows.Type,
  column: string,
  asked: ReadonlyArray<Asked>
) {
  const all = yield* readHere("written", name)
  assert.strictEqual(all.rows.length, 15, name)
  assert.isAbove(all.partitions, 2, name)
  for (const { filter, has, where } of asked) {
    const found = yield* readHere("written", name, { filter, where })
    const expected = theirs.filter((row) => has(row[column]))
    assert.isAbove(expected.length, 0, `${name}: ${where}`)
    assert.deepStrictEqual(found.rows, canonicalRows(all.schema, expected), `${name}: ${where}`)
    assert.isBelow(found.files, all.files, `${name}: ${where}`)
  }
})
