/**
 * Java's Iceberg, through Spark, on our catalog and tables: it reads what was written, travels in time, writes beside us
 * and rewrites manifests and files; and we read and write what it leaves.
 *
 * Spark is large: it runs only when FRAZIL_FOREIGN is `full`.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { ancestorsOf } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { runSpark } from "./ForeignReaders.ts"
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

const name = "frazil.transactions.everything"

/** Rows as the other readers give them. */
const select = (from: string) => `SELECT id, key, text, string(tiny) tiny, string(small) small, string(amount) amount,
  string(wide) wide, string(unix_micros(at)) at,
  string(unix_micros(CAST(seen AS TIMESTAMP_LTZ))) seen, string(unix_date(since)) since, string(count) count,
  string(big) big, string(ratio) ratio, string(flag) flag, nested, source_topic, string(source_partition) source_partition,
  string(source_offset) source_offset, extra_fields, hex(added_later) added_later FROM ${from} ORDER BY int(source_offset)`

/** Spark writes small decimals with an exponent: 1E-10. */
const plain = (text: string | null, scale: number): string | null => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(text ?? "") ?? []
  if (whole === "") return null
  const zeros = scale + Number(exponent) - fraction.length
  const digits = `${whole}${fraction}${"0".repeat(zeros)}`.padStart(scale + 1, "0")
  return `${sign}${BigInt(digits.slice(0, -scale))}.${digits.slice(-scale)}`
}

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
const Counts = Schema.Array(Schema.Struct({ n: Schema.Int }))

const full = process.env["FRAZIL_FOREIGN"] === "full"

describe.skipIf(!full)("Spark", () => {
  it.live(
    "reads our table as it is, writes into it, and leaves what we read and write on",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const spark = (...statements: ReadonlyArray<string>) =>
          runSpark(join(path, "catalog.db"), join(path, "warehouse"), statements)
        const ask = (from: string) =>
          spark(select(from)).pipe(
            Effect.flatMap(Schema.decodeUnknownEffect(Rows)),
            Effect.map((found) => found.map((row) => ({ ...row, wide: plain(row["wide"] ?? null, 10) })))
          )
        const { inputs, rows } = makeRecords()
        yield* Effect.gen(function* () {
          yield* writeEverything(inputs)
          const catalog = yield* Catalog
          const { metadata } = yield* catalog.loadTable(everything)
          const third = String(metadata.snapshots[2]?.snapshotId)
          assertRows("spark", yield* ask(name), rows)
          assertRows("spark, by id", yield* ask(`${name} VERSION AS OF ${third}`), rows.slice(0, 3 * rowsPerCommit))

          const count = (where: string) => `SELECT count(*) n FROM ${name} WHERE ${where}`
          const filters: ReadonlyArray<readonly [string, (row: Row) => boolean]> = [
            ["true", () => true],
            ["amount = 9999999999999999.99", (row) => row["amount"] === "9999999999999999.99"],
            ["amount IS NULL", (row) => row["amount"] === null],
            ["since = DATE '9999-12-31'", (row) => row["since"] === "2932896"],
            ["since = DATE '0001-01-01'", (row) => row["since"] === "-719162"],
            ["at >= TIMESTAMP '2026-01-03 00:00:00'", (row) => BigInt(row["at"] ?? 0) >= 1_767_398_400_000_000n],
            [`source_offset >= ${rowsTotal - 7}`, (row) => Number(row["source_offset"]) >= rowsTotal - 7],
            ["text = 'é€😀'", (row) => row["text"] === "é€😀"],
            ["count <= -2147483648", (row) => row["count"] === "-2147483648"]
          ]
          const found = yield* spark(...filters.map(([where]) => count(where)))
          const counts = yield* Schema.decodeUnknownEffect(Counts)(found)
          assert.deepStrictEqual(
            counts.map(({ n }, i) => [filters[i]?.[0], n]),
            filters.map(([where, keep]) => [where, rows.filter(keep).length])
          )

          yield* spark(
            `INSERT INTO ${name} SELECT * FROM ${name} WHERE source_offset < 10`,
            `CALL frazil.system.rewrite_manifests('transactions.everything')`,
            `DELETE FROM ${name} WHERE source_offset >= 10 AND source_offset < 20`
          )
          const mine = yield* commitTable({ table: everything, actions: () => Effect.succeed([append([])]) })
          const query = "SELECT count(*) AS n, count(DISTINCT source_offset) AS d, min(since) AS s FROM t"
          const read = yield* readTable(mine.table, { query })
          assert.deepStrictEqual(read.rows, [{ n: String(rowsTotal), d: String(rowsTotal - 10), s: "0001-01-01" }])
          assert.strictEqual(mine.snapshot?.summary.get("total-records"), String(rowsTotal))
          const line = Array.from(ancestorsOf(mine.table.metadata, mine.table.metadata.currentSnapshotId))
          assert.isAtLeast(line.length, metadata.snapshots.length + 4)
          const after = yield* Effect.flatMap(spark(count("true")), Schema.decodeUnknownEffect(Counts))
          assert.deepStrictEqual(after, [{ n: rowsTotal }])
        }).pipe(Effect.provide(layerAt(path)))
      }),
    1_800_000
  )
})
