/**
 * What every writer here writes is Parquet that old readers read: data pages of version 1, none of version 2's encodings. Asked of
 * DuckDB's reader of footers, and of the bytes where pages begin.
 */
import { readFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { primitiveFromText } from "../../../src/spec/Type.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import * as Maintenance from "../../maintenance/MaintenanceFixture.ts"

const table = { namespace: "test", name: "pages" }

/** Columns that writers of version 2 encode by differences, by streams of bytes, or by shared beginnings. */
const columns = [
  ["id", "long", "i"],
  ["part", "int", "i % 2"],
  ["whole", "int", "(i * 7)::INTEGER"],
  ["single", "float", "(i / 3)::FLOAT"],
  ["ratio", "double", "i / 7"],
  ["text", "string", "'a shared beginning ' || i"],
  ["flag", "boolean", "i % 3 = 0"],
  ["price", "decimal(12, 2)", "(i / 100)::DECIMAL(12, 2)"],
  ["wide", "decimal(30, 2)", "(i / 100)::DECIMAL(30, 2)"],
  ["at", "timestamptz", "make_timestamp(i * 1000) AT TIME ZONE 'UTC'"],
  ["key", "uuid", "md5(i::VARCHAR)::UUID"],
  ["bytes", "binary", "encode('bytes ' || i)"],
  ["exact", "fixed[4]", "encode(lpad(i::VARCHAR, 4, '0'))"]
] as const

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: columns.map(([name, type], i) => ({
    id: i + 1,
    name,
    required: false,
    type: primitiveFromText(type, "test")
  }))
}

const select = `SELECT ${columns.map(([name, , sql]) => `${sql} AS "${name}"`).join(", ")} FROM range(3000) AS r(i)`

/** An integer of Thrift's compact protocol, and where it ends. */
const zigzag = (bytes: Uint8Array, start: number): readonly [value: number, end: number] => {
  let [value, scale, at] = [0, 1, start]
  for (;;) {
    const byte = bytes[at++]!
    value += (byte & 127) * scale
    scale *= 128
    if (byte < 128) return [value % 2 === 0 ? value / 2 : -(value + 1) / 2, at]
  }
}

/** Kind and encoding of the page that begins there, by parquet.thrift's PageHeader. */
const pageAt = (bytes: Uint8Array, start: number): readonly [kind: number, encoding: number] => {
  const i32 = 0x15
  let at = start
  const next = (): number => {
    assert.strictEqual(bytes[at], i32, "an i32, of the next field")
    const [value, end] = zigzag(bytes, at + 1)
    at = end
    return value
  }
  const kind = next()
  next()
  next()
  // a checksum may stand before the header of the kind
  if (bytes[at] === i32) next()
  at++
  next()
  return [kind, next()]
}

/** PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY. */
const names = ["PLAIN", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "RLE_DICTIONARY"]
const numbers = [0, 2, 3, 4, 8]

/** How many column chunks there are below the table's folder; each must be of version 1. */
const chunksBelow = Effect.fnUntraced(function* (uris: ReadonlyArray<string>) {
  const connection = yield* (yield* DuckDb).connect
  let chunks = 0
  for (const uri of uris.filter((each) => each.endsWith(".parquet"))) {
    const path = localPath(uri) ?? ""
    const bytes = readFileSync(path)
    const reader = yield* connection.query(
      `SELECT path_in_schema, encodings, dictionary_page_offset::INTEGER, data_page_offset::INTEGER FROM parquet_metadata('${path}')`,
      "looking at pages"
    )
    for (const [column, encodings, dictionary, data] of reader.getRows()) {
      for (const each of String(encodings).split(", ")) assert.include(names, each, `${String(column)} of ${uri}`)
      const [kind, encoding] = pageAt(bytes, Number(data))
      assert.strictEqual(kind, 0, `a data page of ${String(column)} of ${uri}`)
      assert.include(numbers, encoding, `encoding of ${String(column)} of ${uri}`)
      if (Number(dictionary ?? 0) > 0) assert.strictEqual(pageAt(bytes, Number(dictionary))[0], 2)
      chunks++
    }
  }
  return chunks
}, Effect.scoped)

const load = Catalog.use((catalog) => catalog.loadTable(table))

describe("Parquet of version 1", () => {
  for (const [what, sorted, byPart] of [
    ["one after another", false, false],
    ["sorted", true, false],
    ["divided", false, true],
    ["divided and sorted", true, true]
  ] as const) {
    it.live(`is what rows of a query are written as (${what}), their position deletes and their compaction`, () =>
      Effect.gen(function* () {
        const fields = [
          { sourceId: 1, transform: { _tag: "identity" }, direction: "desc", nullOrder: "nulls-last" } as const
        ]
        yield* Catalog.use((catalog) =>
          catalog.createTable({
            identifier: table,
            schema,
            partitionSpec: partitionSpec(schema, byPart ? [{ column: "part", transform: { _tag: "identity" } }] : []),
            ...(sorted ? { sortOrder: { orderId: 1, fields } } : {}),
            properties: new Map([["write.delete.mode", "merge-on-read"]])
          })
        )
        yield* appendRows(table, select)
        yield* appendRows(table, select)
        const filter = { _tag: "Compare", column: "id", operator: "<", value: 10n } as const
        yield* deleteRows(table, filter)
        const files = yield* Maintenance.filesBelow(yield* load)
        const parts = byPart ? 2 : 1
        const written = parts * 2 * (columns.length + 2)
        assert.strictEqual(yield* chunksBelow(files), written)
        yield* compactTable(table, { inputFilesMin: 2 })
        const all = yield* Maintenance.filesBelow(yield* load)
        assert.strictEqual(yield* chunksBelow(all), written + parts * columns.length)
      }).pipe(Effect.provide(Maintenance.layerLake))
    )
  }

  for (const encoding of ["pages", "cells", "appended"] as const) {
    it.live(`is what landings write (${encoding})`, () =>
      Effect.gen(function* () {
        yield* Maintenance.createTable()
        yield* Maintenance.appendRows(0, 500, 1, encoding)
        assert.isAbove(yield* chunksBelow(yield* Maintenance.filesBelow(yield* Maintenance.load)), 5)
      }).pipe(Effect.provide(Maintenance.layerLake))
    )
  }
})
