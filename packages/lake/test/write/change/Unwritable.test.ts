/** What a table may have that rows are not written for here: refused by its name, before anything is written. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import type { DataFile } from "../../../src/spec/DataFile.ts"
import { unpartitioned } from "../../../src/spec/PartitionSpec.ts"
import { transformFromText } from "../../../src/spec/Transform.ts"
import { primitiveFromText } from "../../../src/spec/Type.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { writeRelation } from "../../../src/write/change/WriteRelation.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { append } from "../../../src/write/TableAction.ts"
import { createAccounts, layerLake, load, table } from "./ChangeFixture.ts"

const file = (path: string): DataFile => ({
  filePath: path,
  fileFormat: "PARQUET",
  specId: 0,
  partition: [],
  recordCount: 1n,
  fileSizeInBytes: 100n,
  columnSizes: new Map(),
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map(),
  splitOffsets: [4n],
  sortOrderId: null
})

describe("tables that rows are not written for", () => {
  it.live("have a column of fixed length, whatever writes", () =>
    Effect.gen(function* () {
      const digest = { id: 2, name: "digest", required: false, type: primitiveFromText("fixed[8]", "test") }
      yield* Catalog.use((catalog) =>
        catalog.createTable({
          identifier: table,
          schema: {
            schemaId: 0,
            identifierFieldIds: [],
            fields: [
              { id: 1, name: "of", required: false, type: { _tag: "struct", fields: [digest] } },
              { id: 3, name: "n", required: false, type: { _tag: "long" } }
            ]
          },
          partitionSpec: unpartitioned
        })
      )
      const written = yield* Effect.flip(appendRows(table, "SELECT NULL AS of, 1 AS n"))
      assert.strictEqual(written.reason, "Unsupported")
      assert.match(written.message, /column of\.digest is of fixed length/)
      const files = ["a", "b"].map((name) => file(`file:///nowhere/${name}.parquet`))
      yield* commitTable({ table, actions: () => Effect.succeed([append(files)]) })
      const compacted = yield* Effect.flip(compactTable(table, { inputFilesMin: 2 }))
      assert.strictEqual(compacted.reason, "Unsupported")
      assert.match(compacted.message, /column of\.digest is of fixed length/)
    }).pipe(Effect.provide(layerLake))
  )

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
})
