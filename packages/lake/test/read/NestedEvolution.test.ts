/** Structs, lists and maps whose inside was changed: rows of every age read as the schema in force has them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import type { SchemaChange } from "../../src/spec/SchemaChange.ts"
import type { NestedField, Type } from "../../src/spec/Type.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { updateSchema } from "../../src/write/TableAction.ts"
import { layerLake, load, table } from "../write/change/ChangeFixture.ts"

const field = (id: number, name: string, type: Type): NestedField => ({ id, name, required: false, type })
const int: Type = { _tag: "int" }

const nested: ReadonlyArray<NestedField> = [
  field(1, "id", int),
  field(2, "at", { _tag: "struct", fields: [field(3, "lat", { _tag: "float" }), field(4, "lon", { _tag: "float" })] }),
  field(5, "tags", {
    _tag: "list",
    elementId: 6,
    elementRequired: false,
    element: { _tag: "struct", fields: [field(7, "k", { _tag: "string" }), field(8, "n", int)] }
  }),
  field(9, "map", {
    _tag: "map",
    keyId: 10,
    key: { _tag: "string" },
    valueId: 11,
    valueRequired: false,
    value: { _tag: "struct", fields: [field(12, "v", int)] }
  })
]

const evolve = (...changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table, actions: () => Effect.succeed([updateSchema(...changes)]) })

const query = 'SELECT id, "at", tags, "map" FROM t ORDER BY id'

describe("nested columns that were changed", () => {
  it.live("read by field id at every depth, now and in the past, also after compaction", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* catalog.createTable({
        identifier: table,
        schema: { schemaId: 0, identifierFieldIds: [], fields: nested }
      })
      yield* appendRows(
        table,
        `SELECT 1 AS id, {lat: 1.5, lon: 2.5} AS "at", [{k: 'a', n: 1}, NULL] AS tags, MAP {'x': {v: 10}} AS "map"
         UNION ALL SELECT 2, NULL, NULL, NULL UNION ALL SELECT 3, {lat: NULL, lon: 4.0}, [], MAP {}`
      )
      const before = currentSnapshot((yield* load).metadata)!.snapshotId
      yield* evolve(
        { _tag: "RenameColumn", column: "at.lat", name: "latitude" },
        { _tag: "AddColumn", parent: "at", name: "alt", type: int },
        { _tag: "WidenColumn", column: "at.lon", type: { _tag: "double" } },
        { _tag: "RenameColumn", column: "tags.element.k", name: "key" },
        { _tag: "WidenColumn", column: "tags.element.n", type: { _tag: "long" } },
        { _tag: "DropColumn", column: "map.value.v" },
        { _tag: "AddColumn", parent: "map", name: "v", type: { _tag: "string" } },
        { _tag: "RenameColumn", column: "id", name: "old" },
        { _tag: "RenameColumn", column: "old", name: "id" }
      )
      yield* appendRows(
        table,
        `SELECT 4 AS id, {latitude: 9.5, lon: 8.5, alt: 7} AS "at", [{key: 'b', n: 5000000000}] AS tags, MAP {'y': {v: 'text'}} AS "map"`
      )
      const expected = [
        {
          id: 1,
          at: { latitude: 1.5, lon: 2.5, alt: null },
          tags: [{ key: "a", n: "1" }, null],
          map: [{ key: "x", value: { v: null } }]
        },
        { id: 2, at: null, tags: null, map: null },
        { id: 3, at: { latitude: null, lon: 4, alt: null }, tags: [], map: [] },
        {
          id: 4,
          at: { latitude: 9.5, lon: 8.5, alt: 7 },
          tags: [{ key: "b", n: "5000000000" }],
          map: [{ key: "y", value: { v: "text" } }]
        }
      ]
      const read = Effect.map(
        Effect.flatMap(load, (loaded) => readTable(loaded, { query })),
        ({ rows }) => rows
      )
      assert.deepStrictEqual<unknown>(yield* read, expected)
      const past = yield* readTable(yield* load, {
        asOf: { _tag: "SnapshotId", snapshotId: before },
        query: 'SELECT id, "at" FROM t ORDER BY id'
      })
      assert.deepStrictEqual<unknown>(past.rows, [
        { id: 1, at: { lat: 1.5, lon: 2.5 } },
        { id: 2, at: null },
        { id: 3, at: { lat: null, lon: 4 } }
      ])
      yield* compactTable(table, { inputFilesMin: 2 })
      const compacted = yield* readTable(yield* load, { query })
      assert.lengthOf(compacted.plan.entries, 1)
      assert.deepStrictEqual<unknown>(compacted.rows, expected)
    }).pipe(Effect.provide(layerLake))
  )
})
