/** An audit's report as people and programs read it. Pure. */
import type { AuditReport, OffsetSample, PartitionAudit } from "@frazil/lake"
import { Units } from "@frazil/platform"
import { textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"

const sampleText = (sample: OffsetSample): string => {
  const listed = sample.offsets.join(", ")
  return sample.count > sample.offsets.length ? `${listed}, … (${Units.count(sample.count)} in all)` : listed
}

const partitionLines = (audit: PartitionAudit): ReadonlyArray<string> =>
  (["missing", "doubled", "unexpected"] as const).flatMap((kind) =>
    audit[kind].count === 0 ? [] : [`partition ${audit.partition}: ${kind} offsets ${sampleText(audit[kind])}`]
  )

const sumOf = (report: AuditReport, of: (audit: PartitionAudit) => number): number =>
  report.partitions.reduce((sum, audit) => sum + of(audit), 0)

/** Rows of `kind` over all partitions. */
const total = (report: AuditReport, kind: "missing" | "doubled" | "unexpected"): number =>
  sumOf(report, (audit) => audit[kind].count)

/** What was found, in one line: the last of a report, and the error's text when it is a mismatch. */
export const verdict = (report: AuditReport): string => {
  const records = sumOf(report, (audit) => audit.records)
  const undecodable = sumOf(report, (audit) => audit.undecodable)
  if (report.matches) {
    const rows = sumOf(report, (audit) => audit.found.rows)
    const below = sumOf(report, (audit) => audit.rowsBelowStart)
    // what retention removed cannot be recounted: it says so instead of calling it right
    const removed = below === 0 ? "" : `; ${Units.plural(below, "row")} below the log's start not recounted`
    return `${report.table} matches ${report.topic}: ${Units.plural(records, "record")}, ${Units.count(undecodable)} of them invalid, ${Units.plural(rows, "row")}, none missing, none doubled${removed}`
  }
  const wrong = [
    ...(["missing", "doubled", "unexpected"] as const).flatMap((kind) =>
      total(report, kind) === 0 ? [] : [`${Units.count(total(report, kind))} ${kind}`]
    ),
    ...(report.foreignRows === 0 ? [] : [`${Units.count(report.foreignRows)} of no partition of ${report.topic}`]),
    ...(report.problems.length === 0 ? [] : [report.problems.join("; ")])
  ]
  return `${report.table} does not match ${report.topic}: ${wrong.join(", ")}`
}

export const auditLines = (report: AuditReport): ReadonlyArray<string> => [
  ...textTable<PartitionAudit>(
    [
      { title: "PARTITION", text: (row) => String(row.partition), align: "right" },
      { title: "LOG FROM", text: (row) => Units.count(row.start), align: "right" },
      { title: "LANDED TO", text: (row) => Units.count(row.next), align: "right" },
      { title: "RECORDS", text: (row) => Units.count(row.records), align: "right" },
      { title: "INVALID", text: (row) => Units.count(row.undecodable), align: "right" },
      { title: "EXPECTED", text: (row) => Units.count(row.expected.rows), align: "right" },
      { title: "ROWS", text: (row) => Units.count(row.found.rows), align: "right" },
      { title: "DISTINCT", text: (row) => Units.count(row.found.distinct), align: "right" },
      { title: "MIN", text: (row) => (row.found.min === null ? "-" : Units.count(row.found.min)), align: "right" },
      { title: "MAX", text: (row) => (row.found.max === null ? "-" : Units.count(row.found.max)), align: "right" },
      { title: "SUM OF OFFSETS", text: (row) => Units.count(row.found.sum), align: "right" },
      { title: "MISSING", text: (row) => Units.count(row.missing.count), align: "right" },
      { title: "DOUBLED", text: (row) => Units.count(row.doubled.count), align: "right" },
      { title: "UNEXPECTED", text: (row) => Units.count(row.unexpected.count), align: "right" },
      { title: "BELOW LOG", text: (row) => Units.count(row.rowsBelowStart), align: "right" }
    ],
    report.partitions
  ),
  ...report.partitions.flatMap(partitionLines),
  ...(report.matches ? [verdict(report)] : [])
]

const figures = (of: PartitionAudit["found"]) => ({
  rows: of.rows,
  distinct: of.distinct,
  min: of.min,
  max: of.max,
  sum: of.sum
})

export const auditJson = (report: AuditReport) => ({
  table: report.table,
  topic: report.topic,
  matches: report.matches,
  snapshot_id: report.snapshotId ?? null,
  committed_at: isoTime(report.committedAtMs),
  files: report.files,
  foreign_rows: report.foreignRows,
  problems: report.problems,
  partitions: report.partitions.map((audit) => ({
    partition: audit.partition,
    log_start: audit.start,
    landed_to: audit.next,
    records: audit.records,
    invalid: audit.undecodable,
    expected: figures(audit.expected),
    found: figures(audit.found),
    rows_below_log_start: audit.rowsBelowStart,
    missing: audit.missing,
    doubled: audit.doubled,
    unexpected: audit.unexpected
  }))
})
