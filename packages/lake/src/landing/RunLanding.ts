/**
 * A landing, running: committed records into files, files and marks into the table by one swap.
 *
 * The pipeline runs one for each declared table. **Delivery**: every record that decodes is one row, once, whatever stops
 * it; a record that does not is skipped and counted, its dead letter is the topic's job's business. **Bounds**: an attempt
 * holds what the Parquet writer buffers; its rows and time are limited.
 */
import { Decoder, type RecordBatch, type Topic } from "@frazil/core"
import { Log, newOwner, type RecordInForce, type ShardId, type TopicInfo } from "@frazil/engine"
import { Clock, Effect, Result } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { fileBytesTargetOf } from "../spec/FileBytesTarget.ts"
import { dataFolder } from "../spec/Locations.ts"
import { metricsModes } from "../spec/MetricsMode.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { currentSchema, currentSnapshot } from "../spec/TableMetadata.ts"
import { DataFileWriter } from "../write/DataFileWriter.ts"
import type { ParquetWriter } from "../write/parquet/ParquetWriter.ts"
import { type Landing, landingShard } from "./Landing.ts"
import { type LandingRun, landingDefaults } from "./LandingOptions.ts"
import { fingerprintOf, type Mark, type Marks } from "./Mark.ts"
import { type LandingDetail, openTable } from "./OpenTable.ts"
import { swapIn } from "./SwapIn.ts"
import { writtenSchema } from "./TableSchema.ts"

const readLimits = { recordsMax: 10_000, bytesMax: 1_048_576 }
/** How long an idle landing sleeps before it looks again by itself. */
const idleWaitMs = 100
/** An attempt that took longer would race orphan removal, which spares files younger than three days (design). */
const attemptMsMax = 3_600_000
const retryWaitMsMax = 60_000

interface Running {
  readonly landing: Landing
  readonly run: LandingRun
  readonly topic: TopicInfo
  readonly shard: ShardId
  readonly owner: string
  readonly totals: Totals
}

/** Of one run, over all its attempts. */
interface Totals {
  /** Records behind the marks that did not decode. */
  skipped: number
}

/** What may pass by itself: the log, the lake or the disk is out of reach, or others were always first. */
const passing = (error: { readonly reason: string }): boolean =>
  error.reason === "Unavailable" || error.reason === "OutcomeUnknown" || error.reason === "CommitConflict"

/** Lands until the input is complete and everything is in the table; for ever when it never is. */
export const runLanding = Effect.fn("Landing.run")(function* (landing: Landing, options: Partial<LandingRun> = {}) {
  const commitEveryMs = landing.commitEveryMs ?? options.commitEveryMs ?? landingDefaults().commitEveryMs
  const run: LandingRun = { ...landingDefaults(), ...options, commitEveryMs }
  const totals: Totals = { skipped: 0 }
  let failuresInRow = 0
  while (true) {
    // an outage of the lake stops nothing but the landing: it starts over from the marks until it succeeds
    const outcome = yield* Effect.result(landFromMarks(landing, run, totals, () => (failuresInRow = 0)))
    if (Result.isSuccess(outcome)) return
    const error = outcome.failure
    if (!passing(error) || ++failuresInRow > run.failuresInRowMax) return yield* error
    run.monitor.update(landing.table, { problem: error.message })
    yield* Effect.sleep(Math.min(1000 * 2 ** (failuresInRow - 1), retryWaitMsMax))
  }
})

/** Takes the landing over, then lands until the input is complete. */
const landFromMarks = Effect.fnUntraced(function* (
  landing: Landing,
  run: LandingRun,
  totals: Totals,
  landed: () => void
) {
  const log = yield* Log
  const topic = yield* log.ensureTopic({ name: landing.topic.name, partitions: landing.topic.partitions })
  const owner = yield* newOwner
  const shard = landingShard(landing)
  const running: Running = { landing, run, topic, shard, owner, totals }
  let [inForce] = yield* log.fence(owner, [shard])
  for (let attempt = 0; ; attempt++) {
    const outcome = yield* landOnce(running, inForce, attempt)
    landed()
    run.monitor.update(landing.table, { problem: undefined })
    inForce = outcome.inForce
    if (outcome.complete) return
  }
})

/** One attempt: from the marks in force to the swap that moves them. */
const landOnce = Effect.fnUntraced(function* (running: Running, inForce: RecordInForce | undefined, attempt: number) {
  const { landing, owner, run, topic } = running
  const opened = yield* openTable(landing, topic, inForce)
  const { metadata } = opened.table
  showTable(running, opened.table, opened.marks, undefined)
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const writer = yield* (yield* DataFileWriter).open({
        schema: writtenSchema(landing.schema, currentSchema(metadata)),
        spec: landing.spec,
        shape: landing.topic.shape,
        sourceTopic: topic.name,
        targetDirectory: dataFolder(metadata),
        filePrefix: `${landing.name}-${owner}-${attempt}`,
        fileBytesTarget: run.fileBytesTarget ?? fileBytesTargetOf(metadata.properties),
        metrics: metricsModes(metadata.properties)
      })
      const read = yield* readUntilDue(running, opened.marks, writer.write)
      if (read.records === 0) return { inForce, complete: read.complete }
      const files = yield* writer.finish
      return yield* commit(running, inForce, opened.table, opened.marks, read, files)
    })
  )
})

