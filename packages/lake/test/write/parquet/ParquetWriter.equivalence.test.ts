/**
 * Pages of our own, cells written directly into DuckDB's vectors and cells appended one by one give the same rows and metrics, and
 * all of them what was given.
 */
import { assert, layer } from "@effect/vitest"
import type { DuckDBResultReader } from "@duckdb/node-api"
import { Effect, Logger } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { checkCells } from "../../../src/write/parquet/CellCheck.ts"
import type { Encoding } from "../../../src/write/parquet/ParquetWriter.ts"
import {
  assertRows,
  expectedRow,
  lake,
  makeBatches,
  makeWriter,
  randomInput,
  readRows,
  seeded,
  type Input
} from "./WriterCases.ts"

const unpartitioned = { specId: 0, fields: [] }

const write = Effect.fnUntraced(function* (
  filePrefix: string,
  encoding: Encoding,
  batches: ReadonlyArray<ReadonlyArray<Input | Uint8Array>>
) {
  const writer = yield* makeWriter({ filePrefix, encoding, spec: unpartitioned })
  assert.strictEqual(writer.encoding, encoding)
  const decode = makeBatches()
  let offset = 0
  for (const inputs of batches) {
    yield* writer.write(decode(inputs, offset), 7)
    offset += inputs.length
  }
  return yield* writer.finish
})

layer(lake)("pages, direct cells and appended cells", (it) => {
  it.effect("the layout of cells is as expected in this DuckDB", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* checkCells(yield* DuckDb))
    })
  )

  it.effect("a layout that is not as expected costs one warning and speed, no rows", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const duckDb = yield* DuckDb
        const warnings: Array<unknown> = []
        const logger = Logger.make(({ message }) => void warnings.push(message))
        // the comparison of both ways finds one row that differs
        const differing = { getRows: () => [[1]] }
        const connect = Effect.map(duckDb.connect, (connection) => ({
          ...connection,
          // stands for DuckDB's reader: the check asks it for rows only
          query: () => Effect.succeed(differing as unknown as DuckDBResultReader)
        }))
        const other = { ...duckDb, connect }
        const inputs = Array.from({ length: 40 }, (_, i) => randomInput(seeded(i)))
        for (const attempt of [1, 2]) {
          const writer = yield* makeWriter({
            filePrefix: `other${attempt}`,
            encoding: "cells",
            spec: unpartitioned
          }).pipe(Effect.provideService(DuckDb, other), Effect.provide(Logger.layer([logger])))
          assert.strictEqual(writer.encoding, "appended")
          yield* writer.write(makeBatches()(inputs), 7)
          assertRows(
            yield* readRows(yield* writer.finish),
            inputs.map((input, offset) => expectedRow(input, 7, offset))
          )
        }
        assert.lengthOf(warnings, 1)
      })
    )
  )

  for (const seed of [1, 2, 3, 4]) {
    it.effect(`give the rows and the metrics of random batches (seed ${seed})`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const below = seeded(seed)
          // batches of one row, of less and of more than a chunk
          const sizes = [1, 300, seed === 1 ? 2500 : 700, 13]
          const batches = sizes.map((size) => Array.from({ length: size }, () => randomInput(below)))
          const direct = yield* write(`direct${seed}`, "cells", batches)
          const safe = yield* write(`safe${seed}`, "appended", batches)
          const own = yield* write(`own${seed}`, "pages", batches)
          const expected = batches.flat().map((input, offset) => expectedRow(input, 7, offset))
          assertRows(yield* readRows(direct), expected)
          assertRows(yield* readRows(safe), expected)
          const unnamed = (files: typeof direct) => files.map((file) => ({ ...file, filePath: "" }))
          assert.deepStrictEqual(unnamed(direct), unnamed(safe))
          assertRows(yield* readRows(own), expected)
          // sizes are each writer's own
          const unsized = (files: typeof direct) =>
            unnamed(files).map((file) => ({ ...file, fileSizeInBytes: 0n, columnSizes: new Map(), splitOffsets: [] }))
          assert.deepStrictEqual(unsized(own), unsized(safe))
        })
      )
    )
  }

  it.effect("skip rows that failed to decode, whatever bytes they have", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const below = seeded(9)
        const inputs = Array.from({ length: 50 }, () => randomInput(below))
        const lines = inputs.flatMap((input, i): ReadonlyArray<Input | Uint8Array> =>
          i % 5 === 0 ? [Uint8Array.of(0x7b, 0x22), Uint8Array.of(0xff, 0xfe, 0x80)] : [input]
        )
        const expected = lines.flatMap((line, offset) =>
          line instanceof Uint8Array ? [] : [expectedRow(line, 7, offset)]
        )
        for (const encoding of ["pages", "cells", "appended"] as const) {
          assertRows(yield* readRows(yield* write(`failed-${encoding}`, encoding, [lines])), expected)
        }
      })
    )
  )
})
