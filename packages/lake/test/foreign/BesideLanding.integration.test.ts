/**
 * Upkeep by Spark, by Trino and here on a table that is landed into all the time, over one REST catalog: after each step every
 * reader sees exactly the rows that the marks of a snapshot promise, and the landing goes on; then ours on tables that Spark,
 * Trino and Flink wrote, beside the same landing.
 *
 * What rows there must be is worked out from the marks and what was appended. The engines are large: they run only when
 * FRAZIL_FOREIGN is `full`.
 */
import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { restServer, trinoServer } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { auditTable } from "../../src/landing/Audit.ts"
import { readMarks } from "../../src/landing/Mark.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import type { Snapshot } from "../../src/spec/Snapshot.ts"
import { ancestorsOf, type TableMetadata } from "../../src/spec/TableMetadata.ts"
import { appendEvents, events, landing } from "../landing/LandingFixture.ts"
import { folder, layerOverRest } from "./ForeignTable.ts"
import { lineSession } from "./LineSession.ts"
import { sparkOnRest } from "./SparkSession.ts"
import { checkTheirs } from "./TheirUpkeep.ts"
import { askTrino } from "./Trino.ts"

const [restPort, trinoPort] = [8245, 8385]
const recordsOfAppend = 30
const dayMs = 86_400_000

/** What was appended up to the marks, but for every third record, which does not decode. */
const promised = (metadata: TableMetadata, snapshotId: bigint): ReadonlyArray<string> => {
  for (const { summary } of ancestorsOf(metadata, snapshotId)) {
    const marks = readMarks(landing.uid, landing.branch, summary)
    if (marks === undefined || marks.size === 0) continue
    return Array.from(marks, ([partition, { next }]) =>
      Array.from({ length: next }, (_, offset) => offset)
        .filter((offset) => offset % 3 !== 2)
        .map((offset) => `${partition}/${offset}`)
    )
      .flat()
      .sort()
  }
  return assert.fail("no snapshot carries marks")
}

const Rows = Schema.Array(Schema.Struct({ source_partition: Schema.String, source_offset: Schema.String }))
const Answers = Schema.Struct({
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({ pyiceberg: Schema.Struct({ rows: Rows }), duckdb: Schema.Struct({ rows: Rows }) })
  )
})
const idsOf = (rows: typeof Rows.Type) => rows.map((row) => `${row.source_partition}/${row.source_offset}`).sort()

/** What a procedure of Spark's says that it did. */
const Counts = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
const countOf = ([row]: typeof Counts.Type, name: string): number => Number(row?.[name])

/** Its errors where another commit was first; it is told to try again, as its users are. */
const sparkConflict = /\.(CommitFailedException|ValidationException): /

const seconds = (ms: number) => ms / 1000

const filesIn = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true })
    .map((name) => join(path, String(name)))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)

/** Makes these files old, so that who takes one for an orphan removes it. */
const age = Effect.fnUntraced(function* (files: ReadonlyArray<string>) {
  const now = yield* Clock.currentTimeMillis
  for (const file of files) {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat === undefined || now - stat.mtimeMs >= dayMs) continue
    const old = seconds(stat.mtimeMs - 3 * dayMs)
    utimesSync(file, old, old)
  }
})

