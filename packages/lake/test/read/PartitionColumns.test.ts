/** Files without the columns that they are divided by, as Hive's tables have them; and partitions that look the same. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import type { DataFile, PartitionValue } from "../../src/spec/DataFile.ts"
import { schemaFromJson } from "../../src/spec/Schema.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import {
  byCountry,
  createAccounts,
  layerLake,
  load,
  readAccounts,
  rowsSql,
  table,
  textOf
} from "../write/change/ChangeFixture.ts"

/** A file that only has the columns of the query, added as it is. */
const addFile = Effect.fnUntraced(function* (
  name: string,
  select: string,
  ids: string,
  partition: ReadonlyArray<PartitionValue>
) {
  const { metadata } = yield* load
  const filePath = `${metadata.location}/data/${name}.parquet`
  const path = localPath(filePath)!
  mkdirSync(join(path, ".."), { recursive: true })
  const connection = yield* (yield* DuckDb).connect
  yield* connection.run(
    `COPY (${select}) TO '${path}' (FORMAT parquet${ids === "" ? "" : `, FIELD_IDS {${ids}}`})`,
    "writing"
  )
  const reader = yield* connection.query(
    `SELECT count(*)::DOUBLE, (SELECT octet_length(content) FROM read_blob('${path}')) FROM '${path}'`,
    "asking"
  )
  const [rows, bytes] = reader.getRows()[0]!.map(Number)
  const file: DataFile = {
    filePath,
    fileFormat: "PARQUET",
    specId: 0,
    partition,
    recordCount: BigInt(rows!),
    fileSizeInBytes: BigInt(bytes!),
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    splitOffsets: [],
    sortOrderId: null
  }
  yield* commitTable({ table, actions: () => Effect.succeed([append([file])]) })
})

const lines = (query = "SELECT * FROM t") =>
  Effect.flatMap(load, (loaded) =>
    Effect.map(readTable(loaded, { query }), ({ rows }) =>
      rows.map(({ balance, country, id }) => `${String(id)}|${String(country)}|${String(balance)}`).sort()
    )
  )

describe("columns that stand in no file", () => {
  it.live("are what the partition says, by field id and by name, in queries and after compaction", () =>
    Effect.gen(function* () {
      yield* createAccounts(byCountry)
      yield* appendRows(table, rowsSql([{ id: 1, country: "de", cents: 1 }]))
      yield* addFile("de", "SELECT 2::BIGINT AS id, 0.02::DECIMAL(12, 2) AS balance", "id: 1, balance: 3", ["de"])
      yield* addFile("fr", "SELECT 3::BIGINT AS id, 0.03::DECIMAL(12, 2) AS balance", "id: 1, balance: 3", ["fr"])
      yield* addFile("none", "SELECT 4::BIGINT AS id, 0.04::DECIMAL(12, 2) AS balance", "id: 1, balance: 3", [null])
      const expected = ["1|de|0.01", "2|de|0.02", "3|fr|0.03", "4|null|0.04"]
      assert.deepStrictEqual(yield* lines(), expected)
      assert.deepStrictEqual(yield* lines("SELECT * FROM t WHERE country = 'de'"), expected.slice(0, 2))
      assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
      yield* compactTable(table, { inputFilesMin: 1 })
      assert.deepStrictEqual(yield* lines(), expected)
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )

  it.live("are so where names stand for ids", () =>
    Effect.gen(function* () {
      const mapping = [1, 2, 3].map((id) => ({ "field-id": id, names: [["id", "country", "balance"][id - 1]!] }))
      yield* createAccounts(byCountry, [["schema.name-mapping.default", JSON.stringify(mapping)]])
      yield* addFile("hive", "SELECT 2::BIGINT AS id, 0.02::DECIMAL(12, 2) AS balance", "", ["de"])
      assert.deepStrictEqual(yield* lines(), ["2|de|0.02"])
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )

  it.live("are refused where neither ids nor names tell them: DuckDB would read null for all", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* addFile("plain", "SELECT 2::BIGINT AS id, 'de' AS country, 0.02::DECIMAL(12, 2) AS balance", "", [])
      const error = yield* Effect.flip(lines())
      assert.strictEqual(error._tag === "LakeError" && error.reason, "Unsupported")
      assert.match(error.message, /plain\.parquet: it has no field ids/)
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})

describe("lists and maps whose elements have no field ids", () => {
  it.live("are read by their structure: DuckDB's own reader gives nulls", () =>
    Effect.gen(function* () {
      const schema = schemaFromJson(
        {
          type: "struct",
          fields: [
            { id: 1, name: "id", required: true, type: "long" },
            {
              id: 2,
              name: "l",
              required: false,
              type: { type: "list", "element-id": 3, "element-required": false, element: "string" }
            },
            {
              id: 4,
              name: "m",
              required: false,
              type: { type: "map", "key-id": 5, key: "string", "value-id": 6, "value-required": false, value: "int" }
            }
          ]
        },
        "test"
      )
      yield* (yield* Catalog).createTable({ identifier: table, schema })
      yield* addFile("lists", "SELECT 1::BIGINT AS id, ['a', NULL] AS l, MAP {'k': 7} AS m", "id: 1, l: 2, m: 4", [])
      const { rows } = yield* readTable(yield* load, { query: "SELECT id, l, m['k'] AS k FROM t" })
      assert.deepStrictEqual<unknown>(rows, [{ id: "1", l: ["a", null], k: 7 }])
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})

describe("partitions of null and of the text null", () => {
  it.live("stay apart when files are rewritten", () =>
    Effect.gen(function* () {
      yield* createAccounts(byCountry)
      const rows = [null, "null", null, "null"].map((country, id) => ({ id, country, cents: id }))
      for (const row of rows) yield* appendRows(table, rowsSql([row]))
      yield* compactTable(table, { inputFilesMin: 2 })
      assert.deepStrictEqual(yield* readAccounts(), textOf(rows))
      const found = yield* readTable(yield* Catalog.use((catalog) => catalog.loadTable(table)), {
        filter: { _tag: "IsNull", column: "country" },
        query: "SELECT id FROM t WHERE country IS NULL ORDER BY id"
      })
      assert.deepStrictEqual(
        found.rows.map(({ id }) => id),
        ["0", "2"]
      )
      assert.lengthOf(found.plan.entries, 1)
      assert.strictEqual(found.plan.filesTotal, 2)
    }).pipe(Effect.provide(layerLake))
  )
})
