import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Storage, layerMemory } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { Catalog, identifierFromText, identifierText } from "../../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { eventSchema, eventSpec } from "../LakeFixtures.ts"
import { createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-catalog-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const layerAt = (file: string) =>
  layerSqliteCatalog({ file, warehouse: "file:///warehouse" }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provideMerge(layerMemory)
  )

const messageOf = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? String(exit.cause) : "success")

describe("SqliteCatalog", () => {
  it.effect("makes, lists, loads and forgets tables", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const created = yield* createRaw
      const loaded = yield* loadRaw
      assert.deepStrictEqual(loaded, created)
      assert.strictEqual(loaded.metadata.location, "file:///warehouse/transactions/raw")
      yield* catalog.createTable({ identifier: { namespace: "lending", name: "applications" }, schema: eventSchema })
      assert.deepStrictEqual(yield* catalog.listNamespaces, ["lending", "transactions"])
      assert.deepStrictEqual((yield* catalog.listTables()).map(identifierText), [
        "lending.applications",
        "transactions.raw"
      ])
      assert.deepStrictEqual(yield* catalog.listTables("transactions"), [raw])
      yield* catalog.dropTable(raw)
      assert.strictEqual((yield* Effect.flip(loadRaw)).reason, "TableMissing")
      assert.strictEqual((yield* Effect.flip(catalog.dropTable(raw))).reason, "TableMissing")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("lets one of two creations win, with all properties from the start", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const create = (mark: string) =>
        catalog.createTable({
          identifier: raw,
          schema: eventSchema,
          partitionSpec: eventSpec,
          properties: new Map([["frazil.mark.x.main.0", mark]])
        })
      yield* create("1")
      assert.strictEqual((yield* Effect.flip(create("2"))).reason, "TableExists")
      const { metadata } = yield* loadRaw
      assert.strictEqual(metadata.properties.get("frazil.mark.x.main.0"), "1")
      assert.strictEqual(metadata.properties.get("write.parquet.compression-codec"), "zstd")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("refuses reserved columns and names that are no names", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const fields = [{ id: 1, name: "_partition", required: false, type: { _tag: "string" as const } }]
      const reserved = yield* Effect.flip(
        catalog.createTable({ identifier: raw, schema: { schemaId: 0, identifierFieldIds: [], fields } })
      )
      assert.strictEqual(reserved.reason, "Invalid")
      assert.match(reserved.message, /_partition/)
      const named = yield* Effect.flip(
        catalog.createTable({ identifier: { namespace: "..", name: "x/y" }, schema: eventSchema })
      )
      assert.strictEqual(named.reason, "Invalid")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("has the columns that PyIceberg and Java expect, and takes a file of the older schema", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "catalog.db")
      const old = new DatabaseSync(file)
      old.exec(`CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
        PRIMARY KEY (catalog_name, table_namespace, table_name))`)
      yield* Effect.provide(createRaw, layerAt(file))
      const rows = old.prepare("SELECT * FROM iceberg_tables").all()
      assert.strictEqual(rows[0]?.["iceberg_type"], "TABLE")
      assert.strictEqual(rows[0]?.["catalog_name"], "frazil")
      assert.deepStrictEqual(
        { ...old.prepare("SELECT * FROM iceberg_namespace_properties").get() },
        { catalog_name: "frazil", namespace: "transactions", property_key: "exists", property_value: "true" }
      )
      assert.strictEqual(old.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "delete")
      old.close()
    })
  )

  it.effect("passes over views", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "catalog.db")
      yield* Effect.gen(function* () {
        const other = new DatabaseSync(file)
        other.exec(
          "INSERT INTO iceberg_tables VALUES ('frazil', 'transactions', 'raw', 'file:///v.json', NULL, 'VIEW')"
        )
        other.close()
        const catalog = yield* Catalog
        assert.deepStrictEqual(yield* catalog.listTables(), [])
        assert.strictEqual((yield* Effect.flip(loadRaw)).reason, "TableMissing")
      }).pipe(Effect.provide(layerAt(file)))
    })
  )

  it.live("waits while another process holds the file", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "catalog.db")
      yield* Effect.gen(function* () {
        const catalog = yield* Catalog
        const table = yield* createRaw
        const other = new DatabaseSync(file)
        other.exec("BEGIN EXCLUSIVE")
        yield* Effect.forkChild(
          Effect.andThen(
            Effect.sleep("150 millis"),
            Effect.sync(() => other.exec("COMMIT"))
          )
        )
        const updates = [{ _tag: "SetProperties" as const, properties: new Map([["a", "1"]]) }]
        const changed = yield* catalog.commit({ base: table, requirements: [], updates })
        assert.strictEqual(changed.metadata.properties.get("a"), "1")
        other.close()
      }).pipe(Effect.provide(layerAt(file)))
    })
  )

  it.live("opens while another process holds the file", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "catalog.db")
      yield* Effect.asVoid(createRaw).pipe(Effect.provide(layerAt(file)))
      const other = new DatabaseSync(file)
      other.exec("BEGIN EXCLUSIVE")
      yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep("150 millis"),
          Effect.sync(() => other.exec("COMMIT"))
        )
      )
      const tables = yield* Catalog.use((catalog) => catalog.listTables()).pipe(Effect.provide(layerAt(file)))
      assert.strictEqual(tables.length, 1)
      other.close()
    })
  )

  it.effect("leaves an empty journal, which no engine rolls back, and a file in WAL mode as it is", () =>
    Effect.gen(function* () {
      const path = yield* folder
      for (const mode of ["delete", "wal"]) {
        const file = join(path, `${mode}.db`)
        const other = yield* Effect.acquireRelease(
          Effect.sync(() => new DatabaseSync(file)),
          (database) => Effect.sync(() => database.close())
        )
        const modeNow = () => other.prepare("PRAGMA journal_mode").get()?.["journal_mode"]
        other.exec(`PRAGMA journal_mode = ${mode}`)
        yield* createRaw.pipe(Effect.provide(layerAt(file)))
        assert.strictEqual(modeNow(), mode)
        if (mode === "delete") assert.strictEqual(statSync(`${file}-journal`).size, 0)
        assert.strictEqual(other.prepare("SELECT count(*) AS n FROM iceberg_tables").get()?.["n"], 1)
        // an engine that removes its journal takes ours away
        other.exec("UPDATE iceberg_tables SET table_name = 'renamed'")
        assert.isFalse(existsSync(`${file}-journal`))
        const tables = yield* Catalog.use((catalog) => catalog.listTables()).pipe(Effect.provide(layerAt(file)))
        assert.deepStrictEqual(tables.map(identifierText), ["transactions.renamed"])
      }
    }).pipe(Effect.scoped)
  )

  it.effect("lets one of two commits on a base win", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const base = yield* createRaw
      const commit = (value: string) =>
        catalog.commit({
          base,
          requirements: [],
          updates: [{ _tag: "SetProperties", properties: new Map([["a", value]]) }]
        })
      yield* commit("1")
      assert.strictEqual((yield* Effect.flip(commit("2"))).reason, "CommitConflict")
      assert.strictEqual((yield* loadRaw).metadata.properties.get("a"), "1")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("says in one line that a catalog is damaged or cannot be opened", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const damaged = join(path, "damaged.db")
      writeFileSync(damaged, "this is no database, but it is long enough to be taken for one ".repeat(100))
      const exit = yield* Effect.exit(Effect.provide(loadRaw, layerAt(damaged)))
      assert.match(messageOf(exit), /damaged\.db is no SQLite database/)
      const closed = yield* Effect.exit(Effect.provide(loadRaw, layerAt(join(path, "damaged.db", "catalog.db"))))
      assert.match(messageOf(closed), /cannot be opened/)
    })
  )

  it.effect("names the metadata file that is missing or damaged", () =>
    Effect.gen(function* () {
      const { metadataLocation } = yield* createRaw
      const storage = yield* Storage
      // Another process has nothing in memory.
      const fresh = <A, E>(effect: Effect.Effect<A, E, FileIO>) => Effect.provide(effect, Layer.fresh(FileIO.layer))
      const read = fresh(Effect.flip(FileIO.use((fileIO) => fileIO.readTableMetadata(metadataLocation))))
      yield* storage.delete(metadataLocation)
      const gone = yield* read
      assert.strictEqual(gone.reason, "Corrupt")
      assert.include(gone.message, metadataLocation)
      yield* storage.writeNew(metadataLocation, new TextEncoder().encode('{"format-version": 2}'))
      const damaged = yield* read
      assert.strictEqual(damaged.reason, "Corrupt")
      assert.match(damaged.message, /table-uuid: expected a string, found missing|location/)
    }).pipe(Effect.provide(layerLake))
  )

  it("reads and writes names of tables", () => {
    assert.deepStrictEqual(identifierFromText("a.b.c"), { namespace: "a.b", name: "c" })
    assert.strictEqual(identifierFromText("a"), undefined)
    assert.strictEqual(identifierFromText("a."), undefined)
    assert.strictEqual(identifierText(raw), "transactions.raw")
  })
})
