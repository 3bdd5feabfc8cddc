/**
 * Tables that Spark, Trino and Flink wrote, rows of them deleted and changed in their own ways, through the whole of our upkeep:
 * every reader finds the same rows after each step.
 */
import { Storage } from "@frazil/core"
import { flinkSql } from "@frazil/sim/flink"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import type { LineSession } from "./LineSession.ts"
import type { Spark } from "./SparkSession.ts"
import type { askTrino } from "./Trino.ts"

/** A file that nothing names. */
const stray = "left-by-nobody.parquet"

type Sql = (statement: string) => ReturnType<typeof askTrino>

/** Tables of the three engines, each with rows deleted in its own way, through the whole of our upkeep. */
export const checkTheirs = Effect.fnUntraced(function* (url: string, sql: Sql, spark: Spark, python: LineSession) {
  const merging = "'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'format-version' = '2'"
  for (const statement of [
    "CREATE NAMESPACE lab.theirs",
    `CREATE TABLE lab.theirs.spark (id BIGINT, country STRING) USING iceberg PARTITIONED BY (bucket(3, id)) TBLPROPERTIES (${merging})`,
    ...[0, 1, 2, 3, 4].map(
      (i) => `INSERT INTO lab.theirs.spark SELECT id, concat('c', id % 3) FROM range(${i * 20}, ${i * 20 + 20})`
    ),
    "DELETE FROM lab.theirs.spark WHERE id % 7 = 0",
    "UPDATE lab.theirs.spark SET country = 'updated' WHERE id % 11 = 0"
  ])
    yield* spark(statement)
  yield* sql("CREATE TABLE theirs.trino (id BIGINT, country VARCHAR) WITH (partitioning = ARRAY['bucket(id, 3)'])")
  for (const i of [0, 1, 2, 3, 4]) {
    yield* sql(
      `INSERT INTO theirs.trino SELECT id, concat('c', CAST(id % 3 AS VARCHAR)) FROM UNNEST(sequence(${i * 20}, ${i * 20 + 19})) t(id)`
    )
  }
  yield* sql("DELETE FROM theirs.trino WHERE id % 7 = 0")
  yield* sql("UPDATE theirs.trino SET country = 'updated' WHERE id % 11 = 0")
  const all = Array.from({ length: 100 }, (_, id) => id)
  const upserted = (ids: ReadonlyArray<number>, country: (id: number) => string) =>
    `INSERT INTO c.theirs.flink VALUES ${ids.map((id) => `(${id}, '${country(id)}')`).join(", ")}`
  yield* flinkSql(
    [],
    [
      `CREATE CATALOG c WITH ('type' = 'iceberg', 'catalog-type' = 'rest', 'uri' = '${url}')`,
      "CREATE TABLE c.theirs.flink (id BIGINT NOT NULL, country STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('format-version' = '2', 'write.upsert.enabled' = 'true')",
      upserted(all, (id) => `c${id % 3}`),
      upserted(
        all.filter((id) => id % 11 === 0),
        () => "updated"
      ),
      upserted([1, 2, 3], () => "again")
    ]
  )
  const plain = all
    .filter((id) => id % 7 !== 0)
    .map((id) => `${id} ${id % 11 === 0 ? "updated" : `c${id % 3}`}`)
    .sort()
  const expected = {
    spark: plain,
    trino: plain,
    flink: all.map((id) => `${id} ${id % 11 === 0 ? "updated" : id > 0 && id < 4 ? "again" : `c${id % 3}`}`).sort()
  }
  const Found = Schema.Array(Schema.Struct({ id: Schema.String, country: Schema.String }))
  const linesOf = (rows: unknown) =>
    Effect.map(Schema.decodeUnknownEffect(Found)(rows), (found) =>
      found.map(({ country, id }) => `${id} ${country}`).sort()
    )
  for (const name of ["spark", "trino", "flink"] as const) {
    const table = { namespace: "theirs", name }
    const same = Effect.fnUntraced(function* (step: string, readers: ReadonlyArray<"pyiceberg" | "duckdb">) {
      const what = `${name}, ${step}`
      const loaded = yield* Catalog.use((catalog) => catalog.loadTable(table))
      const { rows } = yield* readTable(loaded, { query: "SELECT id::VARCHAR AS id, country FROM t" })
      assert.deepStrictEqual(yield* linesOf(rows), expected[name], `${what}: here`)
      const theirs = yield* sql(`SELECT CAST(id AS VARCHAR) id, country FROM theirs.${name}`)
      assert.deepStrictEqual(yield* linesOf(theirs), expected[name], `${what}: Trino`)
      const found = yield* spark(`SELECT string(id) id, country FROM lab.theirs.${name}`)
      assert.deepStrictEqual(yield* linesOf(found), expected[name], `${what}: Spark`)
      const question = { name: "all", order: ["id"], readers }
      const Asked = Schema.Struct({
        tables: Schema.Record(
          Schema.String,
          Schema.Record(Schema.Literals(["pyiceberg", "duckdb"]), Schema.Record(Schema.String, Found))
        )
      })
      const { tables } = yield* python({
        rest: url,
        tables: [{ table: `theirs.${name}`, questions: [question] }]
      }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Schema.fromJsonString(Asked))))
      for (const reader of readers) {
        assert.deepStrictEqual(
          yield* linesOf(tables[`theirs.${name}`]![reader]["all"]),
          expected[name],
          `${what}: ${reader}`
        )
      }
      assert.deepStrictEqual((yield* auditFacts(table)).problems, [], what)
    })
    // PyIceberg refuses equality deletes
    const beforeCompaction = name === "flink" ? (["duckdb"] as const) : (["pyiceberg", "duckdb"] as const)
    yield* same("as written", beforeCompaction)
    const asWritten = yield* compactManifests(table, { all: true })
    assert.isDefined(asWritten.snapshotId, name)
    assert.isBelow(asWritten.filesAfter, asWritten.filesBefore, name)
    yield* same("manifests rewritten", beforeCompaction)
    const compacted = yield* compactTable(table, { inputFilesMin: 1 })
    assert.deepInclude(compacted, { error: undefined })
    assert.isBelow(compacted.filesAfter, compacted.filesBefore, name)
    yield* same("compacted", ["pyiceberg", "duckdb"])
    assert.isDefined((yield* compactManifests(table, { all: true })).snapshotId, name)
    yield* same("manifests rewritten once more", ["pyiceberg", "duckdb"])
    const expired = yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 })
    assert.deepInclude(expired, { error: undefined })
    assert.isAbove(expired.snapshotsExpired, 2, name)
    assert.isBelow(expired.filesAfter, expired.filesBefore, name)
    yield* same("expired", ["pyiceberg", "duckdb"])
    const { location } = (yield* Catalog.use((catalog) => catalog.loadTable(table))).metadata
    yield* (yield* Storage).writeNew(`${location}/data/${stray}`, Uint8Array.of(1))
    const orphans = yield* removeOrphans(table, { ageMsMin: -60_000 })
    assert.deepInclude(orphans, { error: undefined })
    assert.isTrue(
      orphans.removed.some((uri) => uri.endsWith(`/${stray}`)),
      name
    )
    yield* same("orphans removed", ["pyiceberg", "duckdb"])
  }
})
