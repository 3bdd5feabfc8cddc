import { join } from "node:path"
import { readdir, utimes, writeFile } from "node:fs/promises"
import { holdJobLock } from "@frazil/connect"
import { auditTable, Catalog, readTable } from "@frazil/lake"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { fillData, folder, land, maintenance, services, tableOf } from "./RunMaintenance.ts"

interface Printed {
  readonly table: string
  readonly action: string
  readonly [name: string]: unknown
}

// as the command promises
const printed = (text: string) => JSON.parse(text) as ReadonlyArray<Printed>

/** Without what a dry run and a real one may differ in. */
const figures = ({ dry_run: _, finished_at: _f, snapshot_id: _i, started_at: _s, ...rest }: Printed) => rest

describe("maintenance", () => {
  it.live("does what its dry run said, keeps every row, and its history lands in system.maintenance", () =>
    Effect.gen(function* () {
      const data = join(yield* folder, "data")
      yield* fillData(data, 6)
      const dry = yield* maintenance(
        "all",
        "--data",
        data,
        "--json",
        "--dry-run",
        "--snapshots-older-than",
        "0s",
        "--snapshots-keep",
        "2"
      )
      const real = yield* maintenance(
        "all",
        "--data",
        data,
        "--json",
        "--snapshots-older-than",
        "0s",
        "--snapshots-keep",
        "2"
      )
      assert.deepStrictEqual([dry.error, real.error], [undefined, undefined])
      assert.deepStrictEqual(printed(real.stdout).map(figures), printed(dry.stdout).map(figures))
      const [expire, orphans, manifests, compact] = printed(real.stdout)
      assert.deepInclude(expire, { table: "transactions.raw", action: "expire", snapshots_expired: 4, dry_run: false })
      assert.deepInclude(orphans, { action: "orphans", files_before: 0 })
      assert.deepInclude(manifests, { action: "manifests", files_before: 6, files_after: 1, conflicts: 0 })
      assert.deepInclude(compact, { action: "compact", files_before: 6, files_after: 1, conflicts: 0, error: null })
      yield* Effect.gen(function* () {
        const report = yield* auditTable(tableOf("transactions.raw"))
        assert.deepStrictEqual(report.problems, [])
        yield* land("system.maintenance")
        const catalog = yield* Catalog
        const history = yield* catalog.loadTable({ namespace: "system", name: "maintenance" })
        const query =
          "SELECT action, dry_run, files_before::INT AS b, files_after::INT AS a FROM t ORDER BY started_at, action"
        const { rows } = yield* readTable(history, { query })
        assert.strictEqual(rows.length, 8)
        assert.deepInclude(rows.at(-1), { action: "compact", dry_run: false, b: 6, a: 1 })
        // landing goes on after its table was compacted and its snapshots expired
        yield* land("transactions.raw")
      }).pipe(Effect.provide(services(data)))
    })
  )

  it.live("says in one line what is wrong with what it is asked", () =>
    Effect.gen(function* () {
      const data = join(yield* folder, "data")
      assert.match((yield* maintenance("all", "--data", data)).error ?? "", /holds no catalog\.db/)
      yield* fillData(data, 1)
      const unknown = yield* maintenance("compact", "--data", data, "--table", "transactions.row")
      assert.match(unknown.error ?? "", /there is no table transactions\.row: the catalog has transactions\.raw/)
    })
  )

  it.live("lists what a dropped table left in the place of a new one, once it is told that it is gone", () =>
    Effect.gen(function* () {
      const data = join(yield* folder, "data")
      yield* fillData(data, 1)
      const { schema, table } = tableOf("transactions.raw")
      const former = yield* Effect.gen(function* () {
        const catalog = yield* Catalog
        const identifier = { namespace: "transactions", name: "raw" }
        const { metadata } = yield* catalog.loadTable(identifier)
        yield* catalog.dropTable(identifier)
        yield* catalog.createTable({ identifier, schema, location: metadata.location })
        return metadata
      }).pipe(Effect.provide(services(data)))
      const files = yield* Effect.promise(() => readdir(join(data, "warehouse"), { recursive: true }))
      const old = new Date((yield* Clock.currentTimeMillis) - 4 * 86_400_000)
      yield* Effect.promise(() => Promise.all(files.map((file) => utimes(join(data, "warehouse", file), old, old))))
      const orphans = (...words: ReadonlyArray<string>) =>
        maintenance("orphans", "--data", data, "--table", table, "--json", "--dry-run", ...words)
      const said = `--former-table ${former.tableUuid}`
      assert.include((yield* orphans()).error ?? "", said)
      const told = yield* orphans(...said.split(" "))
      assert.isUndefined(told.error)
      // of its one commit and of its making: data, a manifest, a list, two files of metadata
      assert.deepInclude(printed(told.stdout)[0], { action: "orphans", files_before: 5, error: null })
    })
  )

  it.live("does not run an action twice at once on a data directory", () =>
    Effect.gen(function* () {
      const data = join(yield* folder, "data")
      yield* fillData(data, 1)
      yield* holdJobLock({ job: "maintenance-compact", dataDirectory: data })
      assert.match((yield* maintenance("compact", "--data", data)).error ?? "", /already running/)
      assert.isUndefined((yield* maintenance("expire", "--data", data)).error)
    })
  )

  it.live("goes on with other tables when one is damaged, and fails at the end", () =>
    Effect.gen(function* () {
      const data = join(yield* folder, "data")
      yield* fillData(data, 5)
      // the budget of a run is taken at its word, and said
      const budget = yield* maintenance("compact", "--data", data, "--compact-files-max", "4")
      assert.match(budget.stdout, /, 1 group of files left to the next run/)
      const list = yield* Effect.gen(function* () {
        yield* land("system.dead_letter")
        yield* land("system.maintenance")
        const catalog = yield* Catalog
        const table = yield* catalog.loadTable({ namespace: "transactions", name: "raw" })
        return table.metadata.snapshots.at(-1)?.manifestList ?? ""
      }).pipe(Effect.provide(services(data)))
      yield* Effect.promise(() => writeFile(list.replace("file://", ""), "no list"))
      const ended = yield* maintenance("compact", "--data", data, "--json")
      assert.match(ended.error ?? "", /^compact of transactions\.raw: manifest list/)
      assert.deepStrictEqual(
        printed(ended.stdout).map(({ error, table }) => [table, error === null]),
        [
          ["system.dead_letter", true],
          ["system.maintenance", true],
          ["transactions.raw", false]
        ]
      )
    })
  )
})
