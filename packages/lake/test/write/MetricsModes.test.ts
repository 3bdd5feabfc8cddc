/** The table's metrics mode in the manifests of whoever writes files: rows of a query, a landing's writer, compaction. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { metricsModes } from "../../src/spec/MetricsMode.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { ParquetWriter } from "../../src/write/parquet/ParquetWriter.ts"
import { createAccounts, layerLake, load, rowsSql, table } from "./change/ChangeFixture.ts"
import { Everythings, everythingSchema, makeBatches, randomInput, seeded } from "./parquet/WriterCases.ts"

const properties = [
  ["write.metadata.metrics.default", "none"],
  ["write.metadata.metrics.column.id", "full"],
  ["write.metadata.metrics.column.balance", "counts"],
  ["write.delete.mode", "merge-on-read"]
] as const

const account = (id: number) => ({ id, country: `a country of more than 16 letters ${id}`, cents: id })

/** Ids of columns with counts and with bounds, of each file. */
const metricsNow = Effect.gen(function* () {
  const { entries } = yield* planScan(yield* load)
  return entries.map(({ dataFile }) => [[...dataFile.valueCounts.keys()], [...dataFile.lowerBounds.keys()]])
})

describe("metrics of files", () => {
  it.live("are as the table's properties say, also after compaction", () =>
    Effect.gen(function* () {
      yield* createAccounts([], properties)
      yield* appendRows(table, rowsSql([account(1), account(2)]))
      yield* appendRows(table, rowsSql([account(3)]))
      const wanted = [[1, 3], [1]]
      assert.deepStrictEqual(yield* metricsNow, [wanted, wanted])
      yield* compactTable(table, { inputFilesMin: 2 })
      assert.deepStrictEqual(yield* metricsNow, [wanted])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("bound delete files by whole paths, whatever the properties say of columns", () =>
    Effect.gen(function* () {
      yield* createAccounts([], properties)
      yield* appendRows(table, rowsSql([account(1), account(2)]))
      yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 1n })
      const { deletes, entries } = yield* planScan(yield* load)
      const bound = deletes.get(entries[0]!)![0]!.dataFile.upperBounds.get(2_147_483_546)
      assert.strictEqual(new TextDecoder().decode(bound), entries[0]!.dataFile.filePath)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are what the writer of records is told", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      const { metadata } = yield* load
      const below = seeded(1)
      const inputs = Array.from({ length: 5 }, () => randomInput(below, 1))
      const write = (text: string) =>
        Effect.gen(function* () {
          const writer = yield* ParquetWriter.make({
            schema: everythingSchema,
            spec: { specId: 0, fields: [] },
            shape: Everythings.shape,
            sourceTopic: "everything",
            targetDirectory: `${metadata.location}/data`,
            filePrefix: text,
            metrics: metricsModes(new Map([["write.metadata.metrics.default", text]]))
          })
          yield* writer.write(makeBatches()(inputs, 0), 0)
          return (yield* writer.finish)[0]!
        }).pipe(Effect.scoped)
      const none = yield* write("none")
      assert.deepStrictEqual([none.valueCounts.size, none.nullValueCounts.size, none.lowerBounds.size], [0, 0, 0])
      const counts = yield* write("counts")
      assert.isAbove(counts.valueCounts.size, 10)
      assert.strictEqual(counts.upperBounds.size, 0)
    }).pipe(Effect.provide(layerLake))
  )
})
