/**
 * Foreign readers on our catalog and tables: PyIceberg and DuckDB's own Iceberg reader must see what was written, to the
 * last digit, now and earlier, with and without filters; and PyIceberg must be able to write beside us.
 *
 * What is expected is worked out from the records that went in, by none of the readers.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { byDay, everythingSchema } from "../write/parquet/WriterCases.ts"
import { runPython } from "./ForeignReaders.ts"
import {
  assertRows,
  everything,
  folder,
  layerAt,
  makeRecords,
  rowsPerCommit,
  rowsTotal,
  writeEverything,
  type Row
} from "./ForeignTable.ts"

const empty = { namespace: "transactions", name: "empty" }
const shared = { namespace: "shared.deep", name: "simple" }

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
const Answers = Schema.Struct({
  namespaces: Schema.Array(Schema.String),
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({
      description: Schema.Struct({
        uuid: Schema.String,
        formatVersion: Schema.Int,
        currentSnapshotId: Schema.NullOr(Schema.String),
        snapshots: Schema.Array(Schema.String),
        history: Schema.Array(Schema.Tuple([Schema.Int, Schema.String])),
        fields: Schema.Array(Schema.Tuple([Schema.Int, Schema.String, Schema.String, Schema.Boolean])),
        partitionFields: Schema.Array(Schema.Tuple([Schema.String, Schema.String])),
        properties: Schema.Record(Schema.String, Schema.String),
        partitions: Schema.Int,
        files: Schema.Int
      }),
      pyiceberg: Schema.Record(Schema.String, Rows),
      duckdb: Schema.Record(Schema.String, Rows)
    })
  )
})

const ask = (path: string, request: Readonly<Record<string, unknown>>) =>
  runPython("foreign_readers.py", {
    catalogName: "frazil",
    catalogFile: join(path, "catalog.db"),
    warehouse: `file://${path}/warehouse`,
    ...request
  }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Answers)))

interface Case {
  readonly name: string
  /** For PyIceberg and, as SQL, for DuckDB and us. */
  readonly filter: string
  readonly where: string
  /** For our own pruning. */
  readonly prune?: Filter
  readonly keep: (row: Row) => boolean
}

const micros = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n

const unscaled = (text: string | null | undefined): bigint | null =>
  text === null || text === undefined ? null : BigInt(text.replace(".", ""))

/** Order of UTF-8 bytes. */
const above = (text: string, other: string): boolean => Buffer.compare(Buffer.from(text), Buffer.from(other)) > 0

const compare = (column: string, operator: "=" | "<" | "<=" | ">" | ">=", value: bigint | string | number): Filter => ({
  _tag: "Compare",
  column,
  operator,
  value
})

const day2 = micros("2026-01-02T00:00:00Z")
const day3 = micros("2026-01-03T00:00:00Z")

