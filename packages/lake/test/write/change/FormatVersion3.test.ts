/** What tables of format version 3 have beside rows: row ids, deletion vectors, default values. */
import { Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { lineageRelation } from "../../../src/read/TableRelation.ts"
import { schemaFromJson } from "../../../src/spec/Schema.ts"
import type { SchemaChange } from "../../../src/spec/SchemaChange.ts"
import { currentSnapshot } from "../../../src/spec/TableMetadata.ts"
import { appendRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { updateSchema, upgradeFormat } from "../../../src/write/TableAction.ts"
import { createAccounts, layerLake, load, readAccounts, rowsSql, table, textOf, type Account } from "./ChangeFixture.ts"

const accounts = (from: number, count: number): ReadonlyArray<Account> =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, country: "DE", cents: 10 * i }))

const below = (id: number): Filter => ({ _tag: "Compare", column: "id", operator: "<", value: BigInt(id) })
const exactly = (id: number): Filter => ({ _tag: "Compare", column: "id", operator: "=", value: BigInt(id) })

const merging = [
  ["write.delete.mode", "merge-on-read"],
  ["write.update.mode", "merge-on-read"],
  ["write.merge.mode", "merge-on-read"]
] as const

const upgrade = commitTable({ table, actions: () => Effect.succeed([upgradeFormat(3)]) })

/** Rows by id: their row id, and the commit that changed them last. */
const lineage = Effect.scoped(
  Effect.gen(function* () {
    const connection = yield* (yield* DuckDb).connect
    const relation = yield* Effect.fromResult(lineageRelation(yield* planScan(yield* load)))
    const sql = `SELECT id::INTEGER, _row_id::INTEGER, _last_updated_sequence_number::INTEGER FROM (${relation})`
    const reader = yield* connection.query(sql, "test")
    return new Map(reader.getRows().map(([id, row, changed]) => [Number(id), [row as number, changed as number]])) // or null
  })
)

/** Live delete files, as the newest snapshot's manifests name them. */
const deletesNow = Effect.gen(function* () {
  const fileIO = yield* FileIO
  const { metadata } = yield* load
  const list = yield* fileIO.readManifestList(currentSnapshot(metadata)!.manifestList)
  const deletes = list.filter(({ content }) => content === "deletes")
  const read = yield* Effect.forEach(deletes, (manifest) => fileIO.readDeleteManifest(manifest, []))
  return read
    .flat()
    .filter(({ status }) => status !== "deleted")
    .map(({ dataFile }) => dataFile)
})

const puffins = Effect.gen(function* () {
  const storage = yield* Storage
  const files = yield* Stream.runCollect(storage.list(`${(yield* load).metadata.location}/data/`))
  return files.map(({ uri }) => uri).filter((uri) => uri.endsWith(".puffin"))
})

