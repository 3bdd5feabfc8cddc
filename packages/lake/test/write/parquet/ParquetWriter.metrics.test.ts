/**
 * What a data file says of itself is true: recounted with SQL over the file.
 */
import { statSync } from "node:fs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { DataFile } from "../../../src/spec/DataFile.ts"
import { singleValueFromBytes } from "../../../src/spec/SingleValue.ts"
import {
  ask,
  everythingSchema,
  fieldId,
  lake,
  makeBatches,
  makeWriter,
  randomInput,
  seeded,
  type Input
} from "./WriterCases.ts"

const unpartitioned = { specId: 0, fields: [] }
const written = everythingSchema.fields.filter(({ name }) => name !== "added_later")

const writeAll = Effect.fnUntraced(function* (
  filePrefix: string,
  inputs: ReadonlyArray<Input>,
  rowGroupRowsMax = 2048
) {
  const writer = yield* makeWriter({ filePrefix, spec: unpartitioned, rowGroupRowsMax })
  const decode = makeBatches()
  for (let at = 0; at < inputs.length; at += 1000) yield* writer.write(decode(inputs.slice(at, at + 1000), at), 0)
  const files = yield* writer.finish
  assert.strictEqual(files.length, 1)
  return files[0]!
})

const utf8 = (text: string) => Buffer.from(text)

/** The bounds of a field as values, undefined where there is none. */
const bounds = (file: DataFile, name: string) => {
  const field = written.find((each) => each.name === name)!
  const [lower, upper] = [file.lowerBounds.get(field.id), file.upperBounds.get(field.id)]
  const value = (bytes: Uint8Array | undefined) =>
    // columns of the cases are primitive
    bytes === undefined
      ? undefined
      : singleValueFromBytes(field.type as Parameters<typeof singleValueFromBytes>[0], bytes)
  return { lower: value(lower), upper: value(upper) }
}

/** Least and greatest value of a column as its single value's text. */
const extremes = (file: DataFile, name: string) => {
  const { type } = written.find((each) => each.name === name)!
  const column = `"${name}"`
  const as = (value: string) => {
    if (type._tag === "decimal")
      return `(${value}::DECIMAL(38, ${type.scale})::VARCHAR).replace('.', '')::HUGEINT::VARCHAR`
    if (type._tag === "timestamp" || type._tag === "timestamptz") return `epoch_us(${value})::VARCHAR`
    return type._tag === "date" ? `(${value} - DATE '1970-01-01')::VARCHAR` : `${value}::VARCHAR`
  }
  return Effect.map(
    ask(
      [file],
      `SELECT ${as(`min(${column})`)} AS least, ${as(`max(${column})`)} AS greatest FROM read_parquet($files)`
    ),
    (rows) => ({ least: String(rows[0]!["least"]), greatest: String(rows[0]!["greatest"]) })
  )
}

layer(lake)("the metrics of a file", (it) => {
  it.effect("count what is in it, over several row groups", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const below = seeded(5)
        const file = yield* writeAll(
          "counts",
          Array.from({ length: 5000 }, () => randomInput(below))
        )
        assert.strictEqual(file.recordCount, 5000n)
        assert.strictEqual(Number(file.fileSizeInBytes), statSync(file.filePath.slice("file://".length)).size)
        const sql = `SELECT ${written.map(({ name, id }) => `count("${name}")::INTEGER AS f${id}`).join(", ")} FROM read_parquet($files)`
        const [present] = yield* ask([file], sql)
        for (const { id, name } of written) {
          assert.strictEqual(file.valueCounts.get(id), 5000n, name)
          assert.strictEqual(file.nullValueCounts.get(id), 5000n - BigInt(Number(present![`f${id}`])), name)
        }
        assert.deepStrictEqual(file.nanValueCounts, new Map([[fieldId("ratio"), 0n]]))
        assert.isFalse(file.valueCounts.has(fieldId("added_later")))
      })
    )
  )

  it.effect("bound every value, exactly but for long text", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const below = seeded(6)
        const file = yield* writeAll(
          "bounds",
          Array.from({ length: 4500 }, () => randomInput(below))
        )
        for (const { name, type } of written) {
          const { lower, upper } = bounds(file, name)
          const { least, greatest } = yield* extremes(file, name)
          if (type._tag === "string") {
            assert.strictEqual(lower, Array.from(least).slice(0, 16).join(""), name)
            // U+10FFFF in all 16 places cannot be incremented: no bound rather than a wrong one
            if (upper === undefined) assert.isTrue(greatest.startsWith("\u{10ffff}".repeat(16)), name)
            else assert.isTrue(Buffer.compare(utf8(String(upper)), utf8(greatest)) >= 0, name)
          } else {
            assert.strictEqual(String(lower), type._tag === "double" ? String(Number(least)) : least, name)
            assert.strictEqual(String(upper), type._tag === "double" ? String(Number(greatest)) : greatest, name)
          }
        }
      })
    )
  )

  it.effect("widen zeros, increment text that was cut, and leave out what has no values", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const base = { ...randomInput(seeded(7)), wide: null, small: null, nested: null }
        const texts = ["", `${"a".repeat(15)}bc`, `${"a".repeat(15)}b`]
        const file = yield* writeAll(
          "edges",
          texts.map((text) => ({ ...base, text, ratio: 0 }))
        )
        assert.deepStrictEqual(bounds(file, "text"), { lower: "", upper: `${"a".repeat(15)}c` })
        const ratio = bounds(file, "ratio")
        assert.isTrue(Object.is(ratio.lower, -0) && Object.is(ratio.upper, 0))
        assert.deepStrictEqual(bounds(file, "small"), { lower: undefined, upper: undefined })
        assert.strictEqual(file.nullValueCounts.get(fieldId("small")), 3n)
      })
    )
  )

  it.effect("agree with the file's own metadata: sizes, row groups, field ids, codec", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const below = seeded(8)
        const file = yield* writeAll(
          "metadata",
          Array.from({ length: 6200 }, () => randomInput(below))
        )
        const sizes = yield* ask(
          [file],
          `SELECT path_in_schema AS name, sum(total_compressed_size)::INTEGER AS size, any_value(compression) AS codec
           FROM parquet_metadata($files) GROUP BY 1`
        )
        for (const { name, size, codec } of sizes) {
          assert.strictEqual(file.columnSizes.get(fieldId(String(name))), BigInt(Number(size)), String(name))
          assert.strictEqual(codec, "ZSTD")
        }
        assert.strictEqual(sizes.length, written.length)
        const groups = yield* ask(
          [file],
          `SELECT row_group_id, min(least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset)))::INTEGER
             AS start, any_value(row_group_num_rows)::INTEGER AS rows FROM parquet_metadata($files) GROUP BY 1 ORDER BY 1`
        )
        assert.deepStrictEqual(
          groups.map(({ start }) => BigInt(Number(start))),
          [...file.splitOffsets]
        )
        assert.deepStrictEqual(
          groups.map(({ rows }) => Number(rows)),
          [2048, 2048, 2048, 56]
        )
        const ids = yield* ask(
          [file],
          "SELECT name, field_id::INTEGER AS id FROM parquet_schema($files) WHERE field_id IS NOT NULL"
        )
        assert.deepStrictEqual(
          ids.map(({ name, id }) => [name, id]),
          written.map(({ name, id }) => [name, id])
        )
      })
    )
  )
})
