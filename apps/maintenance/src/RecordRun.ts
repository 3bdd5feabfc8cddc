/**
 * Appends a report to the topic `maintenance`, which lands in `system.maintenance`.
 *
 * **Delivery**: an append whose answer was lost is not done twice. Where the data directory has no log, nothing is recorded.
 */
import { Encoder, makeRecordBuilder, partitionOf, Timestamp } from "@frazil/core"
import { Log } from "@frazil/engine"
import type { MaintenanceReport } from "@frazil/lake"
import { type MaintenanceRun, MaintenanceRuns } from "@frazil/model"
import { type DataDirectory, hasLog, logLayer } from "@frazil/platform"
import { Effect } from "effect"

/** How often an append whose outcome is unknown is sent again. */
const resendsMax = 3

const encode = Encoder.make(MaintenanceRuns)

/** The report as its contract has it. */
const maintenanceRun = (report: MaintenanceReport): MaintenanceRun => ({
  table: report.table,
  action: report.action,
  dry_run: report.dryRun,
  started_at: Timestamp.make(report.startedAtMs),
  finished_at: Timestamp.make(report.finishedAtMs),
  files_before: report.filesBefore,
  files_after: report.filesAfter,
  bytes_before: report.bytesBefore,
  bytes_after: report.bytesAfter,
  conflicts: report.conflicts,
  snapshot_id: report.snapshotId ?? null,
  error: report.error ?? null
})

const append = Effect.fnUntraced(function* (producerName: string, report: MaintenanceReport) {
  const log = yield* Log
  const { name: topic, partitions } = MaintenanceRuns
  yield* log.ensureTopic({ name: topic, partitions })
  const builder = makeRecordBuilder()
  builder.addText(encode(maintenanceRun(report)), report.table)
  const records = builder.take()
  const producer = yield* log.producer(producerName)
  const batches = [{ topic, partition: partitionOf(report.table, partitions), records }]
  yield* producer
    .append(producer.nextSequence, batches)
    .pipe(Effect.retry({ while: (error) => error.reason === "OutcomeUnknown", times: resendsMax }))
}, Effect.scoped)

/** `producerName` must be held by a lock: another producer of this name would fence this one. */
export const recordRun = Effect.fnUntraced(function* (
  directory: DataDirectory,
  producerName: string,
  report: MaintenanceReport
) {
  if (!hasLog(directory)) return
  yield* append(producerName, report).pipe(Effect.provide(logLayer(directory)))
})
