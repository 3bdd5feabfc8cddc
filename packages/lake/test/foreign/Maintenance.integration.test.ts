/**
 * Foreign readers after upkeep: PyIceberg, DuckDB's own reader and (with FRAZIL_FOREIGN=full) Spark see the same rows in
 * compacted tables, now and at the snapshots that expiry kept; and files that PyIceberg and Spark wrote are compacted too.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { runPython, runSpark } from "./ForeignReaders.ts"
import {
  assertRows,
  everything,
  folder,
  layerAt,
  makeRecords,
  type Row,
  rowsTotal,
  writeEverything
} from "./ForeignTable.ts"

const mixed = { namespace: "shared", name: "mixed" }

/** Nested types, and doubles that may be NaN. */
const mixedSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "ratio", required: false, type: { _tag: "double" } },
    {
      id: 3,
      name: "place",
      required: false,
      type: {
        _tag: "struct",
        fields: [
          { id: 4, name: "city", required: false, type: { _tag: "string" } },
          {
            id: 5,
            name: "codes",
            required: false,
            type: { _tag: "list", elementId: 6, elementRequired: false, element: { _tag: "int" } }
          }
        ]
      }
    }
  ]
}

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
const Answers = Schema.Struct({
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({
      description: Schema.Struct({ snapshots: Schema.Array(Schema.String), files: Schema.Int }),
      pyiceberg: Schema.Record(Schema.String, Rows),
      duckdb: Schema.Record(Schema.String, Rows)
    })
  )
})

const ask = (path: string, table: string, questions: ReadonlyArray<unknown>, append?: unknown) =>
  runPython("foreign_readers.py", {
    catalogName: "frazil",
    catalogFile: join(path, "catalog.db"),
    warehouse: `file://${path}/warehouse`,
    ...(append === undefined ? {} : { append: { table, columns: append } }),
    tables: [{ table, questions }]
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Answers)),
    Effect.map(({ tables }) => tables[table] ?? assert.fail(`no answer about ${table}`))
  )

const keepTwo = { snapshotAgeMsMax: -1, snapshotsKeptMin: 2 }
const everyFile = { ageMsMin: -60_000 }

const full = process.env["FRAZIL_FOREIGN"] === "full"

