/**
 * Where records come from and where they go, made from what is declared and what is committed: files, topics, jobs,
 * tables and sinks as nodes, with what went along each edge.
 *
 * `frazil flows lineage` and the gateway show it. `readLineage` is one look; `withRates` makes speeds of two. Takes
 * nothing, changes nothing.
 */
import { feedProgress } from "@frazil/connect"
import { isInternalTopic, Job, Log, type LogError, type PartitionBounds } from "@frazil/engine"
import type { Catalog } from "@frazil/lake"
import { Effect } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import {
  type Declared,
  type LandingStatus,
  landingStatuses,
  type SinkStatus,
  sinkStatuses,
  type StageStatus,
  stageStatuses
} from "./SystemStatus.ts"

export interface LineageNode {
  /** `kind:name`. */
  readonly id: string
  readonly kind: "file" | "topic" | "job" | "table" | "sink"
  readonly name: string
  /** A topic that a job writes for itself. */
  readonly internal?: true
  /** Of jobs and tables: running, finished, stopped, never ran. Of sinks: running, stopped. */
  readonly state?: string
  /** Topics: appended so far. Tables: rows. Jobs: taken in. Files: lines fed. Sinks: passed by their cursors. */
  readonly records: number
  /** `records` by the second; undefined for a single look. */
  readonly perSecond?: number
}

export interface LineageEdge {
  readonly from: string
  readonly to: string
  /** What went along it since the first start. */
  readonly records: number
  readonly perSecond?: number
  /** Into jobs, tables and sinks: what the topic holds that has not gone along yet. */
  readonly lag?: number
}

/** Nodes in the order in which records meet them. */
export interface Lineage {
  readonly atMs: number
  readonly nodes: ReadonlyArray<LineageNode>
  readonly edges: ReadonlyArray<LineageEdge>
}

type TopicBounds = ReadonlyMap<string, ReadonlyArray<PartitionBounds>>

const topicId = (name: string) => `topic:${name}`

/** The topics that declared jobs and landings name, in the order of the jobs. */
const topicNames = ({ deadLetterTopic, jobs, landings, ledgerTopic }: Declared): ReadonlyArray<string> => [
  ...new Set([
    ...jobs.flatMap((job) => [...Job.sources(job), ...Job.internals(job), ...Job.outputs(job)].map(({ name }) => name)),
    deadLetterTopic,
    ledgerTopic,
    ...landings.map(({ topic }) => topic.name)
  ])
]

const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0)

/** What a job wrote to each topic: what it declares, also while there is none, dead letters, and the ledger's entries. */
const writtenBy = (job: Job.Job<string, unknown>, stages: ReadonlyArray<StageStatus>, declared: Declared) => {
  const written = new Map(Job.outputs(job).map(({ name }) => [name, 0]))
  const add = (topic: string, count: number) => written.set(topic, (written.get(topic) ?? 0) + count)
  add(declared.deadLetterTopic, 0)
  for (const { counts } of stages) {
    for (const [topic, count] of Object.entries(counts.out)) add(topic, count)
    const tables = Object.values(counts.tables ?? {})
    add(declared.deadLetterTopic, counts.deadLettered + total(tables.map(({ deadLettered }) => deadLettered)))
    const entered = total(Object.values(counts.ledger ?? {}))
    if (entered > 0) add(declared.ledgerTopic, entered)
  }
  return written
}

const jobParts = (job: Job.Job<string, unknown>, all: ReadonlyArray<StageStatus>, declared: Declared) => {
  const stages = all.filter((stage) => stage.job === job.name)
  const id = `job:${job.name}`
  // what goes from one of its stages to another was taken in before
  const records = total(stages.map(({ counts, topic }) => (isInternalTopic(topic) ? 0 : counts.in)))
  const node: LineageNode = { id, kind: "job", name: job.name, state: stages[0]?.state ?? "never ran", records }
  const read = stages.map(({ counts, lag, topic }): LineageEdge => ({
    from: topicId(topic),
    to: id,
    records: counts.in,
    lag
  }))
  const joined = Job.tables(job).map(({ name: topic }): LineageEdge => ({
    from: topicId(topic),
    to: id,
    records: total(stages.map(({ counts }) => counts.tables?.[topic]?.in ?? 0)),
    // stages join by themselves: the one that is furthest behind tells
    lag: Math.max(0, ...stages.map(({ tableLags }) => tableLags[topic] ?? 0))
  }))
  const written = [...writtenBy(job, stages, declared)].map(([topic, count]): LineageEdge => ({
    from: id,
    to: topicId(topic),
    records: count
  }))
  return { node, edges: [...read, ...joined, ...written] }
}

