/** What a table may have that rows are not written for here: refused by its name, before anything is written. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type Table } from "../../../src/catalog/Catalog.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import { transformFromText } from "../../../src/spec/Transform.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { writeRelation } from "../../../src/write/change/WriteRelation.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { updatePartitionSpec } from "../../../src/write/TableAction.ts"
import { byCountry, createAccounts, layerLake, load, readAccounts, rowsSql, table, textOf } from "./ChangeFixture.ts"

const withForeignSpec = (table: Table): Table => {
  const transform = transformFromText("zorder[3]", "test")
  const partitionSpecs = table.metadata.partitionSpecs.map((spec) =>
    spec.specId > 0 ? spec : { ...spec, fields: spec.fields.map((field) => ({ ...field, transform })) }
  )
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
      yield* createAccounts(byCountry, [["commit.manifest.min-count-to-merge", "2"]])
      const accounts = [1, 2, 3].map((id) => ({ id, country: "de", cents: id }))
      for (const account of accounts) yield* appendRows(table, rowsSql([account]))
      const unpartition = updatePartitionSpec({ _tag: "RemovePartitionField", name: "country" })
      yield* commitTable({ table, actions: () => Effect.succeed([unpartition]) })
      // as an engine wrote it that knows the transform, whose values lie in manifests
      const real = yield* Catalog
      const foreign = withForeignSpec(yield* load)
      const property = { _tag: "SetProperties", properties: new Map([["by", "another engine"]]) } as const
      yield* real.commit({ base: foreign, requirements: [], updates: [property] })
      assert.strictEqual((yield* load).metadata.partitionSpecs[0]?.fields[0]?.transform._tag, "unknown")
      const more = [4, 5, 6].map((id) => ({ id, country: "fr", cents: id }))
      for (const account of more) yield* appendRows(table, rowsSql([account]))
      yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 5n })
      const rows = textOf([...accounts, ...more].filter(({ id }) => id !== 5))
      assert.deepStrictEqual(yield* readAccounts(), rows)
      const before = yield* load
      for (const change of [
        Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })),
        Effect.asVoid(compactManifests(table, { all: true }))
      ]) {
        const error = yield* Effect.flip(change)
        assert.strictEqual(error.reason, "Unsupported")
        assert.match(error.message, /zorder\[3\]/)
        assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
      }
      const compacted = yield* Effect.result(compactTable(table, { inputFilesMin: 2 }))
      assert.match(JSON.stringify(compacted), /zorder\[3\]/)
      assert.deepStrictEqual(yield* readAccounts(), rows)
    }).pipe(Effect.provide(layerLake))
  )
})
