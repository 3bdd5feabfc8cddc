/** W1 to W5 against an oracle of plain loops, over generated files, late and nasty ones, and files of little. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import type { Answered } from "../../src/workload/Answer.ts"
import { textOf } from "../../src/workload/Rows.ts"
import { w1 } from "../../src/workload/W1.ts"
import { w4 } from "../../src/workload/W4.ts"
import { w5 } from "../../src/workload/W5.ts"
import { runWindows, w2, w3 } from "../../src/workload/Windows.ts"
import { oracleCounts, oracleDays, oracleSequences, oracleWindows } from "../../src/workload/Oracle.ts"
import { transaction, transactionLines } from "./Lines.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-workloads-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const fileOf = (content: string): string => {
  const file = join(folder, `${files++}.ndjson`)
  writeFileSync(file, content)
  return file
}

const countsOf = ({ counts }: Answered) => {
  const { late: _, ...counted } = counts
  return counted
}

const rowsOf = ({ counts, rows, rows_cents_sum, rows_count_sum }: Answered) => ({
  late: counts.late,
  rows: rows.length,
  rows_sha256: textOf(rows).sha256,
  ...(rows_count_sum === undefined ? {} : { rows_count_sum, rows_cents_sum })
})

/** All five over the content; the counts of late ones by workload. */
const agree = async (content: string, through: "file" | "log" = "file") => {
  const file = fileOf(content)
  const counted = oracleCounts(content)
  const [one, two, three, four] = [
    await w1(file, through),
    await runWindows("w2", { ...w2, countMin: 3 }, file, through),
    await runWindows("w3", w3, file, through),
    await w4(file, through)
  ]
  for (const each of [one, two, three, four]) assert.deepStrictEqual(countsOf(each), counted)
  assert.deepStrictEqual(rowsOf(two), oracleWindows(content, 300_000, 3))
  assert.deepStrictEqual(rowsOf(three), oracleWindows(content, 3_600_000, 1))
  assert.deepStrictEqual(rowsOf(four), oracleSequences(content))
  const landed = await w5(file, through)
  const days = oracleDays(content)
  assert.deepStrictEqual(landed.more?.["by_day"], days)
  assert.deepStrictEqual(
    landed.rows,
    days.map((day) => day.join(","))
  )
  const { amount_cents, invalid, n } = counted
  assert.deepStrictEqual(landed.counts, { n, invalid, amount_cents })
  assert.strictEqual(landed.tableRows, n - invalid)
  return { late: [two.counts.late, three.counts.late, four.counts.late], rows: four.rows.length }
}

const start = Date.UTC(2026, 0, 14, 23, 45)

describe("the workloads", () => {
  it("give the oracle's answers over records a little out of order, and nasty lines", async () => {
    const told = await agree(transactionLines({ seed: 1, count: 3000, spreadMs: 5000, stepMsMax: 4000 }))
    assert.deepStrictEqual(told.late, [0, 0, 0])
    assert.isAbove(told.rows, 100)
  })

  it("count late records as the oracle does, also those that some windows still take", async () => {
    const told = await agree(transactionLines({ seed: 2, count: 2000, spreadMs: 5_000_000, stepMsMax: 4000 }))
    for (const late of told.late) assert.isAbove(late!, 100)
    assert.isAbove(told.late[0]!, told.late[1]!)
  })

  it("take time as it comes: gaps of days close every window at once", async () => {
    const one = transactionLines({ seed: 3, count: 200, spreadMs: 400_000, stepMsMax: 200_000 })
    const days = [0, 40, 2, 41].map((day, index) => transaction(9_000_000 + index, start + day * 86_400_000))
    await agree(one + days.map((line) => `${line}\n`).join("") + one)
  })

  it("add amounts up exactly beyond a safe integer", async () => {
    const many = Array.from({ length: 30 }, (_, index) => transaction(index, start, { amount: "9999999999999.99" }))
    const { rows } = await agree(many.join("\n"))
    assert.strictEqual(rows, 0)
    const answered = await w1(fileOf(many.join("\n")), "file")
    assert.strictEqual(answered.counts.amount_cents, 30n * 999_999_999_999_999n)
  })

  it("read a last line without a line feed, nothing at all, one record, empty lines, CRLF, and long records", async () => {
    const line = transaction(1, start)
    const longest = transaction(2, start, { city: `"${"c".repeat(1_048_576 - line.length - 2 + '"Oslo"'.length)}"` })
    assert.strictEqual(longest.length, 1_048_576)
    const longer = longest.replace("ccc", "cccc")
    const contents = [
      "",
      line,
      `${line}\n`,
      "\n\n",
      `${line}\r\n${line}\r\n`,
      `${longest}\n${longer}\n${line}`,
      // its head alone would be a record
      `${line}${" ".repeat(4_000_000)}\n${line}\n${longer}`
    ]
    for (const content of contents) await agree(content)
  })

  it("land a file several times over, its last line without a line feed", async () => {
    const file = fileOf(`${transaction(1, start)}\n${transaction(2, start)}`)
    const landed = await w5(file, "file", 3)
    assert.deepInclude(landed.counts, { n: 6, invalid: 0 })
    assert.deepStrictEqual(landed.more?.["by_day"], [["2026-01-14", 6, 750n]])
    assert.isAbove(Number(landed.more?.["commits"]), 0)
  })

  it("answer through the embedded log as over the file", async () => {
    await agree(transactionLines({ seed: 4, count: 600, spreadMs: 600_000, stepMsMax: 4000 }), "log")
  })
})