/** An old file that nothing names. */
const plant = Effect.fnUntraced(function* (path: string, name: string) {
  const file = join(path, name)
  writeFileSync(file, "left by nobody")
  const old = seconds((yield* Clock.currentTimeMillis) - 3 * dayMs)
  utimesSync(file, old, old)
})

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("beside a landing", () => {
  it.live(
    "every reader agrees after each step of Spark's, Trino's and our upkeep, and the landing goes on",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { url } = yield* restServer(restPort, path)
        const trino = yield* trinoServer(trinoPort, restPort)
        const sql = (statement: string, session?: Readonly<Record<string, string>>) =>
          askTrino(trino.url, statement, session)
        const spark = yield* sparkOnRest(url)
        const python = yield* lineSession("pylake.sh", [
          "py",
          join(import.meta.dirname, "foreign_readers.py"),
          "--serve"
        ])
        const warehouse = join(path, "warehouse")
        const tableFolder = join(warehouse, "test", "events")
        const load = Catalog.use((catalog) => catalog.loadTable(landing))

        yield* Effect.gen(function* () {
          let ended = false
          yield* appendEvents(0, recordsOfAppend)
          const land = yield* Effect.forkChild(
            runLanding(landing, { commitEveryMs: 500, inputComplete: () => Effect.sync(() => ended) })
          )
          const produce = yield* Effect.forkChild(
            Effect.gen(function* () {
              for (let i = 0; !ended; i++) {
                yield* appendEvents(i % events.partitions, recordsOfAppend)
                yield* Effect.sleep("2 seconds")
              }
            })
          )
          const landed = Effect.map(load, ({ metadata }) =>
            metadata.currentSnapshotId === null ? 0 : promised(metadata, metadata.currentSnapshotId).length
          )
          /** The landing has swapped in more than it had. */
          const goesOn = Effect.fnUntraced(function* (than: number) {
            while ((yield* landed) <= than) {
              const exit = land.pollUnsafe()
              if (exit !== undefined) return yield* Fiber.join(land)
              yield* Effect.sleep("50 millis")
            }
            return undefined
          })
          yield* Effect.sleep("1 second")
          // the table is made by the landing
          while ((yield* Effect.option(load))._tag === "None") yield* Effect.sleep("100 millis")
          yield* goesOn(0)

          const check = Effect.fnUntraced(function* (step: string) {
            const { metadata } = yield* load
            const snapshotId = metadata.currentSnapshotId!
            const expected = promised(metadata, snapshotId)
            assert.isAbove(expected.length, 0)
            const columns =
              "CAST(source_partition AS VARCHAR) source_partition, CAST(source_offset AS VARCHAR) source_offset"
            const ours = yield* readTable(yield* load, {
              asOf: { _tag: "SnapshotId", snapshotId },
              query: `SELECT ${columns} FROM t`
            })
            const decoded = (rows: unknown) => Effect.map(Schema.decodeUnknownEffect(Rows)(rows), idsOf)
            assert.deepStrictEqual(yield* decoded(ours.rows), expected, `${step}: here`)
            const theirs = yield* sql(`SELECT ${columns} FROM test.events FOR VERSION AS OF ${snapshotId}`)
            assert.deepStrictEqual(yield* decoded(theirs), expected, `${step}: Trino`)
            const { tables } = yield* python({
              rest: url,
              tables: [
                {
                  table: "test.events",
                  questions: [
                    {
                      name: "rows",
                      order: ["source_partition", "source_offset"],
                      columns: ["source_partition", "source_offset"],
                      snapshotId: String(snapshotId)
                    }
                  ]
                }
              ]
            }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Schema.fromJsonString(Answers))))
            const answer = tables["test.events"]!
            assert.deepStrictEqual(idsOf(answer.pyiceberg.rows), expected, `${step}: PyIceberg`)
            assert.deepStrictEqual(idsOf(answer.duckdb.rows), expected, `${step}: DuckDB`)
            const strings = columns.replaceAll("VARCHAR", "STRING")
            const rows = yield* spark(`SELECT ${strings} FROM lab.test.events VERSION AS OF ${snapshotId}`)
            assert.deepStrictEqual(yield* decoded(rows), expected, `${step}: Spark`)
            yield* goesOn(expected.length)
          })
          // two swaps later what was there is in the table or never will be, however long a swap takes
          const ageWritten = Effect.gen(function* () {
            const there = filesIn(tableFolder)
            for (let swaps = 0; swaps < 2; swaps++) yield* goesOn(yield* landed)
            yield* age(there)
          })
          const orphans = [
            "data/orphan-of-spark.parquet",
            "data/orphan-of-trino.parquet",
            "data/orphan-of-ours.parquet"
          ]
          const there = (name: string) => readdirSync(tableFolder, { recursive: true }).map(String).includes(name)

          yield* check("landed")
          const call = (procedure: string, args: string) =>
            spark(`CALL lab.system.${procedure}(table => 'test.events'${args === "" ? "" : `, ${args}`})`).pipe(
              // a rewrite of manifests gives up where the landing merged one of them meanwhile, as it would beside Java's writers
              Effect.retry({ times: 9, while: ({ message }) => sparkConflict.test(message) }),
              Effect.flatMap(Schema.decodeUnknownEffect(Counts))
            )
          const rewritten = yield* call(
            "rewrite_data_files",
            "options => map('rewrite-all', 'true', 'partial-progress.enabled', 'true')"
          )
          assert.isAbove(countOf(rewritten, "rewritten_data_files_count"), 0)
          yield* check("Spark's rewrite_data_files")
          assert.isAbove(countOf(yield* call("rewrite_manifests", ""), "rewritten_manifests_count"), 0)
          yield* check("Spark's rewrite_manifests")
          const expired = yield* call(
            "expire_snapshots",
            `older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 5`
          )
          // a snapshot that goes takes its list with it
          assert.isAbove(countOf(expired, "deleted_manifest_lists_count"), 0)
          yield* check("Spark's expire_snapshots")
          yield* ageWritten
          yield* plant(tableFolder, orphans[0]!)
          const before2Days = new Date((yield* Clock.currentTimeMillis) - 2 * dayMs).toISOString().slice(0, 19)
          yield* call("remove_orphan_files", `older_than => TIMESTAMP '${before2Days.replace("T", " ")}'`)
          assert.isFalse(there(orphans[0]!))
          yield* check("Spark's remove_orphan_files")

          const snapshots = Effect.map(load, ({ metadata }) => metadata.snapshots)
          const beforeTrino = yield* snapshots
          yield* sql("ALTER TABLE test.events EXECUTE optimize")
          const isNew = ({ snapshotId }: Snapshot) => beforeTrino.every((each) => each.snapshotId !== snapshotId)
          // the landing appends only
          assert.isTrue((yield* snapshots).some((each) => isNew(each) && each.operation === "replace"))
          yield* check("Trino's optimize")
          yield* sql("ALTER TABLE test.events EXECUTE expire_snapshots(retention_threshold => '10s')", {
            "iceberg.expire_snapshots_min_retention": "0s"
          })
          const left = new Set((yield* snapshots).map(({ snapshotId }) => snapshotId))
          assert.isTrue(beforeTrino.some(({ snapshotId }) => !left.has(snapshotId)))
          yield* check("Trino's expire_snapshots")
          yield* ageWritten
          yield* plant(tableFolder, orphans[1]!)
          yield* sql("ALTER TABLE test.events EXECUTE remove_orphan_files(retention_threshold => '1d')", {
            "iceberg.remove_orphan_files_min_retention": "0s"
          })
          assert.isFalse(there(orphans[1]!))
          yield* check("Trino's remove_orphan_files")

          const compacted = yield* compactTable(landing, { inputFilesMin: 2 })
          assert.deepInclude(compacted, { error: undefined })
          assert.isBelow(compacted.filesAfter, compacted.filesBefore)
          yield* check("our compaction")
          const manifests = yield* compactManifests(landing, { all: true })
          assert.isDefined(manifests.snapshotId)
          assert.isBelow(manifests.filesAfter, manifests.filesBefore)
          yield* check("our rewrite of manifests")
          const expiry = yield* expireSnapshots(landing, { snapshotAgeMsMax: -1, snapshotsKeptMin: 3 })
          assert.deepInclude(expiry, { error: undefined })
          assert.isAbove(expiry.snapshotsExpired, 0)
          assert.isBelow(expiry.filesAfter, expiry.filesBefore)
          yield* check("our expiry")
          yield* ageWritten
          yield* plant(tableFolder, orphans[2]!)
          assert.deepInclude(yield* removeOrphans(landing, { ageMsMin: dayMs }), { error: undefined })
          assert.isFalse(there(orphans[2]!))
          yield* check("our orphan removal")

          yield* checkTheirs(url, sql, spark, python)
          yield* goesOn(yield* landed)

          ended = true
          yield* Fiber.join(produce)
          yield* Fiber.join(land)
          yield* checkEnd(load)
        }).pipe(Effect.provide(Layer.merge(EmbeddedLog.layerMemory, layerOverRest(path, url))))
      }).pipe(Effect.scoped),
    3_600_000
  )
})

/** At the end: the table against its log, and against itself. */
const checkEnd = Effect.fnUntraced(function* (
  load: Effect.Effect<{ readonly metadata: TableMetadata }, unknown, Catalog>
) {
  assert.deepStrictEqual((yield* auditTable(landing)).problems, [])
  assert.deepStrictEqual((yield* auditFacts({ namespace: "test", name: "events" })).problems, [])
  const { metadata } = yield* load
  assert.isAbove(promised(metadata, metadata.currentSnapshotId!).length, 100)
})
