/** What incremental reads say of lines that are not whole, and how rows of older schemas come. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import type { UpdatesBy } from "../../../src/read/incremental/ChangesRelation.ts"
import { readAppends, readChanges } from "../../../src/read/incremental/ReadIncremental.ts"
import { currentSnapshot } from "../../../src/spec/TableMetadata.ts"
import { appendRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { removeSnapshots, rollback, updateSchema } from "../../../src/write/TableAction.ts"
import { createAccounts, layerLake, load, rowsSql, schema, table } from "../../write/change/ChangeFixture.ts"

const head = Effect.map(load, ({ metadata }) => currentSnapshot(metadata)!.snapshotId)

const appendOne = (id: number) => Effect.andThen(appendRows(table, rowsSql([{ id, country: "DE", cents: id }])), head)

describe("incremental reads", () => {
  it.live("say which snapshot is not in the line, or has expired", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      const ids = yield* Effect.forEach([1, 2, 3], appendOne)
      yield* commitTable({ table, actions: () => Effect.succeed([rollback(ids[1]!)]) })
      const fourth = yield* appendOne(4)
      const off = yield* Effect.flip(readAppends(yield* load, { fromSnapshotId: ids[2]! }))
      assert.deepInclude(off, { reason: "SnapshotMissing" })
      assert.include(off.message, `snapshot ${ids[2]} is no ancestor of ${fourth}`)
      yield* commitTable({ table, actions: () => Effect.succeed([removeSnapshots([ids[0]!])]) })
      const loaded = yield* load
      const whole = yield* Effect.flip(readAppends(loaded))
      assert.include(whole.message, `snapshots before ${ids[1]} have expired`)
      const unknown = yield* Effect.flip(readChanges(loaded, { fromSnapshotId: 42n }))
      assert.include(unknown.message, "snapshot 42 never was, or it has expired")
      // the one to begin after may be gone: what came is in the next, but what it did cannot be told
      const since = yield* readAppends(loaded, { fromSnapshotId: ids[0]!, query: "SELECT id FROM t ORDER BY id" })
      assert.deepStrictEqual(since, [{ id: "2" }, { id: "4" }])
      const changes = yield* Effect.flip(readChanges(loaded, { fromSnapshotId: ids[0]! }))
      assert.include(changes.message, `begin after ${ids[1]}`)
      const none = yield* readChanges(loaded, { fromSnapshotId: fourth })
      assert.deepStrictEqual(none, [])
      const typed = yield* readChanges(loaded, { fromSnapshotId: fourth, query: "SELECT count(balance) AS n FROM t" })
      assert.deepStrictEqual(typed, [{ n: "0" }])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("read every snapshot with the schema of the last", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendOne(1)
      const changes = [
        updateSchema(
          { _tag: "RenameColumn", column: "country", name: "land" },
          {
            _tag: "AddColumn",
            name: "tags",
            type: { _tag: "list", elementId: 1, elementRequired: false, element: { _tag: "string" } }
          }
        )
      ]
      yield* commitTable({ table, actions: () => Effect.succeed(changes) })
      yield* appendRows(table, "SELECT 2::BIGINT AS id, 'FR' AS land, 0.5 AS balance, ['a', NULL] AS tags")
      yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 1n })
      const rows = yield* readChanges(yield* load, {
        query: "SELECT _change_ordinal AS at, _change_type AS type, id, land, balance, tags FROM t ORDER BY 1, 2"
      })
      const first = { id: "1", land: "DE", balance: "0.01", tags: null }
      assert.deepStrictEqual(rows, [
        { at: 0, type: "INSERT", ...first },
        { at: 1, type: "INSERT", id: "2", land: "FR", balance: "0.50", tags: ["a", null] },
        { at: 2, type: "DELETE", ...first }
      ])
    }).pipe(Effect.provide(layerLake))
  )

  for (const mode of ["copy-on-write", "merge-on-read"]) {
    it.live(`tell rows that were changed by their identifiers, as Spark's changelog view does, ${mode}`, () =>
      Effect.gen(function* () {
        const properties = new Map(["write.merge.mode", "write.delete.mode"].map((name) => [name, mode] as const))
        const identified = { ...schema, identifierFieldIds: [1] }
        yield* Catalog.use((catalog) => catalog.createTable({ identifier: table, schema: identified, properties }))
        const account = (id: number, cents: number) => ({ id, country: "DE", cents })
        yield* appendRows(table, rowsSql([1, 2, 3, 4].map((id) => account(id, 100))))
        // 1 is changed, 2 is put in as it was, 5 is new
        yield* upsertRows(table, ["id"], rowsSql([account(1, 200), account(2, 100), account(5, 100)]))
        yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 3n })
        const query = "SELECT concat_ws(' ', _change_ordinal, _change_type, id, balance) AS line FROM t ORDER BY 1"
        const lines = (updates?: UpdatesBy) =>
          Effect.flatMap(load, (loaded) =>
            Effect.map(readChanges(loaded, { query, ...(updates === undefined ? {} : { updates }) }), (rows) =>
              rows.map(({ line }) => line)
            )
          )
        const inserted = [1, 2, 3, 4].map((id) => `0 INSERT ${id} 1.00`)
        const others = ["1 INSERT 5 1.00", "1 UPDATE_AFTER 1 2.00", "1 UPDATE_BEFORE 1 1.00", "2 DELETE 3 1.00"]
        assert.deepStrictEqual(yield* lines("identifier"), [...inserted, ...others])
        assert.deepStrictEqual(yield* lines(["id"]), [...inserted, ...others])
        assert.deepStrictEqual(yield* lines(), [
          ...inserted,
          "1 DELETE 1 1.00",
          "1 INSERT 1 2.00",
          "1 INSERT 5 1.00",
          "2 DELETE 3 1.00"
        ])
        const several = yield* Effect.flip(lines(["country"]))
        assert.match(several.message, /several rows of a snapshot have the same identifiers/)
        assert.match((yield* Effect.flip(lines(["land"]))).message, /land, which is no plain column/)
        assert.match((yield* Effect.flip(lines([]))).message, /name some/)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("refuse a table whose columns have the names of changes", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendOne(1)
      const loaded = yield* Catalog.use((catalog) => catalog.loadTable(table))
      const schemas = loaded.metadata.schemas.map((schema) => ({
        ...schema,
        fields: schema.fields.map((field) => (field.name === "country" ? { ...field, name: "_change_type" } : field))
      }))
      const error = yield* Effect.flip(readChanges({ ...loaded, metadata: { ...loaded.metadata, schemas } }))
      assert.strictEqual(error.reason, "Unsupported")
    }).pipe(Effect.provide(layerLake))
  )
})
