/**
 * A topic with a column of every kind, seeded records of it, and its table: for the tests of the Parquet writer.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ColumnBatch, Decoder, Field, layerLocal, makeRecordBuilder, Topic } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import type { DataFile } from "../../../src/spec/DataFile.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import type { PrimitiveType } from "../../../src/spec/Type.ts"
import { ParquetWriter, type ParquetWriterOptions } from "../../../src/write/parquet/ParquetWriter.ts"

class Everything extends Schema.Opaque<Everything>()(
  Schema.Struct({
    id: Field.uuid,
    key: Field.uuid,
    text: Field.optional(Field.text()),
    tiny: Field.optional(Field.decimal(4, 1)),
    small: Field.optional(Field.decimal(9, 2)),
    amount: Field.optional(Field.decimal(18, 2)),
    wide: Field.optional(Field.decimal(38, 10)),
    at: Field.timestamp,
    seen: Field.optional(Field.timestamp),
    since: Field.optional(Field.date),
    count: Field.optional(Field.int({ min: -2_147_483_648, max: 2_147_483_647 })),
    big: Field.optional(Field.int()),
    ratio: Field.optional(Field.double()),
    flag: Field.optional(Field.boolean),
    nested: Field.optional(Field.json(Schema.Array(Schema.Int)))
  })
) {}

export const Everythings = Topic.make("everything", { schema: Everything, key: "id", eventTime: "at" })

const columns: ReadonlyArray<readonly [name: string, type: PrimitiveType, required: boolean]> = [
  ["id", { _tag: "string" }, true],
  ["key", { _tag: "uuid" }, true],
  ["text", { _tag: "string" }, false],
  ["tiny", { _tag: "decimal", precision: 4, scale: 1 }, false],
  ["small", { _tag: "decimal", precision: 9, scale: 2 }, false],
  ["amount", { _tag: "decimal", precision: 18, scale: 2 }, false],
  ["wide", { _tag: "decimal", precision: 38, scale: 10 }, false],
  ["at", { _tag: "timestamptz" }, true],
  ["seen", { _tag: "timestamp" }, false],
  ["since", { _tag: "date" }, false],
  ["count", { _tag: "int" }, false],
  ["big", { _tag: "long" }, false],
  ["ratio", { _tag: "double" }, false],
  ["flag", { _tag: "boolean" }, false],
  ["nested", { _tag: "string" }, false],
  ["source_topic", { _tag: "string" }, true],
  ["source_partition", { _tag: "int" }, true],
  ["source_offset", { _tag: "long" }, true],
  ["extra_fields", { _tag: "string" }, false],
  ["added_later", { _tag: "binary" }, false]
]

/** Ids are not positions: 11, 12, …. */
export const everythingSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: columns.map(([name, type, required], i) => ({ id: 11 + i, name, required, type }))
}

export const fieldId = (name: string): number => everythingSchema.fields.find((field) => field.name === name)!.id

export const byDay = partitionSpec(everythingSchema, [{ column: "at", transform: { _tag: "day" } }])

/** An integer below `bound`, the same sequence for the same seed. */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * bound)
  }
}

/** A record as its JSON has it. */
export type Input = Readonly<Record<string, unknown>>

