/**
 * Tables are shown as the catalog has them, and an audit's answer is its exit code.
 */
import { join } from "node:path"
import { rmSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Catalog, commitTable, setStatistics } from "@frazil/lake"
import { Effect } from "effect"
import { fillData, services, temporaryFolder, transactions } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const filled = Effect.flatMap(temporaryFolder, (folder) => fillData(folder, transactions(100)))

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), value)

describe("tables", () => {
  it.live("list, describe, snapshots and files say the same numbers", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const listed = yield* frazilJson("tables", "list", "--data", data)
      assert.deepInclude(member(listed, 0), { table: "system.dead_letter", topic: "dead-letter", rows: 20 })
      assert.deepInclude(member(listed, 1), {
        table: "transactions.raw",
        rows: 80,
        files: 2,
        snapshots: 1,
        error: null
      })
      const described = yield* frazilJson("tables", "describe", "transactions.raw", "--data", data)
      assert.deepInclude(described, { rows: 80, partition_by: ["day(event_timestamp)"], topic: "raw-transactions" })
      assert.deepInclude(member(described, "columns"), {
        id: 3,
        name: "amount",
        type: "decimal(18, 2)",
        required: true
      })
      const marks = [0, 1, 2, 3].map((i) => Number(member(described, "marks", i, "next_offset")))
      assert.strictEqual(
        marks.reduce((sum, next) => sum + next, 0),
        100
      )
      const snapshots = yield* frazilJson("tables", "snapshots", "transactions.raw", "--data", data)
      assert.deepInclude(member(snapshots, 0), { operation: "append", refs: ["main"] })
      assert.strictEqual(member(snapshots, 0, "snapshot_id"), member(described, "snapshot_id"))
      const files = yield* frazilJson("tables", "files", "transactions.raw", "--data", data)
      assert.strictEqual(Number(member(files, 0, "rows")) + Number(member(files, 1, "rows")), 80)
      assert.match(String(member(files, 0, "partition")), /^event_timestamp_day=2026-01-1[45]$/)
    })
  )

  it.live("print tables that line up, for people", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const lines = (yield* frazil(["tables", "list", "--data", data])).stdout.split("\n")
      assert.match(lines[0] ?? "", /^TABLE +ROWS +FILES +SIZE +SNAPSHOTS +LAST COMMIT +FROM TOPIC$/)
      assert.match(lines[2] ?? "", /^transactions\.raw +80 +2 +[0-9.]+ KB +1 +[0-9.]+ s ago +raw-transactions$/)
      assert.match(
        (yield* frazil(["tables", "describe", "transactions.raw", "--data", data])).stdout,
        /^uuid +[0-9a-f-]{36}$/m
      )
      assert.include((yield* frazil(["tables", "snapshots", "transactions.raw", "--data", data])).stdout, "append")
      assert.include((yield* frazil(["tables", "files", "transactions.raw", "--data", data])).stdout, ".parquet")
    })
  )

  it.live("name what is not there: a table, a topic, a catalog", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const described = yield* frazil(["tables", "describe", "a.b", "--data", data])
      assert.match(described.error ?? "", /^table a\.b is not in catalog .*: look at "frazil tables list"$/)
      assert.include((yield* frazil(["tables", "files", "raw", "--data", data])).error, "namespace.table")
      rmSync(join(data, "catalog.db"))
      const listed = yield* frazil(["tables", "list", "--data", data])
      assert.include(listed.error, "holds no catalog.db")
      assert.strictEqual(listed.stdout, "")
    })
  )

  it.live("list a table whose metadata is damaged, with the reason, and fail", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const described = yield* frazilJson("tables", "describe", "transactions.raw", "--data", data)
      const metadata = String(member(described, "metadata_location")).replace("file://", "")
      writeFileSync(metadata, "{}")
      const listed = yield* frazil(["tables", "list", "--data", data, "--json"])
      assert.strictEqual(listed.error, "cannot be read: transactions.raw")
      assert.include(String(member(JSON.parse(listed.stdout), 1, "error")), metadata)
    })
  )
})

