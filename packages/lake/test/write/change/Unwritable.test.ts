/** What a table may have that rows are not written for here: refused by its name, before anything is written. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type CatalogShape, type Table } from "../../../src/catalog/Catalog.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import { transformFromText } from "../../../src/spec/Transform.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { writeRelation } from "../../../src/write/change/WriteRelation.ts"
import { createAccounts, layerLake, load, readAccounts, rowsSql, table } from "./ChangeFixture.ts"

const withForeignSpec = (table: Table): Table => {
  const transform = transformFromText("zorder[3]", "test")
  const partitionSpecs = table.metadata.partitionSpecs.map((spec) => ({
    ...spec,
    fields: spec.fields.map((field) => ({ ...field, transform }))
  }))
  return { ...table, metadata: { ...table.metadata, partitionSpecs } }
}

describe("tables that rows are not written for", () => {
  it.live("are divided by a transform that another engine knows", () =>
    Effect.gen(function* () {
      yield* createAccounts([{ column: "id", transform: { _tag: "bucket", buckets: 4 } }])
      const { metadata } = yield* load
      const transform = transformFromText("zorder[3]", "test")
      const [spec] = metadata.partitionSpecs
      const fields = spec!.fields.map((field) => ({ ...field, transform }))
      const foreign = { ...metadata, partitionSpecs: [{ ...spec!, fields }] }
      const error = yield* Effect.flip(
        Effect.scoped(writeRelation(foreign, "SELECT 1 AS id, 'de' AS country, 1.00 AS balance"))
      )
      assert.strictEqual(error.reason, "Unsupported")
      assert.match(error.message, /divided.*id_bucket/)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("have files that such a transform divided: they are read, added beside and never listed anew", () =>
    Effect.gen(function* () {
      yield* createAccounts([{ column: "id", transform: { _tag: "identity" } }], [["commit.manifest.min-count-to-merge", "2"]])
      for (const id of [1, 2, 3]) yield* appendRows(table, rowsSql([{ id, country: "de", cents: id }]))
      const rows = yield* readAccounts()
      // the same table as an engine has it that knows the transform, whose values lie in manifests
      const real = yield* Catalog
      const foreign: CatalogShape = {
        ...real,
        loadTable: (identifier) => Effect.map(real.loadTable(identifier), withForeignSpec)
      }
      const there = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, Catalog, foreign)
      const before = yield* load
      assert.deepStrictEqual(yield* there(readAccounts()), rows)
      assert.deepStrictEqual(yield* there(readAccounts({ _tag: "Ref", name: "main" })), rows)
      for (const change of [
        Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })),
        Effect.asVoid(appendRows(table, rowsSql([{ id: 4, country: "de", cents: 4 }]))),
        Effect.asVoid(compactManifests(table, { all: true })),
        Effect.asVoid(compactTable(table, { inputFilesMin: 1 }))
      ]) {
        const error = yield* Effect.flip(there(change))
        assert.strictEqual(error.reason, "Unsupported")
        assert.match(error.message, /zorder\[3\]|id\)/)
        assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
      }
    }).pipe(Effect.provide(layerLake))
  )
})
