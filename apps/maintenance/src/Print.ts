/**
 * How reports are printed: a line for a person, or the record of the topic `maintenance` as JSON, with what it removed.
 */
import type { MaintenanceReport } from "@frazil/lake"
import { Units } from "@frazil/platform"
import { Effect, Stdio, Stream } from "effect"
import { MaintenanceError } from "./MaintenanceError.ts"

const nouns = { compact: "data files", manifests: "manifests", expire: "files", orphans: "orphans" } as const

export const reportLine = (report: MaintenanceReport): string => {
  const { action, bytesAfter, bytesBefore, conflicts, dryRun, error, filesAfter, filesBefore } = report
  const figures = `${Units.count(filesBefore)} ${nouns[action]} of ${Units.bytes(bytesBefore)} → ${Units.count(filesAfter)} of ${Units.bytes(bytesAfter)}`
  const snapshots = action === "expire" ? `${Units.count(report.snapshotsExpired)} snapshots expired, ` : ""
  const others = [
    conflicts === 0 ? "" : `, ${conflicts} conflicts`,
    report.groupsLeft ? `, ${Units.plural(report.groupsLeft, "group")} of files left to the next run` : "",
    dryRun ? ", nothing changed (dry run)" : "",
    `, ${Units.age(report.finishedAtMs - report.startedAtMs)}`
  ].join("")
  return error === undefined
    ? `${report.table}: ${action}: ${snapshots}${figures}${others}`
    : `${report.table}: ${action}: ${error}`
}

export const reportJson = (report: MaintenanceReport) => ({
  table: report.table,
  action: report.action,
  dry_run: report.dryRun,
  started_at: new Date(report.startedAtMs).toISOString(),
  finished_at: new Date(report.finishedAtMs).toISOString(),
  files_before: report.filesBefore,
  files_after: report.filesAfter,
  bytes_before: report.bytesBefore,
  bytes_after: report.bytesAfter,
  conflicts: report.conflicts,
  snapshots_expired: report.snapshotsExpired,
  snapshot_id: report.snapshotId ?? null,
  removed: report.removed,
  error: report.error ?? null
})

/** A line on stdout. */
export const printLine = Effect.fnUntraced(function* (line: string) {
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(Stream.succeed(`${line}\n`), stdio.stdout({ endOnDone: false })).pipe(
    Effect.mapError((error) => new MaintenanceError({ message: `standard output cannot be written: ${error.message}` }))
  )
})

/** A line for people on stderr. */
export const note = Effect.fnUntraced(function* (line: string) {
  const stdio = yield* Stdio.Stdio
  yield* Effect.ignore(Stream.run(Stream.succeed(`${line}\n`), stdio.stderr({ endOnDone: false })))
})
