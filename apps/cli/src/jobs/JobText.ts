/** Jobs, landings and sinks as people and programs read them. Pure. */
import { fastCount } from "@frazil/engine"
import type { LandingProgress } from "@frazil/lake"
import { landingProblem, type LandingStatus, type SinkStatus, type StageStatus, Units } from "@frazil/platform"
import { textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"

const epochs = (stage: StageStatus): number => stage.shards.reduce((sum, shard) => sum + shard.epoch, 0)

const written = (stage: StageStatus): number =>
  Object.values(stage.counts.out).reduce((sum, count) => sum + count, stage.counts.validated)

/** `0:1,204 1:998`: the next offset of each partition. */
const positions = (of: ReadonlyArray<readonly [partition: number, next: number]>): string =>
  of.map(([partition, next]) => `${partition}:${Units.count(next)}`).join(" ") || "-"

export const stageLines = (stages: ReadonlyArray<StageStatus>, nowMs: number): ReadonlyArray<string> =>
  textTable<StageStatus>(
    [
      { title: "JOB", text: (row) => row.job },
      { title: "READS", text: (row) => row.topic },
      { title: "STATE", text: (row) => row.state },
      { title: "SHARDS", text: (row) => String(row.shards.length), align: "right" },
      { title: "EPOCHS", text: (row) => Units.count(epochs(row)), align: "right" },
      { title: "IN", text: (row) => Units.count(row.counts.in), align: "right" },
      { title: "OUT", text: (row) => Units.count(written(row)), align: "right" },
      { title: "DEAD", text: (row) => Units.count(row.counts.deadLettered), align: "right" },
      { title: "LAG", text: (row) => Units.count(row.lag), align: "right" },
      { title: "WATERMARK", text: (row) => Units.ago(row.watermarkMs, nowMs), align: "right" },
      { title: "POSITIONS", text: (row) => positions(row.shards.map((shard) => [shard.partition, shard.position])) },
      { title: "", text: (row) => row.problem ?? "" }
    ],
    stages
  )

const landed = (status: LandingStatus): LandingProgress | undefined =>
  status.progress._tag === "Success" ? status.progress.success : undefined

const landedNumber = (of: (progress: LandingProgress) => number) => (status: LandingStatus) => {
  const progress = landed(status)
  return progress === undefined ? "-" : Units.count(of(progress))
}

export const landingLines = (landings: ReadonlyArray<LandingStatus>, nowMs: number): ReadonlyArray<string> =>
  textTable<LandingStatus>(
    [
      { title: "TABLE", text: (row) => row.table },
      { title: "FROM TOPIC", text: (row) => landed(row)?.topic ?? "-" },
      { title: "STATE", text: (row) => row.state },
      { title: "ROWS", text: landedNumber((progress) => progress.rows), align: "right" },
      { title: "LAG", text: landedNumber((progress) => progress.lag), align: "right" },
      { title: "LAST COMMIT", text: (row) => Units.ago(landed(row)?.committedAtMs, nowMs), align: "right" },
      {
        title: "LANDED TO",
        text: (row) => positions((landed(row)?.partitions ?? []).map(({ next, partition }) => [partition, next]))
      },
      { title: "", text: (row) => landingProblem(row) ?? "" }
    ],
    landings
  )

export const sinkLines = (sinks: ReadonlyArray<SinkStatus>): ReadonlyArray<string> =>
  textTable<SinkStatus>(
    [
      { title: "SINK", text: (row) => row.name },
      { title: "FROM TOPIC", text: (row) => row.topic },
      { title: "STATE", text: (row) => (row.running ? "running" : "stopped") },
      { title: "LAG", text: (row) => Units.count(row.lag), align: "right" }
    ],
    sinks
  )

export const sinkJson = ({ lag, name, running, topic }: SinkStatus) => ({
  sink: name,
  state: running ? "running" : "stopped",
  topic,
  lag
})

export const stageJson = (stage: StageStatus) => ({
  job: stage.job,
  stage: stage.topic,
  state: stage.state,
  lag: stage.lag,
  watermark: isoTime(stage.watermarkMs),
  finished: stage.finished,
  problem: stage.problem ?? null,
  counts: {
    in: stage.counts.in,
    out: stage.counts.out,
    validated: stage.counts.validated,
    dead_lettered: stage.counts.deadLettered,
    failed: stage.counts.failed,
    fast_path: fastCount(stage.counts),
    slow_path: stage.counts.slow ?? 0
  },
  shards: stage.shards.map((shard) => ({
    partition: shard.partition,
    epoch: shard.epoch,
    position: shard.position,
    end: shard.end,
    snapshots: shard.snapshots,
    max_event_time: isoTime(shard.detail.maxEventTime ?? undefined),
    idle: shard.detail.idle
  }))
})

export const landingJson = (status: LandingStatus) => {
  const progress = landed(status)
  return {
    table: status.table,
    topic: progress?.topic ?? null,
    state: status.state,
    lag: progress?.lag ?? null,
    rows: progress?.rows ?? null,
    files: progress?.files ?? null,
    snapshot_id: progress?.snapshotId ?? null,
    committed_at: isoTime(progress?.committedAtMs),
    waiting_since: isoTime(progress?.waitingSinceMs),
    problem: landingProblem(status) ?? null,
    partitions: (progress?.partitions ?? []).map(({ end, next, partition }) => ({ partition, landed_to: next, end }))
  }
}