const landingParts = (topic: string, { progress, state, table }: LandingStatus) => {
  const { lag, rows } = progress._tag === "Success" ? progress.success : { lag: 0, rows: 0 }
  const id = `table:${table}`
  const node: LineageNode = { id, kind: "table", name: table, state, records: rows }
  return { node, edge: { from: topicId(topic), to: id, records: rows, lag } satisfies LineageEdge }
}

/** A sink that ever delivered, whether a file of settings still declares it or not. */
const sinkParts = ({ lag, name, passed, running, topic }: SinkStatus) => {
  const id = `sink:${name}`
  const node: LineageNode = { id, kind: "sink", name, state: running ? "running" : "stopped", records: passed }
  return { node, edge: { from: topicId(topic), to: id, records: passed, lag } satisfies LineageEdge }
}

const fedFiles = Effect.fnUntraced(function* (topics: ReadonlyArray<string>) {
  const log = yield* Log
  const nodes: Array<LineageNode> = []
  const edges: Array<LineageEdge> = []
  for (const topic of topics) {
    const fed = yield* feedProgress(log, topic)
    if (fed === undefined) continue
    const id = `file:${fed.file}`
    nodes.push({ id, kind: "file", name: fed.file, records: fed.lines })
    edges.push({ from: id, to: topicId(topic), records: fed.lines })
  }
  return { nodes, edges }
})

const boundsOf = Effect.fnUntraced(function* (topics: ReadonlyArray<string>) {
  const log = yield* Log
  const there = new Set((yield* log.topics).map(({ name }) => name))
  const bounds = new Map<string, ReadonlyArray<PartitionBounds>>()
  for (const topic of topics) if (there.has(topic)) bounds.set(topic, yield* log.bounds(topic))
  return bounds satisfies TopicBounds
})

/** One look at the whole system. `nowMs` is the caller's clock. */
export const readLineage = Effect.fnUntraced(function* (
  directory: DataDirectory,
  declared: Declared,
  nowMs: number
): Effect.fn.Return<Lineage, LogError, Log | Catalog> {
  const delivered = yield* sinkStatuses(directory)
  const sinks = delivered.map(sinkParts)
  const topics = [...new Set([...topicNames(declared), ...delivered.map(({ topic }) => topic)])]
  const stages = yield* stageStatuses(directory, declared)
  const landings = yield* landingStatuses(stages, declared)
  const bounds = yield* boundsOf(topics)
  const files = yield* fedFiles(topics)
  const jobs = declared.jobs.map((job) => jobParts(job, stages, declared))
  const tables = declared.landings.map(({ table, topic }) =>
    landingParts(
      topic.name,
      landings.find((status) => status.table === table)!
    )
  )
  const appended = (name: string) => total((bounds.get(name) ?? []).map(({ end }) => end))
  return {
    atMs: nowMs,
    nodes: [
      ...files.nodes,
      ...topics.map((name): LineageNode => ({
        id: topicId(name),
        kind: "topic",
        name,
        ...(isInternalTopic(name) ? { internal: true } : {}),
        records: appended(name)
      })),
      ...jobs.map(({ node }) => node),
      ...tables.map(({ node }) => node),
      ...sinks.map(({ node }) => node)
    ],
    edges: [
      ...files.edges,
      ...jobs.flatMap(({ edges }) => edges),
      ...tables.map(({ edge }) => edge),
      ...sinks.map(({ edge }) => edge)
    ]
  }
})

/** The later look, with what happened by the second since the earlier one. */
export const withRates = (before: Lineage, after: Lineage): Lineage => {
  const seconds = (after.atMs - before.atMs) / 1000
  if (seconds <= 0) return after
  const rate = (now: number, then: number | undefined) => Math.max(0, now - (then ?? now)) / seconds
  const nodes = new Map(before.nodes.map((node) => [node.id, node.records]))
  const edges = new Map(before.edges.map(({ from, records, to }) => [`${from} ${to}`, records]))
  return {
    atMs: after.atMs,
    nodes: after.nodes.map((node) => ({ ...node, perSecond: rate(node.records, nodes.get(node.id)) })),
    edges: after.edges.map((edge) => ({
      ...edge,
      perSecond: rate(edge.records, edges.get(`${edge.from} ${edge.to}`))
    }))
  }
}
