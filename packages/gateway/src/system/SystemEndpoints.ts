/** How the system is: topics, jobs, landings, health, metrics. */
import { Analytics } from "@frazil/analytics"
import { fastCount, isInternalTopic, Log } from "@frazil/engine"
import type { Catalog } from "@frazil/lake"
import {
  examine,
  landingProblem,
  type LandingStatus,
  landingStatuses,
  partsJson,
  type SinkStatus,
  sinkStatuses,
  type StageStatus,
  stageStatuses
} from "@frazil/platform"
import { Effect, Schema } from "effect"
import { type Endpoint, jsonAnswer, jsonType } from "../http/Endpoint.ts"
import { fromLogError } from "../http/Problem.ts"
import { accepted, reply } from "../http/Replies.ts"
import { metricsText } from "./Metrics.ts"
import { System } from "./System.ts"

const Topics = Schema.Struct({
  topics: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      id: Schema.String,
      created_at: Schema.String,
      /** A job writes it for itself, between its stages. */
      internal: Schema.Boolean,
      partitions: Schema.Array(Schema.Struct({ partition: Schema.Int, start: Schema.Int, end: Schema.Int }))
    })
  )
})

const Jobs = Schema.Struct({
  jobs: Schema.Array(
    Schema.Struct({
      job: Schema.String,
      stage: Schema.String,
      state: Schema.String,
      lag: Schema.Int,
      watermark: Schema.NullOr(Schema.String),
      records_in: Schema.Int,
      records_out: Schema.Record(Schema.String, Schema.Int),
      dead_lettered: Schema.Int,
      fast_path: Schema.Int,
      slow_path: Schema.Int,
      problem: Schema.NullOr(Schema.String)
    })
  ),
  landings: Schema.Array(
    Schema.Struct({
      table: Schema.String,
      state: Schema.String,
      topic: Schema.NullOr(Schema.String),
      rows: Schema.NullOr(Schema.Int),
      lag: Schema.NullOr(Schema.Int),
      committed_at: Schema.NullOr(Schema.String),
      problem: Schema.NullOr(Schema.String)
    })
  ),
  sinks: Schema.Array(
    Schema.Struct({ sink: Schema.String, state: Schema.String, topic: Schema.String, lag: Schema.Int })
  )
})

const Health = Schema.Struct({
  healthy: Schema.Boolean,
  ill: Schema.Array(Schema.String),
  parts: Schema.Array(Schema.Struct({ name: Schema.String, healthy: Schema.Boolean, detail: Schema.String }))
})

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

const stageJson = (stage: StageStatus): (typeof Jobs.Type)["jobs"][number] => ({
  job: stage.job,
  stage: stage.topic,
  state: stage.state,
  lag: stage.lag,
  watermark: iso(stage.watermarkMs),
  records_in: stage.counts.in,
  records_out: stage.counts.out,
  dead_lettered: stage.counts.deadLettered,
  fast_path: fastCount(stage.counts),
  slow_path: stage.counts.slow ?? 0,
  problem: stage.problem ?? null
})

const landingJson = (status: LandingStatus): (typeof Jobs.Type)["landings"][number] => {
  const progress = status.progress._tag === "Success" ? status.progress.success : undefined
  return {
    table: status.table,
    state: status.state,
    topic: progress?.topic ?? null,
    rows: progress?.rows ?? null,
    lag: progress?.lag ?? null,
    committed_at: iso(progress?.committedAtMs),
    problem: landingProblem(status) ?? null
  }
}

const sinkJson = ({ lag, name, running, topic }: SinkStatus): (typeof Jobs.Type)["sinks"][number] => ({
  sink: name,
  state: running ? "running" : "stopped",
  topic,
  lag
})

const topics = Effect.gen(function* () {
  const log = yield* Log
  return yield* Effect.forEach(yield* log.topics, (topic) =>
    Effect.map(log.bounds(topic.name), (bounds) => ({
      name: topic.name,
      id: topic.id,
      created_at: new Date(topic.createdAt).toISOString(),
      internal: isInternalTopic(topic.name),
      partitions: bounds.map(({ end, partition, start }) => ({ partition, start, end }))
    }))
  )
}).pipe(Effect.mapError(fromLogError))

const standing = Effect.gen(function* () {
  const { declared, directory } = yield* System
  const stages = yield* Effect.mapError(stageStatuses(directory, declared), fromLogError)
  const sinks = yield* Effect.mapError(sinkStatuses(directory), fromLogError)
  return { stages, landings: yield* landingStatuses(stages, declared), sinks }
})

const metricsType = "text/plain"

export const systemEndpoints: ReadonlyArray<Endpoint<Log | Catalog | System | Analytics>> = [
  {
    method: "get",
    path: "/v1/topics",
    summary: "The topics of the log, with the offsets they hold",
    parameters: [],
    answers: [jsonAnswer("Topics", Topics)],
    handle: Effect.fnUntraced(function* (request) {
      return yield* reply(request, { topics: yield* topics })
    })
  },
  {
    method: "get",
    path: "/v1/jobs",
    summary: "Jobs, landings and sinks: whether they run, how far they came, how far they are behind",
    parameters: [],
    answers: [jsonAnswer("Stages of jobs, landings and sinks", Jobs)],
    handle: Effect.fnUntraced(function* (request) {
      const { landings, sinks, stages } = yield* standing
      return yield* reply(request, {
        jobs: stages.map(stageJson),
        landings: landings.map(landingJson),
        sinks: sinks.map(sinkJson)
      })
    })
  },
  {
    method: "get",
    path: "/health",
    summary: "Every part of the system, and which of them are ill",
    parameters: [],
    answers: [
      jsonAnswer("All is well", Health),
      { status: 503, description: "A part is ill", content: [{ type: jsonType, schema: Health }] }
    ],
    handle: Effect.fnUntraced(function* (request) {
      const { declared, directory } = yield* System
      const document = partsJson(yield* examine(directory, declared))
      const answer = yield* reply(request, document)
      return document.healthy ? answer : new Response(answer.body, { status: 503, headers: answer.headers })
    })
  },
  {
    method: "get",
    path: "/metrics",
    summary: "Measurements in Prometheus' text format",
    parameters: [],
    answers: [{ status: 200, description: "Prometheus text format 0.0.4", content: [{ type: metricsType }] }],
    handle: Effect.fnUntraced(function* (request) {
      yield* accepted(request, [metricsType, "application/openmetrics-text"])
      const { live } = yield* System
      const analytics = yield* Analytics
      const text = yield* metricsText(yield* standing, live(), analytics.load())
      return new Response(text, { headers: { "content-type": `${metricsType}; version=0.0.4; charset=utf-8` } })
    })
  }
]
