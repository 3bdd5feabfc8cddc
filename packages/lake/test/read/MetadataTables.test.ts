/** What metadata tables promise beside their rows, which PyIceberg tells (`foreign/MetadataTables.integration.test.ts`). */
import { readdirSync } from "node:fs"
import { localPath, Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { type MetadataTable, metadataTables } from "../../src/read/inspect/MetadataTable.ts"
import { metadataRelation, readMetadataTable } from "../../src/read/inspect/ReadMetadataTable.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { byCountry, createAccounts, layerLake, load, rowsSql, table } from "../write/change/ChangeFixture.ts"

const rows = [
  { id: 1, country: "DE", cents: 125 },
  { id: 2, country: "FR", cents: null },
  { id: 3, country: null, cents: -5 }
]

const made = Effect.gen(function* () {
  yield* createAccounts(byCountry)
  yield* appendRows(table, rowsSql(rows))
  return yield* load
})

describe("metadata tables", () => {
  it.live("tell nothing but counts of hidden fields, where they divide the table too", () =>
    Effect.gen(function* () {
      const loaded = yield* made
      const told = (hidden: ReadonlyArray<number>) =>
        Effect.map(
          Effect.forEach(metadataTables, (name) =>
            readMetadataTable(loaded, name, { hiddenFieldIds: new Set(hidden) })
          ),
          (all) => JSON.stringify(all)
        )
      const open = yield* told([])
      for (const text of ["country=DE", `"country":"FR"`, `"lower_bound":"1.25"`]) assert.include(open, text)
      const byCountryHidden = yield* told([2])
      for (const text of ["DE", "FR", "country="]) assert.notInclude(byCountryHidden, text)
      assert.include(byCountryHidden, `"lower_bound":"1.25"`)
      const balanceHidden = yield* told([3])
      for (const text of ["1.25", "-0.05"]) assert.notInclude(balanceHidden, text)
      assert.include(balanceHidden, "country=DE")
      const partitions = yield* readMetadataTable(loaded, "partitions", { hiddenFieldIds: new Set([2]) })
      assert.lengthOf(partitions, 3)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("give an error that names the file for a damaged manifest, never fewer rows", () =>
    Effect.gen(function* () {
      const loaded = yield* made
      const storage = yield* Storage
      const fileIO = yield* FileIO
      const list = currentSnapshot(loaded.metadata)!.manifestList
      const [manifest] = yield* fileIO.readManifestList(list)
      const uri = manifest!.manifestPath
      const whole = yield* storage.read(uri)
      yield* storage.delete(uri)
      yield* storage.writeNew(uri, whole.slice(0, whole.length - 1))
      const ofEntries: ReadonlyArray<MetadataTable> = ["files", "data_files", "partitions", "entries"]
      for (const name of ofEntries) {
        const error = yield* Effect.flip(
          readMetadataTable(loaded, name).pipe(Effect.provide(Layer.fresh(FileIO.layer)))
        )
        assert.deepInclude(error, { _tag: "LakeError", reason: "Corrupt" })
        assert.include(error.message, localPath(uri)!)
      }
    }).pipe(Effect.provide(layerLake))
  )

  it.live("leave no file behind", () =>
    Effect.gen(function* () {
      const loaded = yield* made
      const { scratchDirectory } = yield* DuckDb
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { file } = yield* metadataRelation(loaded, "files", scratchDirectory)
          assert.isTrue(readdirSync(scratchDirectory).some((name) => file.endsWith(name)))
        })
      )
      assert.deepStrictEqual(
        readdirSync(scratchDirectory).filter((name) => name.endsWith(".ndjson")),
        []
      )
    }).pipe(Effect.provide(layerLake))
  )
})