/** Swaps files and marks in, then lets the log's position follow. */
const commit = Effect.fnUntraced(function* (
  running: Running,
  inForce: RecordInForce | undefined,
  table: Table,
  before: Marks,
  { complete, marks: after, skipped }: Reading,
  files: ReadonlyArray<DataFile>
) {
  const { landing, owner, shard, topic, totals } = running
  const swapped = yield* swapIn(landing, table, before, after, files)
  // a moved mark: another landing was here; everything is read again from the marks that it left
  if (swapped === undefined) return { inForce, complete: false }
  totals.skipped += skipped
  const log = yield* Log
  const detail: LandingDetail = {
    landed: { tableUuid: swapped.table.metadata.tableUuid, snapshotId: swapped.snapshotId }
  }
  const epochRead = inForce?.epoch ?? 0
  const positions = [...after.values()].map((mark) => ({
    topic: topic.name,
    topicId: topic.id,
    partitions: topic.partitions,
    offset: mark.next
  }))
  yield* log.commit({
    owner,
    shards: [{ id: shard, epochRead, positions, snapshots: [], detail, delta: null, outputs: [] }]
  })
  showTable(running, swapped.table, after, yield* Clock.currentTimeMillis)
  return { inForce: { epoch: epochRead + 1, positions, snapshots: [], detail }, complete }
})

interface Reading {
  readonly marks: Marks
  readonly records: number
  /** Of these, those that did not decode. */
  readonly skipped: number
  /** Nothing more will come, and all there was is read. */
  readonly complete: boolean
}

/** Reads partitions in turn and gives the rows to the writer, until the swap is due. */
const readUntilDue = Effect.fnUntraced(function* (running: Running, from: Marks, write: ParquetWriter["write"]) {
  const log = yield* Log
  const { landing, run, topic } = running
  const decoder = Decoder.make(landing.topic as unknown as Topic<unknown>) // read through its shape only
  const marks = new Map(from)
  let records = 0
  let skipped = 0
  let firstAt = 0
  while (true) {
    const now = yield* Clock.currentTimeMillis
    const age = records === 0 ? 0 : now - firstAt
    if (records > 0 && (age >= run.commitEveryMs || records >= run.attemptRowsMax || age >= attemptMsMax)) {
      return { marks, records, skipped, complete: false } satisfies Reading
    }
    // asked before reading: what it calls complete is all there will be, and that is there to be read from now on
    const complete = yield* run.inputComplete(topic.name)
    let moved = 0
    let open = false
    for (const [partition, mark] of marks) {
      const batch = yield* log.read(topic.name, partition, mark.next, { ...readLimits, now: complete })
      if (batch.length === 0) {
        open ||= batch.open === true
        continue
      }
      const columns = decoder.decode(batch)
      yield* write(columns, partition)
      marks.set(partition, markAfter(topic, batch))
      moved += batch.length
      skipped += columns.failures.length
    }
    if (moved > 0 && records === 0) firstAt = now
    records += moved
    run.monitor.update(landing.table, { pending: records, skipped: running.totals.skipped + skipped })
    if (moved > 0) yield* Effect.yieldNow
    else if (complete && !open) return { marks, records, skipped, complete } satisfies Reading
    else yield* log.awaitAppend(idleWaitMs, [topic.name])
  }
})

const markAfter = (topic: TopicInfo, batch: RecordBatch): Mark => ({
  topicId: topic.id,
  next: batch.offsets[batch.length - 1]! + 1,
  fingerprint: fingerprintOf(batch, batch.length - 1)
})

const showTable = (running: Running, table: Table, marks: Marks, committedAtMs: number | undefined) => {
  const snapshot = currentSnapshot(table.metadata)
  running.run.monitor.update(running.landing.table, {
    topic: running.topic.name,
    rows: Number(snapshot?.summary.get("total-records") ?? 0),
    files: Number(snapshot?.summary.get("total-data-files") ?? 0),
    pending: 0,
    positions: new Map([...marks].map(([partition, mark]) => [partition, mark.next])),
    ...(snapshot === undefined ? {} : { snapshotId: String(snapshot.snapshotId) }),
    ...(committedAtMs === undefined ? {} : { lastCommitAtMs: committedAtMs })
  })
}
