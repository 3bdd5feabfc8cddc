/**
 * Equality deletes, as Flink writes them: of a spec that divides nothing they mean rows of every partition and spec, of another
 * only those of their own; null is a value like others. Delete files are written by DuckDB alone.
 */
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import type { DeleteFile } from "../../src/spec/DataFile.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import type { PartitionBy } from "../../src/spec/PartitionSpec.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { changeRows, updatePartitionSpec } from "../../src/write/TableAction.ts"
import {
  byCountry,
  createAccounts,
  layerLake,
  load,
  readAccounts,
  rowsSql,
  table
} from "../write/change/ChangeFixture.ts"

const account = (id: number, country: string | null) => ({ id, country, cents: null })

/** Commits a delete file of the rows that `select` gives, which are of the columns of `equalityIds`. */
const deleteEqual = Effect.fnUntraced(function* (
  of: Pick<DeleteFile, "specId" | "partition" | "equalityIds">,
  select: string,
  fieldIds: string
) {
  const { metadata } = yield* load
  const uri = `${dataFolder(metadata)}/equal-${metadata.lastSequenceNumber}.parquet`
  const { connect } = yield* DuckDb
  const connection = yield* connect
  yield* connection.run(
    `COPY (${select}) TO '${localPath(uri)}' (FORMAT parquet, FIELD_IDS {${fieldIds}})`,
    "writing a delete file"
  )
  const size = yield* connection.query(`SELECT size::BIGINT FROM read_blob('${localPath(uri)}')`, "its size")
  const count = yield* connection.query(`SELECT count(*) FROM (${select})`, "its rows")
  const file: DeleteFile = {
    ...of,
    filePath: uri,
    fileFormat: "PARQUET",
    content: "equality-deletes",
    recordCount: BigInt(String(count.getRows()[0]?.[0])),
    fileSizeInBytes: BigInt(String(size.getRows()[0]?.[0])),
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    splitOffsets: [],
    sortOrderId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null
  }
  const change = changeRows({
    removed: [],
    added: [],
    deletes: [file],
    replacedDeletes: [],
    readSnapshotId: metadata.currentSnapshotId,
    isolation: "snapshot",
    summary: new Map()
  })
  yield* commitTable({ table, actions: () => Effect.succeed([change]) })
}, Effect.scoped)

const ids = Effect.map(readAccounts(), (rows) => rows.map((row) => Number(row.split("|")[0])).sort((a, b) => a - b))

/** Files of two specs: the first as given, the second by country. */
const twoSpecs = Effect.fnUntraced(function* (by: ReadonlyArray<PartitionBy>) {
  yield* createAccounts(by)
  yield* appendRows(table, rowsSql([account(1, "DE"), account(2, "FR"), account(3, null)]))
  const [country] = byCountry
  const change = updatePartitionSpec({ _tag: "AddPartitionField", ...country! })
  yield* commitTable({ table, actions: () => Effect.succeed([change]) })
  yield* appendRows(table, rowsSql([account(4, "DE"), account(5, null), account(6, "FR")]))
})

describe("equality deletes", () => {
  for (const [what, by] of [
    ["has no fields", []],
    ["has void fields only", [{ column: "id", transform: { _tag: "void" } }]]
  ] as const) {
    it.live(`of a spec that ${what} mean older rows of every partition, null as well`, () =>
      Effect.gen(function* () {
        yield* twoSpecs(by)
        const keys = "SELECT unnest([NULL, 'FR', 'nobody'])::VARCHAR AS country"
        yield* deleteEqual({ specId: 0, partition: by.map(() => null), equalityIds: [2] }, keys, "country: 2")
        yield* appendRows(table, rowsSql([account(7, null), account(8, "FR")]))
        assert.deepStrictEqual(yield* ids, [1, 4, 7, 8])
        yield* compactTable(table, { inputFilesMin: 1, all: true })
        assert.deepStrictEqual(yield* ids, [1, 4, 7, 8])
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("of a partition mean its rows only, by all their columns", () =>
    Effect.gen(function* () {
      yield* twoSpecs([])
      yield* appendRows(table, rowsSql([account(9, "DE"), account(10, null)]))
      const keys =
        "SELECT * FROM (VALUES (1::BIGINT, 'DE'), (4, 'DE'), (5, NULL), (9, 'FR'), (9, NULL)) AS v(id, country)"
      const of = { specId: 1, equalityIds: [1, 2] }
      yield* deleteEqual({ ...of, partition: ["DE"] }, keys, "id: 1, country: 2")
      // 1 is of another spec, 5 of another partition, 9 has another country
      assert.deepStrictEqual(yield* ids, [1, 2, 3, 5, 6, 9, 10])
      yield* deleteEqual({ ...of, partition: [null] }, keys, "id: 1, country: 2")
      assert.deepStrictEqual(yield* ids, [1, 2, 3, 6, 9, 10])
    }).pipe(Effect.provide(layerLake))
  )
})
