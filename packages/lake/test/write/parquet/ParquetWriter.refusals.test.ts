/**
 * What a writer refuses, and how its failures read.
 */
import { rmSync } from "node:fs"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { StorageError } from "@frazil/core"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { NestedField } from "../../../src/spec/Type.ts"
import { fromFileError, fromStorageError } from "../../../src/write/parquet/ParquetError.ts"
import { everythingSchema, lake, makeBatches, makeWriter, randomInput, seeded } from "./WriterCases.ts"

const changed = (name: string, change: Partial<NestedField>) => ({
  ...everythingSchema,
  fields: everythingSchema.fields.map((field) => (field.name === name ? { ...field, ...change } : field))
})

const without = (name: string) => ({
  ...everythingSchema,
  fields: everythingSchema.fields.filter((field) => field.name !== name)
})

const refusals: ReadonlyArray<readonly [string, Parameters<typeof makeWriter>[0], RegExp]> = [
  ["a field without a column", { filePrefix: "r", schema: without("text") }, /field text has no column/],
  [
    "a type that loses values",
    { filePrefix: "r", schema: changed("big", { type: { _tag: "int" } }) },
    /column big is int/
  ],
  [
    "another scale",
    { filePrefix: "r", schema: changed("amount", { type: { _tag: "decimal", precision: 18, scale: 3 } }) },
    /column amount is decimal\(18, 3\)/
  ],
  [
    "a nested column for text",
    { filePrefix: "r", schema: changed("nested", { type: { _tag: "struct", fields: [] } }) },
    /column nested is struct/
  ],
  [
    "an optional field for a required column",
    { filePrefix: "r", schema: changed("text", { required: true }) },
    /may be absent/
  ],
  [
    "a required column of nothing",
    { filePrefix: "r", schema: changed("added_later", { required: true }) },
    /no such field/
  ],
  [
    "a source column of another type",
    { filePrefix: "r", schema: changed("source_offset", { type: { _tag: "int" } }) },
    /source_offset must be long/
  ],
  [
    "a partition by a column that records do not have",
    {
      filePrefix: "r",
      spec: partitionSpec(everythingSchema, [{ column: "added_later", transform: { _tag: "identity" } }])
    },
    /added_later: records have no such field/
  ],
  [
    "an order by a transform",
    {
      filePrefix: "r",
      sortOrder: {
        orderId: 1,
        fields: [
          { sourceId: 11, transform: { _tag: "bucket", buckets: 4 }, direction: "asc", nullOrder: "nulls-first" }
        ]
      }
    },
    /sort order/
  ]
]

layer(lake)("a writer refuses", (it) => {
  for (const [name, options, message] of refusals) {
    it.effect(name, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const error = yield* Effect.flip(makeWriter(options))
          assert.strictEqual(error.reason, "Unsupported")
          assert.match(error.message, message)
        })
      )
    )
  }

  for (const [column, width, bad, type] of [
    ["count", 10, -2_147_483_648, "int"],
    ["tiny", 1000, "-999.9", "decimal(4, 1)"]
  ] as const) {
    it.effect(`records whose truncated ${column} is beyond its type`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const spec = partitionSpec(everythingSchema, [{ column, transform: { _tag: "truncate", width } }])
          const writer = yield* makeWriter({ filePrefix: `beyond-${column}`, spec })
          const good = { ...randomInput(seeded(5), 1), [column]: 7 }
          const batches = makeBatches()
          yield* writer.write(batches([good]), 0)
          const error = yield* Effect.flip(writer.write(batches([good, { ...good, [column]: bad }], 1), 0))
          assert.strictEqual(error.reason, "Unsupported")
          assert.include(error.message, `truncate[${width}] of a record's value is beyond ${type}`)
          assert.notInclude(error.message, "999.9")
        })
      )
    )
  }

  it.effect("to go on after a failure", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const writer = yield* makeWriter({ filePrefix: "gone", rowGroupRowsMax: 100 })
        const below = seeded(31)
        const batch = makeBatches()(Array.from({ length: 500 }, () => randomInput(below, 1)))
        const { scratchDirectory } = yield* DuckDb
        rmSync(scratchDirectory, { recursive: true })
        const first = yield* Effect.flip(Effect.andThen(writer.write(batch, 0), writer.finish))
        assert.strictEqual(first.reason, "Unavailable")
        assert.strictEqual(yield* Effect.flip(writer.write(batch, 0)), first)
        assert.strictEqual(yield* Effect.flip(writer.finish), first)
      })
    )
  )
})

describe("a failure of the disk", () => {
  it("is told apart: full, or out of reach", () => {
    const noSpace = Object.assign(new Error("write"), { code: "ENOSPC" })
    assert.strictEqual(fromFileError(noSpace).reason, "Full")
    assert.match(fromFileError(noSpace).message, /disk is full/)
    assert.strictEqual(fromFileError(Object.assign(new Error("x"), { code: "EIO" })).reason, "Unavailable")
    const taken = new StorageError({ reason: "AlreadyExists", uri: "file:///x", message: "x exists already" })
    assert.strictEqual(fromStorageError(taken).reason, "Unavailable")
  })
})