describe("row lineage", () => {
  for (const mode of ["copy-on-write", "merge-on-read"]) {
    it.live(`keeps each row's id and last change, whatever moves it, ${mode}`, () =>
      Effect.gen(function* () {
        yield* createAccounts([], [["format-version", "3"], ...merging.map(([name]) => [name, mode] as const)])
        const model = new Map<number, readonly [row: number, changed: number]>()
        const append = Effect.fnUntraced(function* <E, R>(
          rows: ReadonlyArray<Account>,
          put: Effect.Effect<unknown, E, R>
        ) {
          const { metadata } = yield* load
          yield* put
          // rows that are moved beside may come first: new rows have new ids, one after another, from somewhere on
          const first = (yield* lineage).get(rows[0]!.id)![0]!
          assert.isAtLeast(first, Number(metadata.nextRowId))
          for (const [i, { id }] of rows.entries()) {
            model.set(id, [first + i, Number(metadata.lastSequenceNumber) + 1])
          }
        })
        const check = Effect.gen(function* () {
          assert.deepStrictEqual<unknown>(yield* lineage, model)
          const { metadata } = yield* load
          for (const [i, { addedRows, firstRowId }] of metadata.snapshots.entries()) {
            const next = metadata.snapshots[i + 1]?.firstRowId ?? metadata.nextRowId
            assert.strictEqual(firstRowId! + addedRows!, next)
          }
          assert.isTrue(Array.from(model.values()).every(([row]) => row < Number(metadata.nextRowId)))
        })
        const [first, second] = [accounts(0, 40), accounts(40, 10)]
        yield* append(first, appendRows(table, rowsSql(first)))
        yield* append(second, appendRows(table, rowsSql(second)))
        yield* check
        yield* deleteRows(table, below(7))
        for (let id = 0; id < 7; id++) model.delete(id)
        yield* check
        yield* compactTable(table, { inputFilesMin: 2 })
        yield* check
        const put = accounts(20, 3)
        yield* append(put, upsertRows(table, ["id"], rowsSql(put)))
        yield* check
        yield* deleteRows(table, exactly(21))
        model.delete(21)
        yield* compactTable(table, { inputFilesMin: 2 })
        yield* check
        assert.deepStrictEqual(Object.keys((yield* readTable(yield* load)).rows[0]!), ["id", "country", "balance"])
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("gives rows of an upgraded table their ids with its first commit, and not before", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendRows(table, rowsSql(accounts(0, 5)))
      yield* upgrade
      assert.deepStrictEqual<unknown>(Array.from((yield* lineage).values()), Array(5).fill([null, null]))
      yield* appendRows(table, rowsSql(accounts(5, 5)))
      const given = Array.from((yield* lineage).values())
      assert.sameDeepMembers<unknown>(
        given,
        Array.from({ length: 10 }, (_, i) => [i, i < 5 ? 2 : 1])
      )
      assert.strictEqual((yield* load).metadata.nextRowId, 10n)
    }).pipe(Effect.provide(layerLake))
  )
})

describe("deletion vectors", () => {
  it.live("lie in one file a commit, one of each data file, in the place of what meant it before", () =>
    Effect.gen(function* () {
      yield* createAccounts([], merging)
      const rows = accounts(0, 60)
      yield* appendRows(table, rowsSql(rows.slice(0, 30)))
      yield* appendRows(table, rowsSql(rows.slice(30)))
      yield* deleteRows(table, below(2))
      assert.deepStrictEqual(
        (yield* deletesNow).map(({ fileFormat }) => fileFormat),
        ["PARQUET"]
      )
      yield* upgrade
      const stays = (gone: (id: number) => boolean) => textOf(rows.filter(({ id }) => !gone(id)))
      yield* deleteRows(table, { _tag: "Or", filters: [exactly(5), exactly(45)] })
      assert.deepStrictEqual(
        yield* readAccounts(),
        stays((id) => id < 2 || id === 5 || id === 45)
      )
      const vectors = yield* deletesNow
      assert.deepStrictEqual(vectors.map(({ fileFormat, recordCount }) => `${fileFormat} ${recordCount}`).sort(), [
        "PUFFIN 1",
        "PUFFIN 3"
      ])
      assert.strictEqual(new Set(vectors.map(({ filePath }) => filePath)).size, 1)
      yield* deleteRows(table, below(9))
      const summary = currentSnapshot((yield* load).metadata)!.summary
      for (const [name, count] of [
        ["added-dvs", "1"],
        ["removed-dvs", "1"],
        ["added-position-deletes", "9"],
        ["removed-position-deletes", "3"],
        ["total-position-deletes", "10"],
        ["total-delete-files", "2"]
      ]) {
        assert.strictEqual(summary.get(name!), count, name)
      }
      assert.deepStrictEqual(
        yield* readAccounts(),
        stays((id) => id < 9 || id === 45)
      )
      yield* deleteRows(table, below(30))
      assert.lengthOf(yield* deletesNow, 1, "of a file that went with all its rows")
    }).pipe(Effect.provide(layerLake))
  )

  it.live("of changes that meet each other lose nothing of either", () =>
    Effect.gen(function* () {
      yield* createAccounts([], [["format-version", "3"], ...merging])
      yield* appendRows(table, rowsSql(accounts(0, 20)))
      const ids = [3, 12]
      yield* Effect.forEach(ids, (id) => deleteRows(table, exactly(id), { isolation: "snapshot" }), {
        concurrency: "unbounded"
      })
      const left = accounts(0, 20).filter(({ id }) => !ids.includes(id))
      assert.deepStrictEqual(yield* readAccounts(), textOf(left))
      assert.deepStrictEqual(
        (yield* deletesNow).map(({ recordCount }) => recordCount),
        [2n]
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.live("go with compaction, and their files with the last snapshot that needs them", () =>
    Effect.gen(function* () {
      yield* createAccounts([], [["format-version", "3"], ...merging])
      yield* appendRows(table, rowsSql(accounts(0, 20)))
      yield* deleteRows(table, below(15))
      const left = accounts(0, 20).filter(({ id }) => id >= 15)
      const cleanUp = Effect.andThen(
        expireSnapshots(table, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 }),
        removeOrphans(table, { ageMsMin: 0 })
      )
      yield* cleanUp
      assert.lengthOf(yield* puffins, 1)
      assert.deepStrictEqual(yield* readAccounts(), textOf(left))
      yield* compactTable(table)
      assert.deepStrictEqual(yield* deletesNow, [])
      assert.deepStrictEqual(yield* readAccounts(), textOf(left))
      assert.strictEqual(currentSnapshot((yield* load).metadata)!.summary.get("total-position-deletes"), "0")
      yield* cleanUp
      assert.deepStrictEqual(yield* puffins, [])
      assert.deepStrictEqual(yield* readAccounts(), textOf(left))
    }).pipe(Effect.provide(layerLake))
  )
})

const evolve = (...changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table, actions: () => Effect.succeed([updateSchema(...changes)]) })

describe("default values", () => {
  it.live("are what rows written before have, at any depth, also after compaction, and not in the past", () =>
    Effect.gen(function* () {
      yield* (yield* Catalog).createTable({
        identifier: table,
        properties: new Map([["format-version", "3"]]),
        schema: schemaFromJson(
          {
            type: "struct",
            fields: [
              { id: 1, name: "id", required: true, type: "int" },
              {
                id: 2,
                name: "at",
                required: false,
                type: { type: "struct", fields: [{ id: 3, name: "lat", required: false, type: "double" }] }
              }
            ]
          },
          "schema"
        )
      })
      yield* appendRows(table, `SELECT 1 AS id, {lat: 1.5} AS "at" UNION ALL SELECT 2, NULL`)
      const before = currentSnapshot((yield* load).metadata)!.snapshotId
      yield* evolve(
        { _tag: "AddColumn", parent: "at", name: "zone", type: { _tag: "string" }, defaultValue: "UTC" },
        { _tag: "AddColumn", name: "paid", type: { _tag: "decimal", precision: 9, scale: 2 }, defaultValue: "-1.50" },
        {
          _tag: "AddColumn",
          name: "seen",
          type: { _tag: "timestamptz" },
          defaultValue: "2026-01-02T03:04:05.000006+00:00"
        },
        { _tag: "AddColumn", name: "key", type: { _tag: "binary" }, defaultValue: "00ff" },
        { _tag: "AddColumn", name: "big", type: { _tag: "long" }, defaultValue: 9007199254740993n },
        {
          _tag: "AddColumn",
          name: "tags",
          type: { _tag: "list", elementId: 0, elementRequired: true, element: { _tag: "int" } },
          defaultValue: [1, 2]
        }
      )
      yield* appendRows(
        table,
        `SELECT 3 AS id, {lat: NULL, zone: NULL} AS "at", 2.25 AS paid, NULL AS seen, NULL AS key, 0 AS big, [] AS tags`
      )
      const more = {
        paid: "-1.50",
        seen: "2026-01-02 03:04:05.000006+00",
        key: "00FF",
        big: "9007199254740993",
        tags: [1, 2]
      }
      const expected = [
        { id: 1, at: { lat: 1.5, zone: "UTC" }, ...more },
        { id: 2, at: null, ...more },
        { id: 3, at: { lat: null, zone: null }, paid: "2.25", seen: null, key: null, big: "0", tags: [] }
      ]
      const query = `SELECT id, "at", paid, strftime(seen AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%f+00') AS seen, hex(key) AS key, big, tags FROM t ORDER BY id`
      assert.deepStrictEqual<unknown>((yield* readTable(yield* load, { query })).rows, expected)
      const past = yield* readTable(yield* load, { asOf: { _tag: "SnapshotId", snapshotId: before } })
      assert.deepStrictEqual(Object.keys(past.rows[0]!), ["id", "at"])
      const filter: Filter = { _tag: "Compare", column: "paid", operator: "<", value: 0n }
      assert.lengthOf((yield* readTable(yield* load, { filter, query: "SELECT id FROM t WHERE paid < 0" })).rows, 2)
      yield* compactTable(table, { inputFilesMin: 2 })
      const { plan, rows } = yield* readTable(yield* load, { query })
      assert.lengthOf(plan.entries, 1)
      assert.deepStrictEqual<unknown>(rows, expected)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are refused where the format or the type does not have them", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      const add = (defaultValue: string) =>
        evolve({ _tag: "AddColumn", name: "day", type: { _tag: "date" }, defaultValue })
      assert.include((yield* Effect.flip(add("2026-01-01"))).message, "upgradeFormat(3)")
      yield* upgrade
      assert.include((yield* Effect.flip(add("tomorrow"))).message, "column day: its default: is no date")
      yield* add("2026-01-01")
      const [day] = (yield* load).metadata.schemas.at(-1)!.fields.slice(-1)
      assert.deepInclude(day, { name: "day", initialDefault: "2026-01-01", writeDefault: "2026-01-01" })
    }).pipe(Effect.provide(layerLake))
  )
})

describe("types that format version 3 added", () => {
  for (const type of ["variant", "unknown", "timestamptz_ns", "geometry(srid:4326)", "geography"]) {
    it(`are refused by name: ${type}`, () => {
      const fields = [{ id: 1, name: "a", required: false, type }]
      const read = () => schemaFromJson({ type: "struct", fields }, "schemas[0]")
      assert.throws(read, `type ${type} of format version 3 is not read here`)
    })
  }
})
