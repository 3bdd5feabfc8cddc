/** A disk that is full in the middle of a data file: where DuckDB's files in the making lie, or the warehouse. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { layerLocal, localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layerSqliteCatalog } from "../../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { appendRows, overwriteRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { bytesFree, canMount, smallDisk } from "../../SmallDisk.ts"
import { folder } from "../parquet/WriterCases.ts"
import { byCountry, createAccounts, layerLake, load, readAccounts, table } from "./ChangeFixture.ts"
import { filesOf } from "./Untouched.ts"

/** Texts that do not compress: a hundred kilobytes of Parquet. */
const rows =
  "SELECT i AS id, md5(i::VARCHAR) || md5((i + 7)::VARCHAR) AS country, 1.00 AS balance FROM range(3000) AS r(i)"

const changes = {
  append: Effect.asVoid(appendRows(table, rows)),
  overwrite: Effect.asVoid(overwriteRows(table, undefined, rows)),
  delete: Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 10n })),
  compaction: Effect.asVoid(compactTable(table, { inputFilesMin: 2 }))
}

describe("a disk that is full in the middle of a file", () => {
  for (const [what, change] of Object.entries(changes)) {
    it.live.skipIf(!canMount)(`stops ${what} with Full, the table as it was, and nothing left (needs root)`, () =>
      Effect.gen(function* () {
        yield* createAccounts([])
        yield* appendRows(table, rows)
        yield* appendRows(table, rows)
        const before = yield* load
        const seen = yield* readAccounts()
        const small = Layer.fresh(DuckDb.layer({ dataDirectory: yield* smallDisk(48 * 1024) }))
        const error = yield* Effect.flip(Effect.provide(change, small))
        assert.strictEqual(error.reason, "Full", error.message)
        assert.match(error.message, /the disk is full; make room/)
        assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
        assert.deepStrictEqual(yield* readAccounts(), seen)
        const left = yield* removeOrphans(table, { dryRun: true, ageMsMin: -1_000 })
        assert.deepStrictEqual(left.removed, [])
        // with room it goes on
        yield* change
      }).pipe(Effect.provide(layerLake))
    )
  }
})

/** The warehouse on a disk of its own, all else where there is room. */
const layerWarehouse = (warehouse: string) =>
  Layer.merge(
    layerSqliteCatalog({ file: ":memory:", warehouse }).pipe(Layer.provideMerge(FileIO.layer)),
    Layer.unwrap(Effect.map(folder, (dataDirectory) => DuckDb.layer({ dataDirectory })))
  ).pipe(Layer.provideMerge(layerLocal(warehouse)))

/** Numbers that do not compress: a file of 200 KB in one partition, after a small one in another. */
const large = `SELECT (hash(i) >> 2)::BIGINT AS id, CASE WHEN i < 10 THEN 'de' ELSE 'fr' END AS country, 1.00 AS balance
  FROM range(25010) AS r(i)`

const youngest = { ageMsMin: -1_000 }

describe("a warehouse whose disk is full in the middle of a file", () => {
  it.live.skipIf(!canMount)(
    "stops an append with Full, the table as it was; what is left can be listed and removed, and then it goes on (needs root)",
    () =>
      Effect.gen(function* () {
        const warehouse = yield* smallDisk(320 * 1024)
        yield* Effect.gen(function* () {
          yield* createAccounts(byCountry)
          yield* appendRows(table, "SELECT 1 AS id, 'de' AS country, 1.00 AS balance")
          const before = yield* load
          const kept = yield* filesOf
          // what a writer left that was killed in the middle of a file takes most of the room
          const folder = join(localPath(before.metadata.location) ?? "", "data", "country=fr")
          mkdirSync(folder, { recursive: true })
          const part = join(folder, "rows-0.parquet.abc.frazil-part")
          writeFileSync(part, new Uint8Array(150 * 1024))
          assert.isBelow(bytesFree(warehouse), 200_000)
          const error = yield* Effect.flip(appendRows(table, large))
          assert.strictEqual(error.reason, "Full", error.message)
          assert.match(error.message, /country=fr.*the disk is full; make room and start again/)
          assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
          assert.deepStrictEqual(yield* readAccounts(), ["1|de|1.00"])
          const left = (yield* filesOf).filter((uri) => !kept.includes(uri))
          // the first partition's file, whole, and the part of before; the half of the second is gone already
          assert.lengthOf(left, 2)
          assert.include(left, `file://${part}`)
          assert.deepStrictEqual((yield* removeOrphans(table, { ...youngest, dryRun: true })).removed, left)
          assert.deepInclude(yield* removeOrphans(table, youngest), { removed: left, filesAfter: 0, error: undefined })
          assert.deepStrictEqual(yield* filesOf, kept)
          yield* appendRows(table, large)
          assert.lengthOf(yield* readAccounts(), 25_011)
        }).pipe(Effect.provide(layerWarehouse(warehouse)))
      }).pipe(Effect.scoped)
  )
})
