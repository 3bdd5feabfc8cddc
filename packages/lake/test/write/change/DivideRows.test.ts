/** Rows of many partitions: neither open files nor memory grow with their number, and every row is in its partition's file. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"

const partitions = 300
const partitionsOpenMax = 8
const texts = Array.from({ length: 7 }, (_, i) => `text_${i}`)

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "part", required: true, type: { _tag: "long" } },
    { id: 2, name: "n", required: true, type: { _tag: "long" } },
    ...texts.map((name, i) => ({ id: 3 + i, name, required: false, type: { _tag: "string" } as const }))
  ]
}

/** Row i is in partition i modulo `partitions`. */
const select = `SELECT i % ${partitions} AS part, i AS n, ${texts.map((name, i) => `'text of ' || (i * ${i + 3}) AS ${name}`).join(", ")} FROM range(6000) AS r(i)`

/** The most files below the folder that this process was seen to have open at once. */
const openFiles = (folder: string) => {
  let most = 0
  const look = () => {
    const open = readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
      } catch {
        // closed since it was listed
        return false
      }
    })
    most = Math.max(most, open.length)
  }
  const timer = setInterval(look, 1)
  return () => {
    clearInterval(timer)
    return most
  }
}

const createTable = Catalog.use((catalog) =>
  catalog.createTable({
    identifier: table,
    schema,
    partitionSpec: partitionSpec(schema, [{ column: "part", transform: { _tag: "identity" } }])
  })
)

describe("rows of many partitions", () => {
  it.live.skipIf(process.platform !== "linux")(
    "are written with a few files open and little memory, each where it belongs",
    () =>
      Effect.gen(function* () {
        yield* createTable
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-divide-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
        )
        const small = Layer.fresh(DuckDb.layer({ dataDirectory: folder, memoryBytesMax: 40 << 20 }))
        const seen = openFiles(folder)
        yield* Effect.provide(appendRows(table, select, { partitionsOpenMax }), small)
        assert.isAtMost(seen(), partitionsOpenMax + 2)
        const { entries } = yield* planScan(yield* load)
        assert.deepStrictEqual(
          entries.map(({ dataFile: { partition, recordCount } }) => `${String(partition[0])}: ${recordCount}`).sort(),
          Array.from({ length: partitions }, (_, part) => `${part}: 20`).sort()
        )
        const wrong = `n % ${partitions} <> part OR text_6 <> 'text of ' || (n * 9)`
        const { rows } = yield* readTable(yield* load, {
          query: `SELECT count(DISTINCT n)::INTEGER AS rows, count(*) FILTER (WHERE ${wrong})::INTEGER AS wrong FROM t`
        })
        assert.deepStrictEqual(rows, [{ rows: 6000, wrong: 0 }])
      }).pipe(Effect.provide(layerLake)),
    60_000
  )

  it.live("of a query that gives others each time are refused, since some would be in no file", () =>
    Effect.gen(function* () {
      yield* createTable
      const nulls = texts.map((name) => `NULL AS ${name}`).join(", ")
      const random = `SELECT (random() * 1e15)::BIGINT AS part, i AS n, ${nulls} FROM range(100) AS r(i)`
      const error = yield* Effect.flip(appendRows(table, random))
      assert.strictEqual(error.reason, "Invalid", error.message)
      assert.deepStrictEqual((yield* load).metadata.snapshots, [])
    }).pipe(Effect.provide(layerLake))
  )
})
