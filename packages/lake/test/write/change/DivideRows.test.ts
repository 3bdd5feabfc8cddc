/**
 * Rows of many partitions: neither open files nor memory grow with their number, and every row is in its partition's file. Large
 * partitions become several files.
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { appendRows, overwriteRows } from "../../../src/write/change/AppendRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { setProperties } from "../../../src/write/TableAction.ts"
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

const sizesTarget = 1_000_000
const sizedRows = 400_000
/** Rows of partition 0, but for one in a thousand, which lie in three others. */
const sized = `SELECT CASE WHEN i % 1000 = 0 THEN 1 + (i // 1000) % 3 ELSE 0 END AS part, i AS n, hash(i)::VARCHAR AS text_0, ${texts
  .slice(1)
  .map((name) => `NULL AS ${name}`)
  .join(", ")} FROM range(${sizedRows}) AS r(i)`

/** Files of the table: partition, rows and bytes as the file system has them; every row must be there once. */
const sizedFiles = Effect.gen(function* () {
  const { entries } = yield* planScan(yield* load)
  const { rows } = yield* readTable(yield* load, {
    query:
      "SELECT count(*)::INTEGER AS rows, count(DISTINCT n)::INTEGER AS numbers, count(*) FILTER (WHERE text_0 <> hash(n)::VARCHAR OR part <> CASE WHEN n % 1000 = 0 THEN 1 + (n // 1000) % 3 ELSE 0 END)::INTEGER AS wrong FROM t"
  })
  assert.deepStrictEqual(rows, [{ rows: sizedRows, numbers: sizedRows, wrong: 0 }])
  assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
  return entries.map(({ dataFile }) => ({
    part: dataFile.partition[0] === undefined ? undefined : Number(dataFile.partition[0]),
    bytes: statSync(localPath(dataFile.filePath) ?? "").size
  }))
})

const assertSizes = (files: ReadonlyArray<{ readonly bytes: number }>, target: number) => {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  assert.isAtLeast(files.length, 3, `of ${bytes} bytes`)
  assert.isAtMost(files.length, Math.ceil((bytes / target) * 1.5))
  // the last may be what was left over
  for (const file of files) assert.isAtMost(file.bytes, target * 1.7)
  assert.isAtLeast(files.filter((file) => file.bytes > target * 0.5).length, files.length - 1)
}

/** The large partition became several files, each small one beside it is one. */
const assertDivided = Effect.gen(function* () {
  const files = yield* sizedFiles
  assertSizes(
    files.filter(({ part }) => part === 0),
    sizesTarget
  )
  assert.sameMembers(
    files.flatMap(({ part }) => (part === 0 ? [] : [part])),
    [1, 2, 3]
  )
})

describe("files of a target size", () => {
  it.live("are what a large partition becomes, and small ones beside it stay one file", () =>
    Effect.gen(function* () {
      yield* createTable
      yield* appendRows(table, sized, { fileBytesTarget: sizesTarget })
      yield* assertDivided
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are what more partitions become than are written at once", () =>
    Effect.gen(function* () {
      yield* createTable
      yield* appendRows(table, sized, { fileBytesTarget: sizesTarget, partitionsOpenMax: 2 })
      yield* assertDivided
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are what a table without partitions becomes, by the caller's word or the table's property", () =>
    Effect.gen(function* () {
      const property = "write.target-file-size-bytes"
      const properties = new Map([[property, String(sizesTarget)]])
      yield* Catalog.use((catalog) => catalog.createTable({ identifier: table, schema, properties }))
      yield* appendRows(table, sized)
      const files = yield* sizedFiles
      assertSizes(files, sizesTarget)
      yield* overwriteRows(table, undefined, sized, { fileBytesTarget: sizesTarget * 1.5 })
      const larger = yield* sizedFiles
      assertSizes(larger, sizesTarget * 1.5)
      assert.isBelow(larger.length, files.length)
      // what is no size is as if it were not there
      yield* commitTable({ table, actions: () => Effect.succeed([setProperties(new Map([[property, "small"]]))]) })
      yield* overwriteRows(table, undefined, sized)
      assert.lengthOf(yield* sizedFiles, 1)
    }).pipe(Effect.provide(layerLake))
  )
})
