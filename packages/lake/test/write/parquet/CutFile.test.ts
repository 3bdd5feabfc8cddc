/** A Parquet file that is cut between its row groups, and what DuckDB's own reader finds in the pieces. */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { assert, describe, it } from "@effect/vitest"
import { cutFile } from "../../../src/write/parquet/CutFile.ts"

const rows = 20_480
/** Columns with dictionaries, which have bloom filters, and without; lists, nulls. Names are of one group of rows each. */
const select = `SELECT i AS n, 'name ' || (hash(i) % 40) || ' of ' || (i // 2048) AS name, CASE WHEN i % 7 = 0 THEN NULL ELSE hash(i, 1)::VARCHAR END AS text,
  CASE WHEN i % 5 = 0 THEN [] ELSE [i % 3, NULL] END AS list FROM range(${rows}) AS r(i)`

const withFile = async (
  run: (path: string, ask: (sql: string) => Promise<ReadonlyArray<ReadonlyArray<unknown>>>) => Promise<void>
) => {
  const folder = mkdtempSync(join(tmpdir(), "frazil-cut-"))
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" })
  const connection = await instance.connect()
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson()
  try {
    const path = join(folder, "whole.parquet")
    await ask(
      `COPY (${select}) TO '${path}' (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`
    )
    await run(path, ask)
  } finally {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe("cutFile", () => {
  it("makes pieces near the size, with all rows in their order", () =>
    withFile(async (path, ask) => {
      const whole = await ask(`SELECT * FROM '${path}' ORDER BY file_row_number`)
      const target = statSync(path).size / 4
      const pieces = await cutFile(path, target)
      assert.lengthOf(pieces, 4)
      assert.isFalse(existsSync(path))
      for (const piece of pieces) {
        assert.isAtMost(statSync(piece).size, target * 1.5)
        assert.isAtLeast(statSync(piece).size, target * 0.6)
      }
      const list = pieces.map((piece) => `'${piece}'`).join(", ")
      const found = await ask(
        `SELECT n, name, text, list FROM read_parquet([${list}]) ORDER BY file_index, file_row_number`
      )
      assert.deepStrictEqual(found, whole)
      const groups = await ask(
        `SELECT row_group_id::INTEGER, max(row_group_num_rows)::INTEGER FROM parquet_metadata('${pieces[1]!}') GROUP BY 1 ORDER BY 1`
      )
      assert.deepStrictEqual(
        groups.map(([id]) => id),
        groups.map((_, i) => i)
      )
    }))

  it("takes bloom filters along", () =>
    withFile(async (path, ask) => {
      const filters = `SELECT count(*)::INTEGER FROM parquet_metadata(PATH) WHERE bloom_filter_offset IS NOT NULL`
      const [[before]] = (await ask(filters.replace("PATH", `'${path}'`))) as [[number]] // one count
      assert.isAbove(before, 0)
      const pieces = await cutFile(path, statSync(path).size / 3)
      const list = pieces.map((piece) => `'${piece}'`).join(", ")
      assert.deepStrictEqual(await ask(filters.replace("PATH", `[${list}]`)), [[before]])
      const excluded = async (name: string) => {
        const probes = await ask(`SELECT bloom_filter_excludes FROM parquet_bloom_probe([${list}], 'name', '${name}')`)
        return probes.map(([excludes]) => excludes)
      }
      for (let group = 0; group < 10; group++) {
        const excludes = Array.from({ length: 10 }, (_, i) => i !== group)
        for (const name of [0, 13, 39]) assert.deepStrictEqual(await excluded(`name ${name} of ${group}`), excludes)
      }
    }))

  it("leaves a file alone that is near the size, and one group of rows whatever its size", () =>
    withFile(async (path, ask) => {
      assert.deepStrictEqual(await cutFile(path, statSync(path).size / 1.4), [path])
      const single = `${path}.single`
      await ask(`COPY (${select} LIMIT 2000) TO '${single}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
      assert.deepStrictEqual(await cutFile(single, 100), [single])
      const empty = `${path}.empty`
      await ask(`COPY (${select} LIMIT 0) TO '${empty}' (FORMAT parquet)`)
      assert.deepStrictEqual(await cutFile(empty, 100), [empty])
    }))
})
