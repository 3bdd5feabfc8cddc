/** What an audit says to people. */
import { assert, describe, it } from "@effect/vitest"
import type { AuditReport, PartitionAudit } from "@frazil/lake"
import { auditLines, verdict } from "../../src/tables/AuditText.ts"

const none = { count: 0, offsets: [] }
const figures = { rows: 2, distinct: 2, min: 0, max: 1, sum: 1n }

const partition: PartitionAudit = {
  partition: 0,
  start: 0,
  next: 3,
  records: 3,
  undecodable: 1,
  expected: figures,
  found: figures,
  rowsBelowStart: 0,
  missing: none,
  doubled: none,
  unexpected: none
}

const report: AuditReport = {
  table: "transactions.raw",
  topic: "raw-transactions",
  snapshotId: 1n,
  committedAtMs: 0,
  files: 1,
  partitions: [partition],
  foreignRows: 0,
  problems: [],
  matches: true
}

describe("AuditText", () => {
  it("ends with one line when all is well", () => {
    assert.strictEqual(
      auditLines(report).at(-1),
      "transactions.raw matches raw-transactions: 3 records, 1 of them invalid, 2 rows, none missing, none doubled"
    )
  })

  it("says how many rows it could not recount, and from where on it did", () => {
    const trimmed: AuditReport = { ...report, partitions: [{ ...partition, start: 1_200, rowsBelowStart: 800 }] }
    assert.strictEqual(
      verdict(trimmed),
      "transactions.raw matches raw-transactions: 3 records, 1 of them invalid, 2 rows, none missing, none doubled; 800 rows below the log's start not recounted"
    )
    assert.include(auditLines(trimmed)[1], "1,200")
  })

  it("lists offsets that differ, and how many there are beyond", () => {
    const missing = { count: 1_234, offsets: [4, 5] }
    const differing: AuditReport = { ...report, matches: false, partitions: [{ ...partition, missing }] }
    assert.strictEqual(auditLines(differing).at(-1), "partition 0: missing offsets 4, 5, … (1,234 in all)")
    assert.strictEqual(verdict(differing), "transactions.raw does not match raw-transactions: 1,234 missing")
    const foreign = { ...differing, foreignRows: 2, problems: ["its mark was edited"] }
    assert.strictEqual(
      verdict(foreign),
      "transactions.raw does not match raw-transactions: 1,234 missing, 2 of no partition of raw-transactions, its mark was edited"
    )
  })
})
