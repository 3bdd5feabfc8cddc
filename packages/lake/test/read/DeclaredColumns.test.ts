/**
 * When DuckDB may read files by itself: columns as declared, told apart from all that look like it. Either way the rows are the same,
 * which are those that DuckDB wrote.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal } from "@frazil/core"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { DuckDb, sqlText } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { checkFiles } from "../../src/read/CheckFiles.ts"
import type { ScanPlan } from "../../src/read/PlanScan.ts"
import { rowsOf } from "../../src/read/ReadTable.ts"
import { tableRelation } from "../../src/read/TableRelation.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import type { ManifestEntry } from "../../src/spec/Manifest.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { Type } from "../../src/spec/Type.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-declared-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const services = Layer.unwrap(
  Effect.map(folder, (path) =>
    Layer.merge(DuckDb.layer({ dataDirectory: path }), FileIO.layer.pipe(Layer.provide(layerLocal(path))))
  )
)

const types: ReadonlyArray<readonly [sql: string, type: Type]> = [
  ["true", { _tag: "boolean" }],
  ["-5::INTEGER", { _tag: "int" }],
  ["-5000000000::BIGINT", { _tag: "long" }],
  ["1.5::FLOAT", { _tag: "float" }],
  ["0.1::DOUBLE", { _tag: "double" }],
  ["DATE '1969-12-31'", { _tag: "date" }],
  ["TIME '23:59:59.999999'", { _tag: "time" }],
  ["TIMESTAMP '1960-02-29 00:00:00.000001'", { _tag: "timestamp" }],
  ["TIMESTAMPTZ '2100-01-01 00:00:00+00'", { _tag: "timestamptz" }],
  ["'é'", { _tag: "string" }],
  ["'12345678-9abc-def0-1234-56789abcdef0'::UUID", { _tag: "uuid" }],
  ["'\\x00\\xFF'::BLOB", { _tag: "binary" }],
  ["-1.5::DECIMAL(4, 1)", { _tag: "decimal", precision: 4, scale: 1 }],
  ["-1.50::DECIMAL(18, 2)", { _tag: "decimal", precision: 18, scale: 2 }],
  ["-1::DECIMAL(38, 0)", { _tag: "decimal", precision: 38, scale: 0 }]
]

const schemaOf = (fields: ReadonlyArray<readonly [id: number, name: string, type: Type]>): TableSchema => ({
  schemaId: 0,
  identifierFieldIds: [],
  fields: fields.map(([id, name, type]) => ({ id, name, required: false, type }))
})

let filesMade = 0

/** A file that DuckDB wrote: columns `name AS …`, with these ids. */
const fileOf = Effect.fnUntraced(function* (
  columns: ReadonlyArray<readonly [id: number | undefined, name: string, sql: string]>
) {
  const duckDb = yield* DuckDb
  const path = join(duckDb.scratchDirectory, `file${filesMade++}.parquet`)
  const select = columns.map(([, name, sql]) => `${sql} AS "${name}"`).join(", ")
  const ids = columns.flatMap(([id, name]) => (id === undefined ? [] : [`"${name}": ${id}`])).join(", ")
  const connection = yield* duckDb.connect
  const fieldIds = ids === "" ? "" : `, FIELD_IDS {${ids}}`
  yield* connection.run(`COPY (SELECT ${select}) TO ${sqlText(path)} (FORMAT parquet${fieldIds})`, "writing")
  const file: Partial<DataFile> = {
    filePath: `file://${path}`,
    fileFormat: "PARQUET",
    recordCount: 1n,
    fileSizeInBytes: BigInt(statSync(path).size)
  }
  return file as DataFile // a scan of all rows asks for nothing more
})

/** What `checkFiles` says of the files, and that their rows are the same whatever it says. */
const declared = Effect.fnUntraced(function* (schema: TableSchema, files: ReadonlyArray<DataFile>) {
  const entries = files.map((dataFile) => ({ dataFile }) as ManifestEntry)
  const metadata = { location: "file:///t", schemas: [schema] } as unknown as ScanPlan["metadata"] // for messages
  const plan: ScanPlan = {
    schema,
    snapshot: undefined,
    metadata,
    entries,
    deletes: new Map(),
    physical: new Map(),
    filesTotal: entries.length
  }
  const checked = yield* checkFiles(plan)
  const [told, asked] = [plan, checked].map((each) => Result.getOrThrow(tableRelation(each)))
  assert.include(told, "schema = MAP")
  assert.strictEqual(asked!.includes("schema = MAP"), checked.asDeclared !== true)
  const rows = yield* rowsOf(asked!)
  assert.deepStrictEqual(rows, yield* rowsOf(told!))
  return { asDeclared: checked.asDeclared, rows }
}, Effect.scoped)

const long: Type = { _tag: "long" }
const ab = schemaOf([
  [1, "a", long],
  [2, "b", long]
])
const a = [1, "a", "1::BIGINT"] as const
const b = [2, "b", "2::BIGINT"] as const

layer(services)("files with the columns as declared", (it) => {
  it.effect("are read by DuckDB alone, of every primitive type", () =>
    Effect.gen(function* () {
      const schema = schemaOf(types.map(([, type], i) => [i + 1, `c${i}`, type] as const))
      const columns = types.map(([sql], i) => [i + 1, `c${i}`, sql] as const)
      const nulls = types.map(([sql], i) => [i + 1, `c${i}`, `nullif(${sql}, ${sql})`] as const)
      const found = yield* declared(schema, [yield* fileOf(columns), yield* fileOf(nulls.toReversed())])
      assert.isTrue(found.asDeclared)
      assert.strictEqual(found.rows.length, 2)
      const expected = yield* rowsOf(`SELECT ${columns.map(([, name, sql]) => `${sql} AS ${name}`).join(", ")}`)
      assert.deepStrictEqual(found.rows[0], expected[0])
    }).pipe(Effect.scoped)
  )

  const others: ReadonlyArray<readonly [string, Parameters<typeof fileOf>[0], boolean]> = [
    ["columns in another order", [b, a], true],
    ["a column more", [a, b, [3, "c", "3"]], true],
    ["another column of that name in other letters", [[3, "A", "3::BIGINT"], [1, "a_1", "1::BIGINT"], b], false],
    ["a column less", [a], false],
    ["a column that is narrower", [a, [2, "b", "2::INTEGER"]], false],
    ["a column that is wider", [a, [2, "b", "2::DECIMAL(18, 0)"]], false],
    [
      "names changed about",
      [
        [1, "b", "1::BIGINT"],
        [2, "a", "2::BIGINT"]
      ],
      false
    ],
    ["a name in other letters", [a, [2, "B", "2::BIGINT"]], false]
  ]
  for (const [what, columns, asDeclared] of others) {
    it.effect(`are told from files with ${what}`, () =>
      Effect.gen(function* () {
        const found = yield* declared(ab, [yield* fileOf([a, b]), yield* fileOf(columns)])
        assert.strictEqual(found.asDeclared, asDeclared)
        assert.deepStrictEqual(found.rows[0], { a: "1", b: "2" })
      }).pipe(Effect.scoped)
    )
  }

  it.effect("are told from files without ids", () =>
    Effect.gen(function* () {
      const found = yield* declared(ab, [
        yield* fileOf([
          [undefined, "a", "1::BIGINT"],
          [undefined, "b", "2::BIGINT"]
        ])
      ])
      assert.isFalse(found.asDeclared)
    }).pipe(Effect.scoped)
  )
})
