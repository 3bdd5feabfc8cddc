/**
 * Trino over a REST catalog: tables that it wrote, read here as they were written down, whole and by filters, whatever they are
 * divided by; its deletes, updates, merges and changed columns; what is changed here afterwards, read there; and what it does
 * not read.
 *
 * Trino is large: it runs only when FRAZIL_FOREIGN is `full`.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { restServer, trinoServer } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Layer, Scope } from "effect"
import { afterAll } from "vitest"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { currentSchema, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { transformToText } from "../../src/spec/Transform.ts"
import { appendRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setProperties, setRef } from "../../src/write/TableAction.ts"
import { byCountry, createAccounts, rowsSql, table as accounts } from "../write/change/ChangeFixture.ts"
import { canonicalRows } from "./Canonical.ts"
import { dividedQuestions, writeDivided } from "./DividedTables.ts"
import { askTrinoEach, trinoEngine } from "./Engines.ts"
import { askAll, evolvedQuestion, keptUpQuestions, probesOf, probesQuestion, typesQuestion } from "./EngineSweep.ts"
import { typeNamesQuestion } from "./EngineTypes.ts"
import { writeEvolved } from "./EvolvedTable.ts"
import { writeQueried } from "./Floats.ts"
import { floatsQuestion } from "./FloatsAbroad.ts"
import { layerOverRest } from "./ForeignTable.ts"
import { readHere } from "./ReadHere.ts"
import { checkDivided, trinoColumns, trinoRows } from "./Theirs.ts"
import { askTrino } from "./Trino.ts"
import { typesFiles, typesSchema } from "./TypeCases.ts"
import { allRows, expectedRows, keepUp, keptRows, metricsTables, writeTypes } from "./TypesTable.ts"

const [restPort, trinoPort] = [8244, 8384]

/** Partitions of every transform and type that Trino divides by. */
const divisions: ReadonlyArray<ReadonlyArray<string>> = [
  ["c_boolean", "bucket(c_int, 3)"],
  ["truncate(c_int, 16)", "bucket(c_long, 4)"],
  ["truncate(c_long, 1024)", "bucket(c_decimal9, 3)"],
  // Trino refuses to truncate the least integers by other widths, and Java the least decimal: they would need a digit more
  ["bucket(c_decimal38, 5)", "bucket(c_decimal18, 3)"],
  ["year(c_date)", "bucket(c_time, 3)"],
  ["month(c_timestamp)", "bucket(c_timestamptz, 4)"],
  ["day(c_timestamptz)", "bucket(c_uuid, 4)"],
  ["hour(c_timestamp)"],
  ["truncate(c_string, 2)", "bucket(c_binary, 3)"],
  ["c_string", "truncate(c_binary, 1)"],
  ["c_float", "c_double"],
  ["c_decimal38", "c_date"],
  ["c_timestamptz", "c_time"],
  ["c_uuid", "c_binary"]
]

const path = mkdtempSync(join(tmpdir(), "frazil-trino-"))
const scope = Scope.makeUnsafe()

afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  rmSync(path, { recursive: true, force: true })
})

/** One catalog and one Trino for the file: it takes long to start. */
const servers = Effect.runSync(
  Effect.cached(
    Effect.gen(function* () {
      const { url } = yield* restServer(restPort, path)
      const trino = yield* trinoServer(trinoPort, restPort)
      return { url, trinoUrl: trino.url }
    }).pipe(Scope.provide(scope))
  )
)

type Sql = (statement: string, session?: Readonly<Record<string, string>>) => ReturnType<typeof askTrino>

const withTrino = <A, E>(run: (sql: Sql) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof layerOverRest>>>) =>
  Effect.gen(function* () {
    const { trinoUrl, url } = yield* servers
    return yield* run((statement, session) => askTrino(trinoUrl, statement, session)).pipe(
      Effect.provide(layerOverRest(path, url))
    )
  })

const names = typesSchema.fields.map(({ name }) => name)

/** A table of every type as Trino has it: what is expected is compared in our schema's types. */
const readTypes = (name: string) => Effect.map(readHere("written", name), ({ rows }) => rows)

const lines = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  rows.map(({ balance, country, id }) => `${String(id)}|${String(country)}|${String(balance)}`).sort()

const readHereAccounts = Catalog.use((catalog) => catalog.loadTable(accounts)).pipe(
  Effect.flatMap((table) => readTable(table)),
  Effect.map(({ rows }) => rows)
)

