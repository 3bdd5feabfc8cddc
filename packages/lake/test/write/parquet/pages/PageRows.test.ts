/**
 * Pages of our own at their edges, read back by DuckDB: dictionaries that fill up, one value, none, pages that end by rows and by
 * bytes, text too long for statistics, and row groups that follow one another in the same memory.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { DataFile } from "../../../../src/spec/DataFile.ts"
import { dictionaryValuesMax } from "../../../../src/write/parquet/pages/TextDictionary.ts"
import {
  ask,
  assertRows,
  expectedRow,
  fieldId,
  lake,
  makeBatches,
  makeWriter,
  randomInput,
  readRows,
  seeded,
  type Input
} from "../WriterCases.ts"

const unpartitioned = { specId: 0, fields: [] }

const write = Effect.fnUntraced(function* (
  filePrefix: string,
  inputs: ReadonlyArray<Input>,
  rowGroupRowsMax?: number,
  batchRows = 3000
) {
  const writer = yield* makeWriter({
    filePrefix,
    spec: unpartitioned,
    ...(rowGroupRowsMax === undefined ? {} : { rowGroupRowsMax })
  })
  assert.strictEqual(writer.encoding, "pages")
  const decode = makeBatches()
  for (let at = 0; at < inputs.length; at += batchRows)
    yield* writer.write(decode(inputs.slice(at, at + batchRows), at), 3)
  return yield* writer.finish
})

/** All else the same in every row. */
const base = { ...randomInput(seeded(1), 1), unknown: undefined, other: undefined }

const assertWritten = Effect.fnUntraced(function* (files: ReadonlyArray<DataFile>, inputs: ReadonlyArray<Input>) {
  assertRows(
    yield* readRows(files),
    inputs.map((input, offset) => expectedRow(input, 3, offset))
  )
})

/** Encodings of a column, of each row group. */
const encodings = (files: ReadonlyArray<DataFile>, name: string) =>
  Effect.map(
    ask(files, `SELECT encodings FROM parquet_metadata($files) WHERE path_in_schema = '${name}' ORDER BY row_group_id`),
    (rows) => rows.map((row) => String(row["encodings"]))
  )

layer(lake)("pages", (it) => {
  for (const distinct of [
    1,
    2,
    3,
    255,
    256,
    257,
    dictionaryValuesMax - 1,
    dictionaryValuesMax,
    dictionaryValuesMax + 1
  ]) {
    it.effect(`hold ${distinct} different values`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const inputs = Array.from({ length: dictionaryValuesMax + 77 }, (_, i): Input => {
            const value = i % distinct
            const absent = i % 11 === 3
            return {
              ...base,
              text: absent ? null : `text number ${value}`,
              big: absent ? null : value * 4_294_967_299,
              ratio: value / 8,
              wide: `${value}.0000000001`,
              count: value - 1000
            }
          })
          const files = yield* write(`distinct${distinct}`, inputs)
          yield* assertWritten(files, inputs)
          for (const name of ["text", "ratio", "wide", "count"]) {
            assert.include((yield* encodings(files, name))[0], "RLE_DICTIONARY", name)
          }
        })
      )
    )
  }

  it.effect("begin plainly once a dictionary was full, and each row group has its own", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = Array.from({ length: 5000 }, (_, i): Input => ({
          ...base,
          text: `every row its own ${i}`,
          big: i < 2500 ? i % 5 : i % 7,
          flag: i % 3 === 0
        }))
        const files = yield* write("groups", inputs, 2500)
        yield* assertWritten(files, inputs)
        const [first, second] = yield* encodings(files, "text")
        assert.include(first!, "RLE_DICTIONARY")
        assert.notInclude(second!, "RLE_DICTIONARY")
        const ranges = yield* ask(
          files,
          "SELECT stats_min_value AS low, stats_max_value AS high FROM parquet_metadata($files) WHERE path_in_schema = 'big' ORDER BY row_group_id"
        )
        assert.deepStrictEqual(
          ranges.map(({ high, low }) => [low, high]),
          [
            ["0", "4"],
            ["0", "6"]
          ]
        )
      })
    )
  )

  it.effect("end by rows and by bytes; long text is cut in the statistics, and the bounds stay true", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = Array.from({ length: 17_000 }, (_, i): Input => ({
          ...base,
          text: `${"é".repeat(130)}${i % 10}${"\u{10ffff}".repeat(20)}${i}`,
          nested: null
        }))
        const files = yield* write("long", inputs, undefined, 700)
        const sameAt = "repeat('é', 130) || source_offset % 10 || repeat('\u{10ffff}', 20) || source_offset"
        const [found] = yield* ask(
          files,
          `SELECT count(*)::INTEGER AS rows, count(*) FILTER (text = ${sameAt})::INTEGER AS same,
             count(DISTINCT source_offset) FILTER (text >= repeat('é', 130) || '9')::INTEGER AS nines FROM read_parquet($files)`
        )
        assert.deepStrictEqual(found, { rows: 17_000, same: 17_000, nines: 1700 })
        const [size] = yield* ask(
          files,
          `SELECT max(strlen(stats_max_value))::INTEGER AS size, any_value(stats_null_count)::INTEGER AS nulls FROM parquet_metadata($files) WHERE path_in_schema = 'text'`
        )
        assert.isAtMost(Number(size!["size"]), 256)
        assert.strictEqual(files[0]!.nullValueCounts.get(fieldId("nested")), 17_000n)
      })
    )
  )

  it.effect("write what is equal in all rows once, so that a file of it is small", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = Array.from({ length: 20_000 }, (): Input => ({ ...base }))
        const [file] = yield* write("same", inputs)
        const sizes = [...file!.columnSizes].filter(([id]) => id !== fieldId("source_offset"))
        // a dictionary, a run, and their headers: of each page
        for (const [id, bytes] of sizes) assert.isBelow(Number(bytes), 700, `field ${id}`)
      })
    )
  )
})