const cases: ReadonlyArray<Case> = [
  {
    name: "one day",
    filter: "at >= '2026-01-02T00:00:00+00:00' and at < '2026-01-03T00:00:00+00:00'",
    where: `"at" >= '2026-01-02T00:00:00Z'::TIMESTAMPTZ AND "at" < '2026-01-03T00:00:00Z'::TIMESTAMPTZ`,
    prune: { _tag: "And", filters: [compare("at", ">=", day2), compare("at", "<", day3)] },
    keep: (row) => BigInt(row["at"] ?? 0) >= day2 && BigInt(row["at"] ?? 0) < day3
  },
  {
    name: "largest decimal",
    filter: "amount = 9999999999999999.99",
    where: "amount = 9999999999999999.99",
    prune: compare("amount", "=", 999999999999999999n),
    keep: (row) => row["amount"] === "9999999999999999.99"
  },
  {
    name: "negative decimals",
    filter: "wide < -1",
    where: "wide < -1",
    prune: compare("wide", "<", -10_000_000_000n),
    keep: (row) => (unscaled(row["wide"]) ?? 0n) < -10_000_000_000n
  },
  {
    name: "no amount",
    filter: "amount is null",
    where: "amount IS NULL",
    prune: { _tag: "IsNull", column: "amount" },
    keep: (row) => row["amount"] === null
  },
  {
    name: "last day of all",
    filter: "since = '9999-12-31'",
    where: "since = DATE '9999-12-31'",
    prune: compare("since", "=", Date.parse("9999-12-31") / 86_400_000),
    keep: (row) => row["since"] === String(Date.parse("9999-12-31") / 86_400_000)
  },
  {
    name: "first day of all",
    filter: "since <= '0001-01-01'",
    where: "since <= DATE '0001-01-01'",
    prune: compare("since", "<=", Date.parse("0001-01-01") / 86_400_000),
    keep: (row) => row["since"] === String(Date.parse("0001-01-01") / 86_400_000)
  },
  {
    name: "text above all that is shortened",
    filter: "text > 'zzzz'",
    where: "text > 'zzzz'",
    prune: compare("text", ">", "zzzz"),
    keep: (row) => above(row["text"] ?? "", "zzzz")
  },
  {
    name: "small integers",
    filter: "count <= -2147483648",
    where: "count <= -2147483648",
    prune: compare("count", "<=", -2_147_483_648),
    keep: (row) => row["count"] === "-2147483648"
  },
  {
    name: "doubles",
    filter: "ratio < 0.0",
    where: "ratio < 0",
    prune: compare("ratio", "<", 0),
    keep: (row) => Number(row["ratio"] ?? 0) < 0
  },
  {
    name: "true",
    filter: "flag = true",
    where: "flag",
    keep: (row) => row["flag"] === "true"
  },
  {
    name: "newest offsets",
    filter: `source_offset >= ${rowsTotal - 7}`,
    where: `source_offset >= ${rowsTotal - 7}`,
    prune: compare("source_offset", ">=", BigInt(rowsTotal - 7)),
    keep: (row) => Number(row["source_offset"]) >= rowsTotal - 7
  }
]

const offsets = (rows: ReadonlyArray<Row>): ReadonlyArray<string | null | undefined> =>
  rows.map((row) => row["source_offset"])

