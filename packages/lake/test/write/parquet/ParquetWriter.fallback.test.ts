/**
 * Where DuckDB lays out its cells in another way than expected: one warning, and the same rows as everywhere else, through
 * all writers of a process, its compaction included.
 */
import type { DuckDBResultReader } from "@duckdb/node-api"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { DuckDb, type DuckDbShape } from "../../../src/io/DuckDb.ts"
import { DuckDbError } from "../../../src/io/DuckDbError.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { ParquetWriter } from "../../../src/write/parquet/ParquetWriter.ts"
import { appendRows, createTable, layerLake, rowsAt, table } from "../../maintenance/MaintenanceFixture.ts"
import { byDay, Everythings, everythingSchema } from "./WriterCases.ts"

/** The comparison of direct cells with appended ones finds a row that differs; every other query is DuckDB's. */
const readingBackDiffers = (duckDb: DuckDbShape): DuckDbShape => ({
  ...duckDb,
  connect: Effect.map(duckDb.connect, (connection) => ({
    ...connection,
    query: (sql: string, doing: string) =>
      sql.includes("check_fast")
        ? // stands for DuckDB's reader: the check asks it for rows only
          Effect.as(Effect.yieldNow, { getRows: () => [[1]] } as unknown as DuckDBResultReader)
        : connection.query(sql, doing)
  }))
})

/** Direct cells cannot even be appended: the statement that the check begins with fails. */
const checkFails = (duckDb: DuckDbShape): DuckDbShape => ({
  ...duckDb,
  connect: Effect.map(duckDb.connect, (connection) => ({
    ...connection,
    run: (sql: string, doing: string) =>
      sql.includes("check_fast")
        ? Effect.fail(new DuckDbError({ reason: "Failed", message: "another DuckDB" }))
        : connection.run(sql, doing)
  }))
})

const forced = { "cells read back differ": readingBackDiffers, "the check fails": checkFails } as const

/** Six commits by day, put together by compaction: the table's rows before and after. */
const landedAndCompacted = Effect.gen(function* () {
  yield* createTable()
  for (let i = 0; i < 6; i++) yield* appendRows(i * 100, 100, 2, "cells")
  const landed = yield* rowsAt()
  const report = yield* compactTable(table)
  assert.deepInclude(report, { filesBefore: 12, filesAfter: 2, conflicts: 0, error: undefined })
  return { landed, compacted: yield* rowsAt() }
}).pipe(Effect.scoped)

const writer = (filePrefix: string) =>
  ParquetWriter.make({
    schema: everythingSchema,
    spec: byDay,
    shape: Everythings.shape,
    sourceTopic: "everything",
    targetDirectory: "file:///unused/",
    filePrefix,
    encoding: "cells"
  })

/** Runs `effect` on the other DuckDB; the warnings it gave. */
const warned = <A, E, R>(effect: Effect.Effect<A, E, R>, other: (duckDb: DuckDbShape) => DuckDbShape) =>
  Effect.gen(function* () {
    const warnings: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Warn") warnings.push(String(message))
    })
    const result = yield* effect.pipe(
      Effect.provideService(DuckDb, other(yield* DuckDb)),
      Effect.provide(Logger.layer([logger]))
    )
    return { result, warnings }
  })

describe("a DuckDB that lays out its cells in another way", () => {
  for (const [how, other] of Object.entries(forced)) {
    it.live(`lands and compacts the same rows, with one warning (${how})`, () =>
      Effect.gen(function* () {
        const expected = yield* Effect.provide(landedAndCompacted, layerLake)
        assert.strictEqual(expected.compacted, expected.landed)
        const { result, warnings } = yield* warned(landedAndCompacted, other).pipe(Effect.provide(layerLake))
        assert.deepStrictEqual(result, expected)
        assert.lengthOf(warnings, 1)
        assert.match(warnings[0]!, /lays out its cells in another way/)
      })
    )
  }

  it.live("warns once of writers that open at the same time, and none of them writes cells directly", () =>
    Effect.gen(function* () {
      const open = Effect.forEach(
        Array.from({ length: 9 }, (_, i) => `w${i}`),
        writer,
        { concurrency: "unbounded" }
      )
      const opened = Effect.scoped(Effect.map(open, (writers) => writers.map(({ encoding }) => encoding)))
      const { result, warnings } = yield* warned(opened, readingBackDiffers).pipe(Effect.provide(layerLake))
      assert.deepStrictEqual(
        result,
        Array.from({ length: 9 }, () => "appended")
      )
      assert.lengthOf(warnings, 1)
    })
  )
})