describe("tables audit", () => {
  it.live("counts each partition and says that they match", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const audited = yield* frazil(["tables", "audit", "transactions.raw", "--data", data])
      assert.isUndefined(audited.error)
      assert.include(
        audited.stdout,
        "transactions.raw matches raw-transactions: 100 records, 20 of them invalid, 80 rows, none missing, none doubled"
      )
      const report = yield* frazilJson("tables", "audit", "system.dead_letter", "--data", data)
      assert.deepInclude(report, { matches: true, foreign_rows: 0, problems: [] })
      assert.deepInclude(member(report, "partitions", 0, "found"), {
        rows: 20,
        distinct: 20,
        min: 0,
        max: 19,
        sum: "190"
      })
    })
  )

  it.live("fails and says why when table and log are not of one moment", () =>
    Effect.gen(function* () {
      const data = yield* filled
      yield* Log.use((log) => log.deleteTopic("raw-transactions")).pipe(Effect.provide(services(data)))
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], ["{}\n"])
      const audited = yield* frazil(["tables", "audit", "transactions.raw", "--data", data, "--json"])
      assert.match(audited.error ?? "", /^transactions\.raw does not match raw-transactions: /)
      assert.include(audited.error, "was landed from a topic raw-transactions with id")
      assert.deepInclude(JSON.parse(audited.stdout), { matches: false })
    })
  )

  it.live("finds wrong facts in a table of its own, repairs what follows from files, and names what does not", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const table = { namespace: "transactions", name: "raw" }
      const { metadata } = yield* Catalog.use((catalog) => catalog.loadTable(table)).pipe(
        Effect.provide(services(data))
      )
      const gone = `${metadata.location}/metadata/gone.stats`
      const statistics = setStatistics("table", {
        "snapshot-id": metadata.currentSnapshotId,
        "statistics-path": gone,
        "file-size-in-bytes": 10
      })
      yield* commitTable({ table, actions: () => Effect.succeed([statistics]) }).pipe(Effect.provide(services(data)))
      const audited = yield* frazil(["tables", "audit", "transactions.raw", "--data", data])
      assert.match(audited.error ?? "", /^transactions\.raw is not what it says of itself: 1 wrong fact, 1 of them/)
      assert.include(audited.stdout, `statistics: ${gone}: `)
      const dry = ["tables", "audit", "transactions.raw", "--data", data, "--repair", "--dry-run"]
      assert.include((yield* frazil(dry)).stdout, `would repair statistics: ${gone}`)
      const repaired = yield* frazilJson("tables", "audit", "transactions.raw", "--data", data, "--repair")
      assert.deepInclude(repaired, { matches: true, topic: "raw-transactions" })
      assert.deepInclude(member(repaired, "facts"), { files: 2, manifests: 1, problems: [] })
      assert.strictEqual(member(repaired, "facts", "repaired", 0, "where"), gone)
      const [file] = (yield* frazilJson(
        "tables",
        "files",
        "transactions.raw",
        "--data",
        data
      )) as ReadonlyArray<unknown> // as it prints
      const path = String(member(file, "path"))
      rmSync(path.replace("file://", ""))
      const missing = yield* frazil(["tables", "audit", "transactions.raw", "--data", data])
      assert.match(missing.error ?? "", /1 wrong fact, 0 of them can be repaired/)
      assert.include(missing.stdout, `file: ${path}: `)
      assert.match(missing.stderr, /cannot be recounted against its log/)
    })
  )

  it.live("refuses a dry run of nothing", () =>
    Effect.gen(function* () {
      const ended = yield* frazil(["tables", "audit", "transactions.raw", "--data", "nowhere", "--dry-run"])
      assert.strictEqual(ended.error, "--dry-run goes with --repair")
    })
  )
})