const clean = Effect.fnUntraced(function* (namespace: string, name: string) {
  assert.deepStrictEqual((yield* auditFacts({ namespace, name })).problems, [], name)
})

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("Trino", () => {
  it.live(
    "reads every type that we write, at any moment, whatever the filter and the metrics, and columns that changed",
    () =>
      withTrino((sql) =>
        Effect.gen(function* () {
          const types = yield* Effect.forEach(metricsTables, (each) => writeTypes(each))
          const evolved = yield* writeEvolved
          yield* askAll(askTrinoEach(sql), [
            typeNamesQuestion(trinoEngine),
            evolvedQuestion(trinoEngine, evolved),
            ...types.map((each) => typesQuestion(trinoEngine, each)),
            ...metricsTables.map((each) =>
              probesQuestion(
                trinoEngine,
                each.name,
                probesOf(trinoEngine, each, () => true)
              )
            )
          ])
          yield* Effect.forEach([...metricsTables, { name: "evolved" }], ({ name }) => keepUp(name))
          yield* askAll(askTrinoEach(sql), keptUpQuestions(trinoEngine, types, evolved))
        })
      ),
    1_800_000
  )

  it.live(
    "reads tables that we divide by every transform, whole and by filters, and finds NaN, zeros and infinities as in its own",
    () =>
      withTrino((sql) =>
        Effect.gen(function* () {
          yield* writeQueried
          const divided = yield* writeDivided(() => true)
          yield* askAll(askTrinoEach(sql), [
            floatsQuestion(trinoEngine),
            ...divided.flatMap((each) => dividedQuestions(trinoEngine, each, 40))
          ])
        })
      ),
    1_800_000
  )

  it.live(
    "writes every type, divided by every transform, and deletes: read here as written down, by filters too",
    () =>
      withTrino((sql) =>
        Effect.gen(function* () {
          yield* sql("CREATE SCHEMA written")
          yield* sql(`CREATE TABLE written.types (${trinoColumns})`)
          for (const rows of typesFiles) yield* sql(`INSERT INTO written.types ${trinoRows(rows)}`)
          assert.deepStrictEqual(yield* readTypes("types"), expectedRows(allRows, "here", names))
          yield* sql("DELETE FROM written.types WHERE id = 2")
          yield* sql("DELETE FROM written.types WHERE id > 3 AND id <= 6")
          assert.deepStrictEqual(yield* readTypes("types"), expectedRows(keptRows, "here", names))
          yield* clean("written", "types")

          for (const [i, division] of divisions.entries()) {
            const name = `by_${i}`
            const partitioning = division.map((each) => `'${each}'`).join(", ")
            yield* sql(
              `CREATE TABLE written.${name} WITH (partitioning = ARRAY[${partitioning}]) AS SELECT * FROM written.types`
            )
            const { metadata } = yield* Catalog.use((catalog) => catalog.loadTable({ namespace: "written", name }))
            assert.lengthOf(defaultSpec(metadata).fields, division.length, name)
            yield* checkDivided({ namespace: "written", name, division, rows: keptRows, columns: names, seed: i })
            yield* clean("written", name)
          }
        })
      ),
    1_800_000
  )

  it.live(
    "deletes, updates, merges and changes columns and partitions: read here as there, and there what is changed here",
    () =>
      withTrino((sql) =>
        Effect.gen(function* () {
          yield* sql("CREATE SCHEMA changing")
          yield* sql(`CREATE TABLE changing.changed (id BIGINT NOT NULL, country VARCHAR, balance DECIMAL(12, 2),
            place ROW(x INTEGER, y VARCHAR), at TIMESTAMP(6) WITH TIME ZONE) WITH (partitioning = ARRAY['country'], sorted_by = ARRAY['id'])`)
          const insert = (from: number, to: number, more = "") =>
            sql(`INSERT INTO changing.changed SELECT id, element_at(ARRAY['US', 'DE', NULL], CAST(id % 3 + 1 AS INTEGER)), CAST(id * 10 - 500 AS DECIMAL(12, 2)) / 100,
              CAST(ROW(id, 'y') AS ROW(x INTEGER, y VARCHAR)), TIMESTAMP '2026-01-01 00:00:00.000001 UTC' + id * INTERVAL '7' HOUR${more}
              FROM UNNEST(sequence(${from}, ${to})) t(id)`)
          const same = Effect.fnUntraced(function* (what: string) {
            const ours = yield* readHere("changing", "changed")
            const cells = ours.schema.fields.map(({ name, type }) =>
              type._tag === "struct" ? name : `CAST(${name} AS VARCHAR) AS ${name}`
            )
            const theirs = yield* sql(`SELECT ${cells.join(", ")} FROM changing.changed`)
            assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, theirs), what)
            assert.isAbove(theirs.length, 20, what)
            yield* clean("changing", "changed")
          })
          const table = { namespace: "changing", name: "changed" }
          yield* insert(1, 60)
          yield* sql("DELETE FROM changing.changed WHERE id % 7 = 0")
          yield* sql("UPDATE changing.changed SET balance = balance + 1000 WHERE country = 'DE' AND id < 40")
          yield* sql(`MERGE INTO changing.changed t USING (SELECT id, 'XX' country FROM UNNEST(sequence(55, 65)) t(id)) s ON t.id = s.id
            WHEN MATCHED THEN UPDATE SET country = s.country WHEN NOT MATCHED THEN INSERT (id, country) VALUES (s.id, s.country)`)
          yield* same("changed rows")
          yield* sql("ALTER TABLE changing.changed ADD COLUMN note VARCHAR")
          yield* sql("ALTER TABLE changing.changed RENAME COLUMN country TO land")
          yield* sql("ALTER TABLE changing.changed ALTER COLUMN balance SET DATA TYPE DECIMAL(20, 2)")
          yield* sql("ALTER TABLE changing.changed ADD COLUMN place.z DATE")
          yield* sql("ALTER TABLE changing.changed RENAME COLUMN place.x TO ex")
          yield* sql("ALTER TABLE changing.changed ALTER COLUMN place.ex SET DATA TYPE BIGINT")
          yield* sql("ALTER TABLE changing.changed DROP COLUMN place.y")
          yield* sql("ALTER TABLE changing.changed SET PROPERTIES partitioning = ARRAY['day(at)', 'bucket(id, 3)']")
          yield* sql(`INSERT INTO changing.changed (id, land, balance, place, at, note) VALUES
            (100, 'FR', 1.5, ROW(5000000000, DATE '2026-02-28'), TIMESTAMP '2026-03-01 00:00:00 UTC', 'n'), (101, NULL, NULL, NULL, NULL, NULL)`)
          yield* sql("DELETE FROM changing.changed WHERE land = 'US' AND id > 50")
          yield* sql("ANALYZE changing.changed")
          yield* same("changed columns and partitions")
          const { metadata } = yield* Catalog.use((catalog) => catalog.loadTable(table))
          assert.deepStrictEqual(
            defaultSpec(metadata).fields.map(({ transform }) => transformToText(transform)),
            ["day", "bucket[3]"]
          )
          assert.isAbove(metadata.statistics.length, 0)

          const row = (id: number) =>
            `SELECT ${id}::BIGINT AS id, 'OURS' AS land, 1.25 AS balance, {'ex': 1, 'z': NULL} AS place, TIMESTAMPTZ '2026-05-01 00:00:00+00' AS at, 'ours' AS note`
          for (const mode of ["merge-on-read", "copy-on-write"]) {
            const modes = new Map([
              ["write.delete.mode", mode],
              ["write.update.mode", mode],
              ["write.merge.mode", mode]
            ])
            yield* commitTable({ table, actions: () => Effect.succeed([setProperties(modes)]) })
            yield* deleteRows(table, { _tag: "Compare", column: "land", operator: "=", value: "XX" })
            yield* deleteRows(table, {
              _tag: "Compare",
              column: "id",
              operator: "<",
              value: mode === "merge-on-read" ? 4n : 8n
            })
            yield* upsertRows(table, ["id"], [10, 20, 200].map(row).join(" UNION ALL "))
            yield* appendRows(table, row(mode === "merge-on-read" ? 300 : 301))
            yield* same(`changed here, ${mode}`)
          }
          yield* sql("DELETE FROM changing.changed WHERE id = 20")
          const compacted = yield* compactTable(table, { inputFilesMin: 2 })
          assert.isBelow(compacted.filesAfter, compacted.filesBefore)
          yield* compactManifests(table, { all: true })
          yield* same("compacted here")
          yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 2 })
          assert.deepInclude(yield* removeOrphans(table, { ageMsMin: -60_000 }), { error: undefined })
          yield* same("expired here")
          yield* sql("UPDATE changing.changed SET note = 'again' WHERE id > 40")
          yield* same("and goes on")
        })
      ),
    1_800_000
  )

  it.live(
    "reads what is deleted here at any moment, keeps it through its own upkeep, and refuses deletion vectors",
    () =>
      withTrino((sql) =>
        Effect.gen(function* () {
          yield* createAccounts(byCountry, [
            ["write.delete.mode", "merge-on-read"],
            ["write.update.mode", "merge-on-read"],
            ["write.merge.mode", "merge-on-read"]
          ])
          const rows = Array.from({ length: 300 }, (_, id) => ({
            id,
            country: ["US", "DE", null][id % 3]!,
            cents: id * 10
          }))
          const load = Catalog.use((catalog) => catalog.loadTable(accounts))
          yield* appendRows(accounts, rowsSql(rows.slice(0, 200)))
          const first = (yield* load).metadata.currentSnapshotId!
          yield* appendRows(accounts, rowsSql(rows.slice(200)))
          yield* commitTable({
            table: accounts,
            actions: ({ metadata }) =>
              Effect.succeed([setRef("whole", { ...branchAt(metadata.currentSnapshotId!), type: "tag" })])
          })
          yield* deleteRows(accounts, { _tag: "Compare", column: "balance", operator: "<", value: 300n })
          yield* upsertRows(accounts, ["id"], rowsSql([{ id: 299, country: null, cents: null }]))
          yield* deleteRows(accounts, { _tag: "Compare", column: "id", operator: ">=", value: 280n })
          const kept = rows.filter(({ cents, id }) => cents >= 300 && id < 280)
          const text = (of: typeof rows) =>
            of.map(({ cents, country, id }) => `${id}|${country}|${(cents / 100).toFixed(2)}`).sort()
          const seen = (at = "") =>
            Effect.map(
              sql(`SELECT CAST(id AS VARCHAR) id, country, CAST(balance AS VARCHAR) balance FROM test.accounts ${at}`),
              lines
            )
          assert.deepStrictEqual(yield* seen(), text(kept))
          assert.deepStrictEqual(yield* seen(`FOR VERSION AS OF ${first}`), text(rows.slice(0, 200)))
          assert.deepStrictEqual(yield* seen("FOR VERSION AS OF 'whole'"), text(rows))
          assert.deepStrictEqual(
            yield* seen("WHERE country IS NULL"),
            text(kept.filter(({ country }) => country === null))
          )
          const theirSnapshots = yield* sql('SELECT CAST(snapshot_id AS VARCHAR) id FROM test."accounts$snapshots"')
          assert.sameMembers(
            theirSnapshots.map(({ id }) => id),
            (yield* load).metadata.snapshots.map(({ snapshotId }) => String(snapshotId))
          )

          yield* sql("ALTER TABLE test.accounts EXECUTE optimize")
          assert.deepStrictEqual(lines(yield* readHereAccounts), text(kept))
          yield* sql("ALTER TABLE test.accounts EXECUTE optimize_manifests").pipe(Effect.ignore)
          yield* sql("ALTER TABLE test.accounts EXECUTE expire_snapshots(retention_threshold => '0s')", {
            "iceberg.expire_snapshots_min_retention": "0s"
          })
          yield* sql("ALTER TABLE test.accounts EXECUTE remove_orphan_files(retention_threshold => '0s')", {
            "iceberg.remove_orphan_files_min_retention": "0s"
          })
          assert.deepStrictEqual(lines(yield* readHereAccounts), text(kept))
          assert.deepStrictEqual(yield* seen(), text(kept))
          assert.deepStrictEqual(yield* seen("FOR VERSION AS OF 'whole'"), text(rows))
          yield* clean("test", "accounts")
          yield* appendRows(accounts, rowsSql([{ id: 1000, country: "US", cents: 1 }]))
          assert.lengthOf(yield* seen(), kept.length + 1)

          const catalog = yield* Catalog
          const newest = { namespace: "test", name: "newest" }
          yield* catalog.createTable({
            identifier: newest,
            schema: currentSchema((yield* load).metadata),
            properties: new Map([
              ["format-version", "3"],
              ["write.delete.mode", "merge-on-read"]
            ])
          })
          yield* appendRows(newest, rowsSql(rows.slice(0, 20)))
          const seenNewest = sql("SELECT CAST(id AS VARCHAR) id FROM test.newest")
          assert.lengthOf(yield* seenNewest, 20)
          yield* deleteRows(newest, { _tag: "Compare", column: "id", operator: "<", value: 5n })
          // Trino 470 knows no deletion vectors, and says so before a row comes that is deleted
          assert.match((yield* Effect.flip(seenNewest)).message, /Error processing metadata/)
          yield* sql("CREATE TABLE test.orc (id BIGINT) WITH (format = 'ORC')")
          yield* sql("INSERT INTO test.orc VALUES 1")
          assert.match((yield* Effect.flip(readHere("test", "orc"))).message, /orc/i)
        })
      ),
    1_800_000
  )
})
