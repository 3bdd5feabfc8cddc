/**
 * Why a job did, or did not, give something for a key around a time: from the records of the key, the ledger, the dead letters,
 * what operators hold of it, and how far time has come.
 *
 * `frazil jobs why` asks. It takes no shard and changes nothing; a job that runs goes on. What it says is as of the records in
 * force. **Bounds**: `recordsMax` records are read of each topic; what was left unread is said.
 */
import { partitionOf } from "@frazil/core"
import { Effect, Result } from "effect"
import type { Job } from "../job/Job.ts"
import { Log } from "../log/Log.ts"
import { planJob } from "../plan/PlanJob.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { type OperatorEntry, readState } from "../run/ReadState.ts"
import { loadState } from "../run/Restore.ts"
import { type Cause, mostTellingFirst, spanText, timeText } from "./Cause.ts"
import { entryText, explainRecord } from "./ExplainRecord.ts"
import { explainPattern } from "./ExplainPattern.ts"
import { explainWindow, type KeyShard } from "./ExplainWindow.ts"
import { type FactSources, type LedgerFacts, type LetterFacts, readFacts } from "./Facts.ts"
import { type Around, findKeyRecords, type KeyRecords } from "./KeyRecords.ts"
import type { Scanned } from "./ScanTopic.ts"
import { type ShardTime, stageTime, whyHeld } from "./StageTime.ts"

export interface WhyOptions<L extends LedgerFacts, D extends LetterFacts> extends Around, FactSources<L, D> {
  /** Shows values that a contract marks as personal. */
  readonly unmask: boolean
}

export interface WhyReport {
  readonly job: string
  readonly key: string
  /** Epoch milliseconds. */
  readonly atMs: number
  /** What was read of the topics of the job's stages. */
  readonly scanned: ReadonlyArray<Scanned>
  readonly causes: ReadonlyArray<Cause>
}

/** What is known of a stage. */
interface Stage {
  readonly plan: StagePlan
  readonly shards: ReadonlyArray<ShardTime>
  /** Undefined behind a repartition: its topic is the job's own, and trimmed as it is read. */
  readonly records: KeyRecords | undefined
}

