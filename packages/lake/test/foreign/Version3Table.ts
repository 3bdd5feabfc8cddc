/**
 * A table of what format version 3 added to types and fields: nanoseconds, defaults of rows that
 * were there and of rows that leave a field out; and its rows as readers must give them, worked out by hand.
 */
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { SchemaChange } from "../../src/spec/SchemaChange.ts"
import type { NestedField } from "../../src/spec/Type.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { updateSchema } from "../../src/write/TableAction.ts"
import { namespace } from "./TypesTable.ts"

/** At the end. */
export const version3Fields: ReadonlyArray<NestedField> = [
  { id: 1, name: "id", required: true, type: { _tag: "int" } },
  { id: 2, name: "at", required: false, type: { _tag: "timestamp_ns" } },
  { id: 3, name: "n", required: true, type: { _tag: "int" } },
  { id: 4, name: "word", required: false, type: { _tag: "string" } },
  { id: 5, name: "day", required: false, type: { _tag: "date" } }
]

export const version3Name = "version3"

const table = { namespace, name: version3Name }

const evolve = (...changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table, actions: () => Effect.succeed([updateSchema(...changes)]) })

export const writeVersion3 = Effect.gen(function* () {
  yield* (yield* Catalog).createTable({
    identifier: table,
    properties: new Map([["format-version", "3"]]),
    schema: {
      schemaId: 0,
      identifierFieldIds: [],
      fields: version3Fields.slice(0, 2)
    }
  })
  yield* appendRows(
    table,
    "SELECT 1 AS id, TIMESTAMP_NS '2026-01-02 03:04:05.000006007' AS at UNION ALL SELECT 2, NULL"
  )
  yield* evolve(
    { _tag: "AddColumn", name: "n", type: { _tag: "int" }, defaultValue: 7, required: true },
    { _tag: "AddColumn", name: "word", type: { _tag: "string" }, defaultValue: "old" },
    { _tag: "AddColumn", name: "day", type: { _tag: "date" }, defaultValue: "2026-01-01" }
  )
  yield* evolve({ _tag: "ChangeDefault", column: "word", defaultValue: "new" })
  yield* appendRows(
    table,
    "SELECT 3 AS id, TIMESTAMP_NS '1969-12-31 23:59:59.999999999' AS at, DATE '2026-01-02' AS day"
  )
})

export const version3Rows = [
  { id: "1", at: "1767323045000006007", n: "7", word: "old", day: "20454" },
  { id: "2", at: null, n: "7", word: "old", day: "20454" },
  { id: "3", at: "-1", n: "7", word: "new", day: "20455" }
]
