/**
 * A disk that fills in the middle of one file, of each kind that a change writes: the file is cut in half and the disk says
 * that there is no room, where it is asked to make the file durable.
 */
import { readdirSync, statSync, truncateSync } from "node:fs"
import { DiskSync, localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../../src/maintenance/Expire.ts"
import { appendRows, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { updateSchema } from "../../../src/write/TableAction.ts"
import { byCountry, createAccounts, layerLake, load, rowsSql, table } from "./ChangeFixture.ts"
import { expectUntouched } from "./Untouched.ts"

/** A disk on which no file of this name is ever whole, while `pattern` is set. */
const makeDisk = () => {
  const disk = { pattern: undefined as RegExp | undefined, cut: 0 } // set by tests
  const sync = async (_handle: unknown, path: string, kind: "file" | "folder") => {
    if (kind !== "file" || disk.pattern?.test(path) !== true) return
    truncateSync(path, Math.floor(statSync(path).size / 2))
    disk.cut++
    throw Object.assign(new Error("ENOSPC: no space left on device, fsync"), { code: "ENOSPC" })
  }
  return { disk, sync }
}

/** As files are called while they are made: data files elsewhere, with a name of DuckDB's or the writer's. */
const kinds = {
  "data file": /\/(?!delete)[^/]*\.parquet$/,
  "position delete file": /\/delete-[^/]*\.parquet$/,
  "deletion vector": /\/deletes-[^/]*\.puffin/,
  manifest: /-m\d+\.avro/,
  "manifest list": /\/snap-/,
  "table metadata": /\.metadata\.json/
}

type Lake = Layer.Success<typeof layerLake>
type Change = Effect.Effect<unknown, { readonly reason: string; readonly message: string }, Lake>

const rows = (from: number) =>
  rowsSql(Array.from({ length: 8 }, (_, i) => ({ id: from + i, country: i % 2 === 0 ? "de" : "fr", cents: 5 })))

const someRows = { _tag: "Compare", column: "id", operator: "<", value: 3n } as const
const mergeOnRead = ["write.delete.mode", "merge-on-read"] as const
const addColumn = updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } })

const cases: ReadonlyArray<
  readonly [
    kind: keyof typeof kinds,
    what: string,
    change: Change,
    properties?: ReadonlyArray<readonly [string, string]>
  ]
> = [
  ["data file", "an append", appendRows(table, rows(50))],
  ["data file", "an overwrite", overwriteRows(table, someRows, rows(50))],
  ["data file", "an upsert", upsertRows(table, ["id"], rows(4))],
  ["data file", "a delete that writes files anew", deleteRows(table, someRows)],
  ["data file", "a compaction", compactTable(table, { inputFilesMin: 2 })],
  ["position delete file", "a delete", deleteRows(table, someRows), [mergeOnRead]],
  ["deletion vector", "a delete", deleteRows(table, someRows), [mergeOnRead, ["format-version", "3"]]],
  ["manifest", "an append", appendRows(table, rows(50))],
  ["manifest", "a rewrite of manifests", compactManifests(table)],
  ["manifest list", "an append", appendRows(table, rows(50))],
  ["table metadata", "an append", appendRows(table, rows(50))],
  ["table metadata", "a new column", commitTable({ table, actions: () => Effect.succeed([addColumn]) })],
  ["table metadata", "an expiry", expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 })]
]

describe("a disk that fills in the middle of a file", () => {
  for (const [kind, what, change, properties] of cases) {
    it.live(`of kind ${kind}, at ${what}: Full, the table as it was, and what is left is orphans`, () => {
      const { disk, sync } = makeDisk()
      return Effect.gen(function* () {
        yield* createAccounts(byCountry, properties)
        for (const from of [0, 10, 20]) yield* appendRows(table, rows(from))
        disk.pattern = kinds[kind]
        const { error, left } = yield* expectUntouched(change, "Full")
        assert.isAbove(disk.cut, 0)
        assert.match(error.message, /the disk is full; make room and start again/)
        // the one that was cut is gone, and has no name
        assert.deepStrictEqual(
          left.filter((uri) => kinds[kind].test(uri)),
          []
        )
        disk.pattern = undefined
        const before = (yield* load).metadataLocation
        yield* change
        assert.notStrictEqual((yield* load).metadataLocation, before)
      }).pipe(Effect.provide(layerLake), Effect.provideService(DiskSync, { sync }))
    })
  }

  it.live("of kind table metadata, at a new table: Full, and there is no table", () => {
    const { disk, sync } = makeDisk()
    return Effect.gen(function* () {
      disk.pattern = kinds["table metadata"]
      const error = yield* Effect.flip(createAccounts(byCountry))
      assert.strictEqual(error.reason, "Full", error.message)
      assert.match(error.message, /metadata\.json.*the disk is full; make room and start again/)
      assert.deepStrictEqual(yield* Catalog.use((catalog) => catalog.listTables()), [])
      disk.pattern = undefined
      const { metadata, metadataLocation } = yield* createAccounts(byCountry)
      const path = localPath(metadataLocation) ?? ""
      assert.deepStrictEqual(
        readdirSync(`${localPath(metadata.location)}/metadata`).map((name) => path.endsWith(name)),
        [true]
      )
    }).pipe(Effect.provide(layerLake), Effect.provideService(DiskSync, { sync }))
  })
})