const placeText = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`
const placeOf = ({ offset_from, partition, topic }: LedgerFacts) => placeText(topic, partition, offset_from)

/** A job that never ran has not made the topics between its stages. */
const orNothing = <A, E extends { readonly reason: string }, R>(self: Effect.Effect<ReadonlyArray<A>, E, R>) =>
  Effect.catchIf(
    self,
    (error) => error.reason === "TopicMissing",
    () => Effect.succeed<ReadonlyArray<A>>([])
  )

/** Records in flight, of stages that have lookups. */
const inFlightOf = Effect.fnUntraced(function* ({ plan, shards }: Stage, key: string) {
  const log = yield* Log
  const found = new Map<string, Set<number>>()
  if (plan.lookups.length === 0) return found
  for (const { partition } of shards) {
    const id = { uid: plan.uid, stage: plan.name, shard: partition }
    const record = yield* log.inForce(id)
    if (record === undefined) continue
    // of a job that runs, what was named may be gone by now; then nothing is said of it
    const loaded = yield* Effect.result(loadState(plan, id, record, key))
    if (Result.isFailure(loaded)) continue
    for (const lookup of loaded.success.lookups) {
      const offsets = found.get(lookup.name) ?? new Set()
      for (const offset of lookup.offsets()) offsets.add(offset)
      found.set(lookup.name, offsets)
    }
  }
  return found
})

const neverSeen = ({ plan, records }: Stage, { aroundMs, atMs, key }: Around): ReadonlyArray<Cause> => {
  if (records === undefined || records.near.length > 0) return []
  const { after, before, scanned, seen } = records
  const read = scanned.reduce((sum, each) => sum + each.records, 0)
  const where = scanned.map(({ from, partition, to }) => `${partition}: ${from} to ${to}`).join(", ")
  const cut = scanned.some((each) => each.cut) ? "; there is more behind them, --scan reads it" : ""
  const looked = `among the ${read} records of ${plan.source.name} that were read (${where})${cut}`
  const nearest = [
    ...(before === undefined ? [] : [`the last one before is of ${timeText(before)}`]),
    ...(after === undefined ? [] : [`the first one after of ${timeText(after)}`])
  ]
  const text =
    seen === 0
      ? `no record of key ${key} is ${looked}`
      : `no record of key ${key} lies within ${spanText(aroundMs)} of ${timeText(atMs)} ${looked}; ${nearest.join(", ")}`
  const partition = scanned.length === 1 ? scanned[0]!.partition : null
  return [{ kind: "never_seen", stage: plan.name, partition, operator: null, offset: null, text }]
}

/** The shard that the key's state lies in. */
const shardOfKey = (stage: Stage, key: string, entries: ReadonlyArray<OperatorEntry>): ShardTime | undefined => {
  const { plan, records, shards } = stage
  const said = entries.find((entry) => entry.stage === plan.name)?.partition ?? records?.near[0]?.partition
  return shards[said ?? partitionOf(key, shards.length)]
}

/** Event times of the key's records that an operator took, as far as they are known. */
const gotIn = (
  { plan, records }: Stage,
  operator: string,
  facts: ReadonlyArray<LedgerFacts>
): ReadonlyArray<number> => {
  const refused = new Set(
    facts
      .filter((each) => each.operator === operator && (each.reason === "late" || each.reason === "evicted"))
      .map(placeOf)
  )
  return (records?.near ?? []).flatMap(({ eventTime, offset, partition, steps }) => {
    const came = steps?.some((step) => step.what === "came to" && step.operator === operator) ?? false
    const taken = came && !refused.has(placeText(plan.source.name, partition, offset))
    return taken && eventTime !== undefined ? [eventTime] : []
  })
}

const explainOperators = Effect.fnUntraced(function* (
  stage: Stage,
  stages: ReadonlyArray<Stage>,
  entries: ReadonlyArray<OperatorEntry>,
  facts: ReadonlyArray<LedgerFacts>,
  options: Around & { readonly unmask: boolean }
) {
  const { plan, shards } = stage
  const shard = shardOfKey(stage, options.key, entries)
  if (shard === undefined) return []
  const writersShards = (plan.writers ?? []).map(
    (name) => stages.find((each) => each.plan.name === name)?.shards.length ?? 0
  )
  const known: KeyShard = {
    partition: shard.partition,
    watermark: shard.watermark,
    closed: shard.detail?.closed ?? false,
    held: whyHeld(plan, shard, shards, writersShards)
  }
  const causes: Array<Cause> = []
  for (const operator of plan.operators) {
    const state = entries.find((entry) => entry.stage === plan.name && entry.operator === operator.name)?.state
    if (operator.node.op === "window") {
      const held = { state, gotIn: gotIn(stage, operator.name, facts) }
      causes.push(...(yield* explainWindow(plan, operator, known, held, options)))
    }
    if (operator.node.op === "pattern") causes.push(...explainPattern(plan, operator, known, state))
  }
  return causes
})

/** The causes, most telling first. `key` is the key's text: its field's value, or of several fields a JSON array. */
export const why = Effect.fn("Job.why")(function* <L extends LedgerFacts, D extends LetterFacts>(
  job: Pick<Job, "name" | "graph">,
  options: WhyOptions<L, D>
) {
  const { aroundMs, atMs, key, recordsMax } = options
  const stages: Array<Stage> = []
  for (const plan of planJob(job)) {
    const records = plan.writers === undefined ? yield* findKeyRecords(plan, options) : undefined
    stages.push({ plan, shards: yield* orNothing(stageTime(plan)), records })
  }
  const near = new Map(
    stages.flatMap(({ plan, records }) =>
      (records?.near ?? []).map((each) => [placeText(plan.source.name, each.partition, each.offset), each] as const)
    )
  )
  const isNear = (at: number | null | undefined) => at !== null && at !== undefined && Math.abs(at - atMs) <= aroundMs
  const facts = yield* readFacts(options, {
    job: job.name,
    fromMs: atMs - aroundMs,
    recordsMax,
    takesEntry: (entry) =>
      entry.reason !== "filtered" && (near.has(placeOf(entry)) || (entry.key === key && isNear(entry.event_timestamp))),
    takesLetter: ({ offset, partition, topic }) => near.has(placeText(topic, partition, offset))
  })
  const entries = yield* orNothing(readState(job, key, { unmask: options.unmask }))
  const causes: Array<Cause> = []
  // entries of records that were not found: they have left the log, or came with another key
  for (const entry of facts.entries.filter((each) => !near.has(placeOf(each)))) {
    const told = entryText(entry, facts.letters)
    causes.push({ ...told, stage: entry.topic, partition: entry.partition, offset: entry.offset_from })
  }
  for (const stage of stages) {
    const inFlight = yield* inFlightOf(stage, key)
    for (const record of stage.records?.near ?? [])
      causes.push(...explainRecord(stage.plan, record, stage.shards, { ...facts, inFlight }))
    causes.push(...(yield* explainOperators(stage, stages, entries, facts.entries, options)))
  }
  // one source that knows the key is enough
  if (near.size === 0) for (const stage of stages) causes.push(...neverSeen(stage, options))
  const report: WhyReport = {
    job: job.name,
    key,
    atMs,
    scanned: stages.flatMap(({ records }) => records?.scanned ?? []),
    causes: mostTellingFirst(causes)
  }
  return report
})