describe("foreign readers after upkeep", () => {
  it.live("see every row of every type, now and at kept snapshots, with filters", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const { inputs, rows } = makeRecords()
      yield* Effect.gen(function* () {
        yield* writeEverything(inputs)
        const compacted = yield* compactTable(everything)
        assert.isBelow(compacted.filesAfter, compacted.filesBefore)
        assert.deepInclude(yield* expireSnapshots(everything, keepTwo), { snapshotsExpired: 5, error: undefined })
        assert.deepInclude(yield* removeOrphans(everything, everyFile), { filesBefore: 0 })
        const catalog = yield* Catalog
        const { metadata } = yield* catalog.loadTable(everything)
        const order = ["source_offset"]
        const answer = yield* ask(path, "transactions.everything", [
          { name: "all", order },
          { name: "before", order, snapshotId: String(metadata.snapshots[0]?.snapshotId) },
          { name: "filtered", order, filter: "amount = 9999999999999999.99", where: "amount = 9999999999999999.99" },
          { name: "late", order, filter: "ratio < 0.0", where: "ratio < 0" }
        ])
        assert.deepStrictEqual(
          answer.description.snapshots,
          metadata.snapshots.map(({ snapshotId }) => String(snapshotId))
        )
        assert.strictEqual(answer.description.files, compacted.filesAfter)
        for (const reader of ["pyiceberg", "duckdb"] as const) {
          assertRows(`${reader}, all`, answer[reader]["all"] ?? [], rows)
          assertRows(`${reader}, before`, answer[reader]["before"] ?? [], rows)
          const kept = (keep: (row: Row) => boolean) => rows.filter(keep)
          assertRows(
            `${reader}, filtered`,
            answer[reader]["filtered"] ?? [],
            kept((row) => row["amount"] === "9999999999999999.99")
          )
          assertRows(
            `${reader}, late`,
            answer[reader]["late"] ?? [],
            kept((row) => Number(row["ratio"] ?? 0) < 0)
          )
        }
      }).pipe(Effect.provide(layerAt(path)))
    })
  )

  it.live("keep what PyIceberg wrote, nested values and NaN among it, and let it write on", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* Effect.gen(function* () {
        const catalog = yield* Catalog
        yield* catalog.createTable({ identifier: mixed, schema: mixedSchema })
        const order = ["id"]
        const questions = [
          { name: "all", order },
          { name: "small", order, filter: "ratio < 1.0", where: "ratio < 1" }
        ]
        const append = (from: number) => ({
          id: [from, from + 1],
          // text, because JSON has no NaN: cast to doubles
          ratio: [String(from), "nan"],
          place: [{ city: `c${from}`, codes: [from, null] }, null]
        })
        for (let i = 0; i < 5; i++) yield* ask(path, "shared.mixed", [], append(2 * i))
        const before = yield* ask(path, "shared.mixed", questions)
        const compacted = yield* compactTable(mixed)
        assert.deepInclude(compacted, { filesBefore: 5, filesAfter: 1 })
        const after = yield* ask(path, "shared.mixed", questions)
        assert.deepStrictEqual([after.pyiceberg, after.duckdb], [before.pyiceberg, before.duckdb])
        assert.lengthOf(after.pyiceberg["all"] ?? [], 10)
        assert.strictEqual(after.duckdb["all"]?.[1]?.["ratio"], "nan")
        // nobody counted the NaN: no bound is claimed that one might break
        const [entry] = (yield* planScan(yield* catalog.loadTable(mixed))).entries
        assert.strictEqual(entry?.dataFile.recordCount, 10n)
        assert.isTrue(entry?.dataFile.lowerBounds.has(1))
        assert.isFalse(entry?.dataFile.lowerBounds.has(2))
        const more = yield* ask(path, "shared.mixed", questions, append(10))
        assert.lengthOf(more.duckdb["all"] ?? [], 12)
        assert.isAbove((yield* expireSnapshots(mixed, keepTwo)).snapshotsExpired, 0)
        assert.deepInclude(yield* removeOrphans(mixed, everyFile), { error: undefined })
        assert.lengthOf((yield* ask(path, "shared.mixed", questions)).pyiceberg["all"] ?? [], 12)
      }).pipe(Effect.provide(layerAt(path)))
    })
  )

  it.live.skipIf(!full)(
    "Spark reads compacted tables, deletes beside us and goes on",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const name = "frazil.transactions.everything"
        const spark = (...statements: ReadonlyArray<string>) =>
          runSpark(join(path, "catalog.db"), join(path, "warehouse"), statements)
        const count = `SELECT count(*) n, count(DISTINCT source_offset) d FROM ${name}`
        const { inputs } = makeRecords()
        yield* Effect.gen(function* () {
          yield* writeEverything(inputs)
          yield* compactTable(everything)
          yield* expireSnapshots(everything, keepTwo)
          assert.deepStrictEqual(yield* spark(count), [{ n: rowsTotal, d: rowsTotal }])
          yield* spark(
            `DELETE FROM ${name} WHERE source_offset < 100`,
            ...[0, 1, 2, 3, 4].map((i) => `INSERT INTO ${name} SELECT * FROM ${name} WHERE source_offset = ${200 + i}`)
          )
          const compacted = yield* compactTable(everything, { inputFilesMin: 2 })
          assert.isBelow(compacted.filesAfter, compacted.filesBefore)
          yield* expireSnapshots(everything, keepTwo)
          assert.deepInclude(yield* removeOrphans(everything, everyFile), { error: undefined })
          assert.deepStrictEqual(yield* spark(count), [{ n: rowsTotal - 95, d: rowsTotal - 100 }])
        }).pipe(Effect.provide(layerAt(path)))
      }),
    1_800_000
  )
})