const texts = [
  "",
  "a",
  "twelve bytes",
  "thirteen byte",
  "x".repeat(24),
  "y".repeat(25),
  "é€😀",
  "🙂🙂🙂",
  "🙂🙂🙂🙂",
  "ünïcödé of a length that no cell holds inline",
  "nul\0inside",
  "nul at the end of thirteen\0",
  'quo"te \\ and\nnewline',
  "z".repeat(400),
  "\uffff",
  "\u{10ffff}".repeat(20)
]
const tiny = [0, "0.1", "-0.1", "999.9", "-999.9", 12.3]
const small = [0, "0.01", "9999999.99", "-9999999.99"]
const amounts = [0, "0.01", "9999999999999999.99", "-9999999999999999.99", "90071992547409.92", 31.37]
const wides = [
  0,
  "0.0000000001",
  "9999999999999999999999999999.9999999999",
  "-9999999999999999999999999999.9999999999",
  "900719.9254740993",
  "-12345678901.5"
]
const seen = [
  "1970-01-01T00:00:00Z",
  "1835-05-05T05:05:05.000005Z",
  "2108-12-31T23:59:59.999999Z",
  "2026-01-14T23:45:00.123456Z"
]
const dates = ["1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "1969-12-31"]
const counts = [0, 1, -1, 2_147_483_647, -2_147_483_648]
const bigs = [0, -1, 4_294_967_296, -4_294_967_297, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]
const ratios = [0, -0, 0.1, -1.5, Number.MAX_VALUE, Number.MIN_VALUE, 1e-7, 123_456.789]

const hex = (below: (bound: number) => number, digits: number): string =>
  Array.from({ length: digits }, () => below(16).toString(16)).join("")

/** One record: about one optional field in six is absent; `days` different days of event time. */
export const randomInput = (below: (bound: number) => number, days = 3): Input => {
  const maybe = (values: ReadonlyArray<unknown>) => (below(6) === 0 ? null : values[below(values.length)])
  const uuid = () => [8, 4, 4, 4, 12].map((digits) => hex(below, digits)).join("-")
  const time = 1_767_225_600_000 + below(days) * 86_400_000 + below(86_400_000)
  return {
    id: uuid().toUpperCase(),
    key: uuid(),
    text: maybe(texts),
    tiny: maybe(tiny),
    small: maybe(small),
    amount: maybe(amounts),
    wide: maybe(wides),
    at: new Date(time).toISOString().replace("Z", `${String(below(1000)).padStart(3, "0")}Z`),
    seen: maybe(seen),
    since: maybe(dates),
    count: maybe(counts),
    big: maybe(bigs),
    ratio: maybe(ratios),
    flag: maybe([true, false]),
    nested: maybe([[], [1, 2, 3], Array.from({ length: 20 }, (_, i) => i)]),
    ...(below(5) === 0 ? { unknown: texts[below(texts.length)], other: below(100) } : {})
  }
}

/** Decodes records as a batch of a log; each is an input or raw bytes. Offsets count from `offset`. */
export const makeBatches = () => {
  const decoder = Decoder.make(Everythings)
  return (records: ReadonlyArray<Input | Uint8Array>, offset = 0): ColumnBatch => {
    const builder = makeRecordBuilder()
    for (const record of records) {
      if (record instanceof Uint8Array) builder.add(record, null)
      else builder.addText(JSON.stringify(record), null)
    }
    const offsets = Float64Array.from(records, (_, i) => offset + i)
    return decoder.decode({ ...builder.take(), offsets, timestamps: offsets })
  }
}

/** Gives a folder, removed at the end. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-parquet-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** DuckDB and storage in a folder of their own. */
export const lake = Layer.unwrap(
  Effect.map(folder, (path) => Layer.mergeAll(DuckDb.layer({ dataDirectory: path, threadsMax: 1 }), layerLocal(path)))
)

/** A writer of everything to a folder of its own below DuckDB's scratch folder's root. */
export const makeWriter = (options: Partial<ParquetWriterOptions> & { readonly filePrefix: string }) =>
  Effect.flatMap(DuckDb, ({ scratchDirectory }) =>
    ParquetWriter.make({
      schema: everythingSchema,
      spec: byDay,
      shape: Everythings.shape,
      sourceTopic: "topic's name",
      targetDirectory: `file://${join(scratchDirectory, "../../warehouse/data")}`,
      ...options
    })
  )

const quoted = (files: ReadonlyArray<DataFile>): string =>
  files.map((file) => `'${file.filePath.replace("file://", "").replaceAll("'", "''")}'`).join(", ")

const readColumns = columns
  .filter(([name]) => name !== "added_later")
  .map(([name, type]) => {
    const column = `"${name}"`
    if (type._tag === "timestamp" || type._tag === "timestamptz") return `epoch_us(${column})::VARCHAR AS ${column}`
    if (type._tag === "date") return `(${column} - DATE '1970-01-01')::VARCHAR AS ${column}`
    return type._tag === "string" ? column : `${column}::VARCHAR AS ${column}`
  })
  .join(", ")

/** Rows of files as texts, in the order of the log. */
export const readRows = (files: ReadonlyArray<DataFile>, order = "ORDER BY f.source_partition, f.source_offset") =>
  Effect.scoped(
    Effect.gen(function* () {
      const { connect } = yield* DuckDb
      const { query } = yield* connect
      const from = `read_parquet([${quoted(files)}], hive_partitioning = false) AS f`
      const reader = yield* query(`SELECT ${readColumns} FROM ${from} ${order}`, "reading back")
      return reader.getRowObjects()
    })
  )

/** Answers of a query over files, `$files` standing for their list. */
export const ask = (files: ReadonlyArray<DataFile>, sql: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { connect } = yield* DuckDb
      const { query } = yield* connect
      return (yield* query(sql.replace("$files", `[${quoted(files)}]`), "asking")).getRowObjects()
    })
  )

const number = (value: unknown) => (value === null || value === undefined ? null : String(value))

/** `text` as a decimal of `scale` digits, as DuckDB prints it. */
const decimal = (value: unknown, scale: number): string | null => {
  const text = number(value)
  if (text === null) return null
  const [whole, fraction = ""] = text.split(".")
  return `${whole}.${fraction.padEnd(scale, "0")}`
}

const micros = (text: unknown): string | null => {
  if (typeof text !== "string") return null
  const [, upToSecond, fraction = ""] = /^(.{19})(?:\.([0-9]+))?Z$/.exec(text)!
  return String(BigInt(Date.parse(`${upToSecond}Z`)) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, "0")))
}

/** The row that a record must become. */
export const expectedRow = (input: Input, partition: number, offset: number): Record<string, string | null> => {
  const { unknown, other } = input
  const ratio = input["ratio"]
  return {
    id: String(input["id"]),
    key: String(input["key"]).toLowerCase(),
    text: number(input["text"]),
    tiny: decimal(input["tiny"], 1),
    small: decimal(input["small"], 2),
    amount: decimal(input["amount"], 2),
    wide: decimal(input["wide"], 10),
    at: micros(input["at"]),
    seen: micros(input["seen"]),
    since: typeof input["since"] === "string" ? String(Date.parse(input["since"]) / 86_400_000) : null,
    count: number(input["count"]),
    big: number(input["big"]),
    ratio: typeof ratio === "number" ? String(ratio) : null,
    flag: number(input["flag"]),
    nested: input["nested"] === null ? null : JSON.stringify(input["nested"]),
    source_topic: "topic's name",
    source_partition: String(partition),
    source_offset: String(offset),
    extra_fields: other === undefined ? null : JSON.stringify({ unknown, other })
  }
}

/** Rows read back, doubles in JavaScript's spelling. */
const normalised = (rows: ReadonlyArray<Record<string, unknown>>) =>
  rows.map((row) => ({ ...row, ratio: row["ratio"] === null ? null : String(Number(row["ratio"])) }))

/** Compares row by row, so that a failure shows one row and not thousands. */
export const assertRows = (
  actual: ReadonlyArray<Record<string, unknown>>,
  expected: ReadonlyArray<Record<string, unknown>>
): void => {
  normalised(actual).forEach((row, i) => assert.deepStrictEqual(row, expected[i] ?? {}))
  assert.strictEqual(actual.length, expected.length)
}
