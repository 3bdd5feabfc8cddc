/**
 * The transactions job of system S2 to simulate: shipped rules, windows with late records, alerts, dead letters and ledger,
 * each landing in its table; judged by the oracle besides.
 */
import { makeFlows, ruleTopics } from "@frazil/flows"
import { rulesDirectory, tables } from "@frazil/lakehouse"
import { Alerts, DeadLetters, Ledger, RawTransactions } from "@frazil/model"
import { loadRules } from "@frazil/rules"
import { Effect } from "effect"
import type { Random } from "../generate/Random.ts"
import { expectAlerts, type OracleAlert } from "../oracle/Alerts.ts"
import { judgeTimes } from "../oracle/Lateness.ts"
import { compare } from "../oracle/Compare.ts"
import { expectRawTransactions } from "../oracle/RawTransactions.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { transactionLine } from "./TransactionLines.ts"

export const [transactions] = makeFlows(await Effect.runPromise(loadRules(rulesDirectory, ruleTopics))).transactions

const topics = [RawTransactions, Alerts, DeadLetters, Ledger].map(({ name }) => name)
export const transactionLandings = tables.filter(({ topic }) => topics.some((name) => name === topic.name))

const recordsMin = 40
const recordsSpread = 120

export const transactionLines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, transactionLine(random))

interface FoundAlert extends Omit<OracleAlert, "sources"> {
  readonly revision: number
  readonly sources: ReadonlyArray<{ readonly partition: number; readonly offset: number }>
}
interface FoundEntry {
  readonly reason: string
  readonly partition: number
  readonly offset_from: number
  readonly count: number
  readonly key?: string | null
  readonly lateness_ms?: number | null
}
interface FoundLetter {
  readonly reason: string
  readonly partition: number
  readonly offset: number
}

const decoder = new TextDecoder()
/** Written by the job; a topic's own schema was checked when they were. */
const recordsOf = <A>(topics: KeptTopics, name: string): ReadonlyArray<A> =>
  topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))

const textOf = ({ values, ...alert }: OracleAlert): string =>
  JSON.stringify([
    alert.rule_id,
    alert.key,
    alert.event_timestamp,
    alert.window_start,
    alert.sources,
    alert.sources_count,
    alert.alert_id,
    Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  ])

const entryText = (reason: string, partition: number, offset: number, key: string | null, latenessMs: number | null) =>
  JSON.stringify([reason, partition, offset, key, latenessMs])

/** The last revision of every alert, and alerts that are there twice. */
const lastAlerts = (alerts: ReadonlyArray<FoundAlert>) => {
  const last = new Map<string, FoundAlert>()
  const seen = new Set<string>()
  const twice: Array<string> = []
  for (const alert of alerts) {
    const name = `${alert.rule_id} ${alert.alert_id} ${alert.revision}`
    if (seen.has(name)) twice.push(`alert ${name} is there twice`)
    seen.add(name)
    if ((last.get(alert.alert_id)?.revision ?? -1) < alert.revision) last.set(alert.alert_id, alert)
  }
  return { last: [...last.values()], twice }
}

/** What the topics hold against what the oracle makes of the input as it lies in the log. */
export const checkTransactions = (topics: KeptTopics): ReadonlyArray<string> => {
  const lines = topics("raw-transactions").flatMap((records) => records.map(({ value }) => value))
  const expected = expectRawTransactions(Buffer.concat(lines.flatMap((line) => [line, Uint8Array.of(10)])))
  const { entries, takes } = judgeTimes(expected.rows)
  const { last, twice } = lastAlerts(recordsOf<FoundAlert>(topics, "alerts"))
  const alerts = last.map((alert) =>
    textOf({
      ...alert,
      window_start: alert.window_start ?? null,
      sources: alert.sources.map(({ offset, partition }) => `${partition}/${offset}`)
    })
  )
  const letters = recordsOf<FoundLetter>(topics, "dead-letter")
  const found = recordsOf<FoundEntry>(topics, "late-and-dropped")
  return [
    ...twice,
    ...compare("alerts", alerts, expectAlerts(expected.rows, takes).map(textOf)),
    ...compare(
      "ledger",
      found.map((each) =>
        entryText(each.reason, each.partition, each.offset_from, each.key ?? null, each.lateness_ms ?? null)
      ),
      entries.map((each) => entryText(each.reason, each.partition, each.offset, each.key, each.latenessMs))
    ),
    ...compare(
      "dead letters",
      letters.map(({ offset, partition, reason }) => `${reason} ${partition}/${offset}`),
      expected.deadLetters.map(({ offset, partition, reason }) => `${reason} ${partition}/${offset}`)
    )
  ]
}
