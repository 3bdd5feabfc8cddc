/**
 * One status of a stage out of those of the threads that run its shards: counts add up, as over shards in one thread.
 *
 * Who runs a job on threads reads them through it: progress, summary, metrics and readings look at the whole.
 */
import type { StageStatus } from "./JobMonitor.ts"
import type { LookupStatus } from "../lookup/LookupStatus.ts"
import { addTotals } from "./ControlTotals.ts"
import { addTables } from "./ShardDetail.ts"

type Counts = Readonly<Record<string, number>>

const addCounts = (sum: Counts, more: Counts): Counts => {
  const total: Record<string, number> = { ...sum }
  for (const [key, count] of Object.entries(more)) total[key] = (total[key] ?? 0) + count
  return total
}

/** The worse of two: quantiles of several threads cannot be had from theirs. */
const worse = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? (left ?? right) : Math.max(left, right)

/** The one that says more of an other side in trouble. */
const byTrouble = ["closed", "half-open", "open"] as const

const addLookup = (one: LookupStatus, other: LookupStatus): LookupStatus => ({
  name: one.name,
  asked: one.asked + other.asked,
  calls: one.calls + other.calls,
  answered: one.answered + other.answered,
  failed: addCounts(one.failed, other.failed),
  threw: one.threw + other.threw,
  retried: one.retried + other.retried,
  timedOut: one.timedOut + other.timedOut,
  cacheHits: one.cacheHits + other.cacheHits,
  cacheNegativeHits: one.cacheNegativeHits + other.cacheNegativeHits,
  cacheMisses: one.cacheMisses + other.cacheMisses,
  cacheSize: one.cacheSize + other.cacheSize,
  inFlight: one.inFlight + other.inFlight,
  held: one.held + other.held,
  waiting: one.waiting + other.waiting,
  concurrency: one.concurrency + other.concurrency,
  breaker: byTrouble[Math.max(byTrouble.indexOf(one.breaker), byTrouble.indexOf(other.breaker))]!,
  opened: one.opened + other.opened,
  latencyP50Ms: worse(one.latencyP50Ms, other.latencyP50Ms),
  latencyP95Ms: worse(one.latencyP95Ms, other.latencyP95Ms),
  latencyP99Ms: worse(one.latencyP99Ms, other.latencyP99Ms)
})

const addLookups = (
  one: ReadonlyArray<LookupStatus>,
  other: ReadonlyArray<LookupStatus>
): ReadonlyArray<LookupStatus> => {
  const names = new Set([...one, ...other].map(({ name }) => name))
  return [...names].map((name) =>
    [...one, ...other].filter((each) => each.name === name).reduce((sum, each) => addLookup(sum, each))
  )
}

/** Without the watermark, which depends on what was told before. */
const addStatus = (one: StageStatus, other: StageStatus): StageStatus => ({
  job: one.job,
  topic: one.topic,
  in: one.in + other.in,
  out: addCounts(one.out, other.out),
  validated: one.validated + other.validated,
  deadLettered: one.deadLettered + other.deadLettered,
  failed: one.failed + other.failed,
  late: one.late + other.late,
  slow: one.slow + other.slow,
  totals: addTotals(one.totals, other.totals) ?? {},
  // what is not there is no key
  ledger: addCounts(one.ledger as Counts, other.ledger as Counts) as StageStatus["ledger"],
  tables: addTables(one.tables, other.tables),
  watermarkMs: undefined,
  silent: one.silent && other.silent,
  positions: new Map([...one.positions, ...other.positions]),
  epochs: one.epochs + other.epochs,
  keys: one.keys + other.keys,
  lookups: addLookups(one.lookups, other.lookups),
  finished: one.finished && other.finished,
  problem: one.problem ?? other.problem
})

/** Statuses of each thread in, those of the whole out; watermarks never go back from one call to the next. */
export const makeMergeStatus = () => {
  const watermarks = new Map<string, number>()
  const watermark = (key: string, parts: ReadonlyArray<StageStatus>): number | undefined => {
    const before = watermarks.get(key) ?? Number.NEGATIVE_INFINITY
    const marks = parts.filter(({ silent }) => !silent).map(({ watermarkMs }) => watermarkMs ?? before)
    // silent all of them: it stays where they came to
    const known = parts.map(({ watermarkMs }) => watermarkMs ?? Number.NEGATIVE_INFINITY)
    const now = Math.max(before, marks.length === 0 ? Math.max(...known) : Math.min(...marks))
    watermarks.set(key, now)
    return Number.isFinite(now) ? now : undefined
  }
  return (threads: ReadonlyArray<ReadonlyArray<StageStatus>>): ReadonlyArray<StageStatus> => {
    const stages = Map.groupBy(threads.flat(), ({ job, topic }) => `${job}/${topic}`)
    return [...stages].map(([key, parts]) => ({
      ...parts.reduce(addStatus),
      watermarkMs: watermark(key, parts)
    }))
  }
}
