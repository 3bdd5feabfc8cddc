/** The command as a user types it: one workload's answer and rows, and the table. */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { transaction, transactionLines } from "./workload/Lines.ts"
import { oracleCounts, oracleWindows } from "../src/workload/Oracle.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-bench-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string) => join(folder, name)

const run = (...words: ReadonlyArray<string>) => {
  const main = join(import.meta.dirname, "../src/main.ts")
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8" })
  return { status, stderr, stdout }
}

const limitFields =
  "w n sec eps high review clean invalid rules amount_cents late rows rows_count_sum rows_cents_sum rows_sha256"

describe("bun run bench with one workload", () => {
  it("prints the answer's line alone, and writes the rows that its hash is of", () => {
    const content = transactionLines({ seed: 11, count: 400, spreadMs: 5000, stepMsMax: 4000 })
    writeFileSync(path("t.ndjson"), content)
    const told = run("W3", "--input", path("t.ndjson"), "--output", path("out/of/w3"), "--json")
    assert.strictEqual(told.status, 0, told.stderr)
    assert.match(told.stdout, /^\{.*\}\n$/)
    const line = JSON.parse(told.stdout) as Readonly<Record<string, unknown>>
    assert.deepStrictEqual(Object.keys(line).slice(0, 15), limitFields.split(" "))
    const { amount_cents, ...counts } = oracleCounts(content)
    const { rows_cents_sum, ...rows } = oracleWindows(content, 3_600_000, 1)
    const expected = {
      w: 3,
      ...counts,
      ...rows,
      amount_cents: Number(amount_cents),
      rows_cents_sum: Number(rows_cents_sum),
      answer: "checked",
      answer_lines: 400
    }
    for (const [name, value] of Object.entries(expected)) assert.deepStrictEqual(line[name], value, name)
    const written = readFileSync(path("out/of/w3/W3.csv"))
    assert.strictEqual(createHash("sha256").update(written).digest("hex"), line["rows_sha256"])
    assert.match(written.toString(), /^ACC1,\d+,\d+,\d+\n/)
  })

  it("prints sums beyond a safe integer with all their digits, and what the log adds", () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      transaction(index, 1_768_434_300_000, { amount: "9999999999999.99" })
    )
    writeFileSync(path("big.ndjson"), many.join("\n"))
    const told = run("w1", "--input", path("big.ndjson"), "--through", "log")
    assert.strictEqual(told.status, 0, told.stderr)
    assert.include(told.stdout, `"amount_cents":${20n * 999_999_999_999_999n},`)
    assert.match(
      told.stdout,
      /"feedMicrosPerEvent":[\d.]+,"jobMicrosPerEvent":.*"logAddsMicrosPerEvent":-?[\d.]+,"answer":"checked","answer_lines":20\}\n$/
    )
  })

  it("says in one line that rows cannot be written, and exits 1", () => {
    writeFileSync(path("one.ndjson"), `${transaction(1, 0)}\n`)
    mkdirSync(path("taken/W1.csv"), { recursive: true })
    const told = run("w1", "--input", path("one.ndjson"), "--output", path("taken"))
    assert.strictEqual(told.status, 1)
    assert.strictEqual(told.stdout, "")
    assert.match(
      told.stderr,
      /^W1 over .*\nbench: .*W1\.csv cannot be written \(EISDIR.*\): give --output a folder .*\n$/
    )
  })
})

describe("bun run bench with benchmarks of the lake", () => {
  it("makes their tables, finds answers and rows the same, and prints their figures", () => {
    // of tiny tables: whether bounds are kept says nothing
    const { stderr, stdout } = run("lake-query", "lake-compact", "--rows", "1000", "--json")
    const { benchmarks } = JSON.parse(stdout) as {
      // as the command promises
      readonly benchmarks: ReadonlyArray<{
        readonly failed: unknown
        readonly fields: Readonly<Record<string, unknown>>
      }>
    }
    assert.deepStrictEqual(
      benchmarks.map(({ failed }) => failed),
      [null, null],
      stderr
    )
    const [query, compact] = benchmarks.map(({ fields }) => fields)
    assert.deepInclude(query, { w: "lake-query", rows: 1000, files: 1 })
    for (const name of ["total", "group", "filter", "range", "distinct"]) {
      for (const side of ["Ms", "DuckDbMs"]) assert.isAbove(Number(query?.[`${name}${side}`]), 0, name)
    }
    assert.isAbove(Number(query?.["worstOver"]), 0)
    assert.deepInclude(compact, { w: "lake-compact", rows: 1000, filesBefore: 1, filesAfter: 1 })
    assert.isAbove(Number(compact?.["rssPeakMb"]), 0)
  })
})

describe("bun run bench", () => {
  it("prints a table with the machine, and exits 1 when a bound is missed", () => {
    writeFileSync(path("few.ndjson"), `${transaction(1, 0)}\n`)
    const { status, stderr, stdout } = run("W1", "--input", path("few.ndjson"))
    // start-up alone is more than a microsecond
    assert.strictEqual(status, 1, stderr)
    assert.match(
      stdout,
      /\d+ cores, \d+ GB; .*\nBun 1\.[\d.]+, DuckDB v[\d.]+, SQLite 3\.[\d.]+; commit [0-9a-f]+.*, 20.* UTC\n/
    )
    assert.match(
      stdout,
      /\n\| w1 \| \d+(\.\d+)? µs of CPU an event \| 1 \| \*\*MISSED\*\* \| \d* \| \d+ \| Flink .*\|\n/
    )
    assert.match(stdout, /\n\| {2}\| \d+ MB \| 400 \| kept \|/)
  })
})
