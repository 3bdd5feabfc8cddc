/**
 * A lake with a table of people, made twice: alike but for what is personal. An answer that is not the same over both tells
 * something of it.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { Field, layerLocal, Topic } from "@frazil/core"
import { append, Catalog, commitTable, FileIO, Landing, layerSqliteCatalog } from "@frazil/lake"
import { Effect, Layer, Schema } from "effect"
import { dataFile } from "./TestLake.ts"

const Person = Schema.Struct({
  id: Field.text(),
  ssn: Field.personal(Field.digits9),
  name: Field.personal(Field.optional(Field.text())),
  born: Field.personal(Field.date),
  income: Field.personal(Field.optional(Field.decimal(12, 2))),
  country: Field.alpha2
})

export const People = Landing.make(Topic.make("people", { schema: Person, key: "id" }), { table: "lending.people" })

const rows = 200

/** The other seed gives every person other personal values, and NULLs in the same places. */
const rowsOf = (seed: number): string => `
  SELECT 'P' || i AS id, printf('%09d', (hash(i || '/${seed}') % 1000000000)::BIGINT) AS ssn,
    CASE WHEN i % 10 = 0 THEN NULL ELSE 'name-' || md5(i || '/${seed}') END AS name,
    (DATE '1950-01-01' + INTERVAL ((hash(i || 'b${seed}') % 20000)::BIGINT) DAY)::DATE AS born,
    CASE WHEN i % 7 = 0 THEN NULL ELSE (hash(i || 'm${seed}') % 90000)::DECIMAL(12, 2) END AS income,
    CASE WHEN i % 2 = 0 THEN 'DE' ELSE 'FR' END AS country,
    'people' AS source_topic, 0 AS source_partition, i::BIGINT AS source_offset,
    '{"mail":"${seed}-' || i || '@example.com"}' AS extra_fields
  FROM range(${rows}) t(i)`

const utf8 = (text: string) => new TextEncoder().encode(text)

const int32 = (value: number) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}

/** Unscaled, in as few bytes as these take. */
const decimal = (value: number) =>
  Uint8Array.of((value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255)

/** What manifests say of the file: least and greatest values of columns that are personal and of one that is not. */
const metricsSql = (
  file: string
): string => `SELECT min(ssn), max(ssn), min(name), max(name), min(country), max(country),
  epoch_ms(min(born)::TIMESTAMP) // 86400000, epoch_ms(max(born)::TIMESTAMP) // 86400000, (min(income) * 100)::INTEGER, (max(income) * 100)::INTEGER,
  sum(length(extra_fields))::INTEGER, hash(string_agg(ssn ORDER BY id)) % 1000 FROM '${file}'`

const metricsOf = (row: ReadonlyArray<unknown>) => {
  const text = (at: number) => utf8(String(row[at]))
  const number = (at: number) => Number(row[at])
  const idOf = (name: string) => People.schema.fields.find((field) => field.name === name)!.id
  const bounds = (from: 0 | 1) =>
    new Map([
      [idOf("ssn"), text(from)],
      [idOf("name"), text(2 + from)],
      [idOf("country"), text(4 + from)],
      [idOf("born"), int32(number(6 + from))],
      [idOf("income"), decimal(number(8 + from))]
    ])
  const sizes = new Map([
    [idOf("ssn"), BigInt(number(11))],
    [idOf("extra_fields"), BigInt(number(10))]
  ])
  return { lowerBounds: bounds(0), upperBounds: bounds(1), columnSizes: sizes }
}

export interface PeopleLake {
  readonly folder: string
  readonly layer: Layer.Layer<Catalog | FileIO>
  readonly file: string
}

const identifier = { namespace: People.namespace, name: People.name }

export const makePeopleLake = Effect.fnUntraced(function* (seed: number) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-people-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const warehouse = `file://${folder}/warehouse/`
  const layer = layerSqliteCatalog({ file: `${folder}/catalog.db`, warehouse }).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(layerLocal(warehouse)),
    Layer.orDie
  )
  const services = yield* Layer.build(layer)
  const file = `${folder}/warehouse/lending/people/data/part-0.parquet`
  mkdirSync(`${folder}/warehouse/lending/people/data`, { recursive: true })
  const ids = People.schema.fields.map(({ id, name }) => `${name}: ${id}`).join(", ")
  const metrics = yield* Effect.promise(async () => {
    const database = await DuckDBInstance.create(":memory:")
    const connection = await database.connect()
    await connection.run(`COPY (${rowsOf(seed)}) TO '${file}' (FORMAT parquet, FIELD_IDS {${ids}})`)
    const reader = await connection.runAndReadAll(metricsSql(file))
    connection.disconnectSync()
    database.closeSync()
    return metricsOf(reader.getRows()[0] ?? [])
  })
  yield* Effect.gen(function* () {
    const catalog = yield* Catalog
    yield* catalog.createTable({ identifier, schema: People.schema })
    yield* commitTable({
      table: identifier,
      actions: () => Effect.succeed([append([{ ...dataFile(file, rows), ...metrics }])])
    })
  }).pipe(Effect.provideContext(services), Effect.orDie)
  return { folder, layer: Layer.succeedContext(services), file } satisfies PeopleLake
})
