/** W6 as a user types it: the peers' table, whatever the records' order and times, and what it says to a call that makes no sense. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { transaction } from "./Lines.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-w6-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, "t.ndjson")

const bench = (...words: ReadonlyArray<string>) => {
  const main = join(import.meta.dirname, "../../src/main.ts")
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8" })
  return { status, stderr, stdout }
}

/** As the peers' `accounts.py` prints them. */
const accounts = [
  ["ACC0000000", "US", 924],
  ["ACC0000001", "GB", 879],
  ["ACC0000002", "CA", 145],
  ["ACC0000011", "FR", 194],
  ["ACC0500000", "US", 970],
  ["ACC0999999", "CA", 931]
] as const

describe("W6", () => {
  it("joins each record with its account, in any order, over days", () => {
    const hourMs = 3_600_000
    const lines: Array<string> = []
    let [foreign, risk] = [0, 0]
    for (let index = 0; index < 300; index++) {
      const [account, home, itsRisk] = accounts[(index * 7) % accounts.length]!
      const country = index % 3 === 0 ? home : "NG"
      if (country !== home) foreign++
      risk += itsRisk
      // now a day ahead, now a day behind
      const ms = Date.UTC(2026, 0, 14) + ((index * 37) % 50) * hourMs
      lines.push(transaction(index, ms, { account_id: JSON.stringify(account), country: JSON.stringify(country) }))
    }
    writeFileSync(file, `${[...lines, "{"].join("\n")}\n`)
    const told = bench("W6", "--input", file, "--output", join(folder, "out"), "--json")
    assert.strictEqual(told.status, 0, told.stderr)
    const line = JSON.parse(told.stdout) as Readonly<Record<string, unknown>>
    assert.deepInclude(line, {
      w: 6,
      n: 301,
      invalid: 1,
      late: 0,
      rows: 0,
      x1: foreign,
      x2: risk,
      tableRows: 1_000_000
    })
    assert.isTrue(existsSync(join(folder, "out/W6.csv")))
  })

  it("says in one line that it does not go through the log", () => {
    writeFileSync(file, "")
    const told = bench("w6", "--input", file, "--through", "log")
    assert.strictEqual(told.status, 1)
    assert.strictEqual(told.stdout, "")
    assert.match(told.stderr, /^bench: W6 reads its table from memory: --through log is for W1 to W5\n$/)
  })
})