describe("PyIceberg and DuckDB's reader", () => {
  it.live("see the rows, snapshots and moments of a table with every type", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const { inputs, rows } = makeRecords()
      yield* Effect.gen(function* () {
        yield* writeEverything(inputs)
        const catalog = yield* Catalog
        const { metadata } = yield* catalog.loadTable(everything)
        const third = metadata.snapshots[2]
        const order = ["source_offset"]
        const questions = [
          { name: "all", order },
          { name: "by id", order, snapshotId: String(third?.snapshotId) },
          { name: "by time", order, timestampMs: (metadata.snapshots[3]?.timestampMs ?? 0) - 1 },
          ...cases.map(({ name, filter, where }) => ({ name, filter, where, order, columns: ["source_offset"] }))
        ]
        const answers = yield* ask(path, { tables: [{ table: "transactions.everything", questions }] })
        const answer = answers.tables["transactions.everything"]
        assert.isDefined(answer)

        assert.deepStrictEqual(
          answer.description.snapshots,
          metadata.snapshots.map((each) => String(each.snapshotId))
        )
        assert.deepStrictEqual(
          answer.description.history,
          metadata.snapshotLog.map((entry) => [entry.timestampMs, String(entry.snapshotId)])
        )
        assert.strictEqual(answer.description.uuid, metadata.tableUuid)
        assert.isAtLeast(answer.description.partitions, 3)
        assert.strictEqual(
          answer.description.files,
          (yield* planScan(yield* catalog.loadTable(everything))).entries.length
        )
        assert.deepStrictEqual(answer.description.partitionFields, [["at_day", "day"]])
        assert.strictEqual(answer.description.properties["frazil.mark.it.main.0"], String(inputs.length))

        const upTo = (count: number) => rows.slice(0, count * rowsPerCommit)
        for (const reader of ["pyiceberg", "duckdb"] as const) {
          assertRows(`${reader}, all`, answer[reader]["all"] ?? [], rows)
          assertRows(`${reader}, by id`, answer[reader]["by id"] ?? [], upTo(3))
          assertRows(`${reader}, by time`, answer[reader]["by time"] ?? [], upTo(3))
        }
        const loaded = yield* catalog.loadTable(everything)
        for (const { name, where, prune, keep } of cases) {
          const expected = [...offsets(rows.filter(keep))]
          assert.isAbove(expected.length, 0, name)
          const options = prune === undefined ? {} : { filter: prune }
          const query = `SELECT source_offset FROM t WHERE ${where} ORDER BY source_offset`
          const own = yield* readTable(loaded, { ...options, query })
          assert.deepStrictEqual(
            own.rows.map((row) => row["source_offset"]),
            expected,
            `frazil, ${name}`
          )
          assert.deepStrictEqual(offsets(answer.pyiceberg[name] ?? []), expected, `pyiceberg, ${name}`)
          assert.deepStrictEqual(offsets(answer.duckdb[name] ?? []), expected, `duckdb, ${name}`)
        }
      }).pipe(Effect.provide(layerAt(path)))
    })
  )

  it.live("open tables without rows, and write beside us", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* Effect.gen(function* () {
        const catalog = yield* Catalog
        yield* catalog.createTable({ identifier: empty, schema: everythingSchema, partitionSpec: byDay })
        const simple = {
          schemaId: 0,
          identifierFieldIds: [],
          fields: [
            { id: 1, name: "id", required: true, type: { _tag: "long" as const } },
            { id: 2, name: "name", required: false, type: { _tag: "string" as const } }
          ]
        }
        yield* catalog.createTable({ identifier: shared, schema: simple })
        const first = yield* commitTable({ table: shared, actions: () => Effect.succeed([append([])]) })
        const order = ["id"]
        const answers = yield* ask(path, {
          append: {
            table: "shared.deep.simple",
            columns: { id: [1, 2], name: ["a", null] }
          },
          tables: [
            {
              table: "shared.deep.simple",
              questions: [
                { name: "all", order },
                { name: "none", order, snapshotId: String(first.snapshot?.snapshotId) }
              ]
            },
            { table: "transactions.empty", questions: [] }
          ]
        })
        assert.deepStrictEqual(answers.namespaces.toSorted(), ["shared", "transactions"])
        assert.strictEqual(answers.tables["transactions.empty"]?.description.currentSnapshotId, null)
        assert.deepStrictEqual(answers.tables["shared.deep.simple"]?.pyiceberg["none"], [])
        assert.deepStrictEqual(answers.tables["shared.deep.simple"]?.duckdb["none"], [])

        // What PyIceberg committed is the base of what we commit next.
        const loaded = yield* catalog.loadTable(shared)
        assert.notStrictEqual(loaded.metadata.currentSnapshotId, first.snapshot?.snapshotId)
        const { rows } = yield* readTable(loaded, { query: "SELECT id, name FROM t ORDER BY id" })
        assert.deepStrictEqual(rows[0], { id: "1", name: "a" })
        assert.lengthOf(rows, 2)
        const next = yield* commitTable({ table: shared, actions: () => Effect.succeed([append([])]) })
        assert.strictEqual(next.snapshot?.summary.get("total-records"), "2")
        const again = yield* ask(path, {
          tables: [{ table: "shared.deep.simple", questions: [{ name: "all", order }] }]
        })
        const description = again.tables["shared.deep.simple"]?.description
        assert.strictEqual(description?.currentSnapshotId, String(currentSnapshot(next.table.metadata)?.snapshotId))
        assert.lengthOf(again.tables["shared.deep.simple"]?.pyiceberg["all"] ?? [], 2)
        assert.lengthOf(again.tables["shared.deep.simple"]?.duckdb["all"] ?? [], 2)
      }).pipe(Effect.provide(layerAt(path)))
    })
  )
})
