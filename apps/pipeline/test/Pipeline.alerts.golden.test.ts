/**
 * Golden alerts: generated transactions go through the whole pipeline with the shipped rules, and what is then in `alerts`
 * and in `transactions.alerts` is what the oracle finds in the file by plain loops; again with crashes.
 */
import type { FaultPointName } from "@frazil/core"
import { auditTable } from "@frazil/lake"
import { rulesDirectory, tables } from "@frazil/lakehouse"
import { ruleTopics } from "@frazil/flows"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { loadRules } from "@frazil/rules"
import { expectAlerts, expectRawTransactions, makeTransactions, type OracleAlert } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlace, type Place, runIn } from "./support/PipelineRun.ts"

/** Two in the morning in the Americas, so that every kind of fraud has its hour. */
const startMs = Date.UTC(2026, 0, 14, 7)

const fileOf = (seed: number, records: number, everyMs: number): Uint8Array => {
  const generator = makeTransactions({ seed, fraudShare: 0.05, invalidShare: 0.02 })
  const lines: Array<Uint8Array> = []
  for (let index = 0; index < records; index++) {
    const { bytes, length } = generator.next(startMs + index * everyMs)
    lines.push(bytes.slice(0, length), Uint8Array.of(10))
  }
  return Buffer.concat(lines)
}

interface Found extends Omit<OracleAlert, "sources"> {
  readonly revision: number
  readonly message: string
  readonly sources: ReadonlyArray<{ readonly partition: number; readonly offset: number }>
}

/** Every alert in its last revision, as the oracle tells them. */
const lastWords = (records: ReadonlyArray<{ readonly value: string }>): ReadonlyArray<OracleAlert> => {
  const last = new Map<string, Found>()
  const seen = new Set<string>()
  for (const { value } of records) {
    const alert = JSON.parse(Buffer.from(value, "latin1").toString()) as Found
    const name = `${alert.alert_id} ${alert.revision}`
    assert.isFalse(seen.has(name), "an alert is there twice")
    assert.isAbove(alert.message.length, 0)
    seen.add(name)
    if ((last.get(alert.alert_id)?.revision ?? -1) < alert.revision) last.set(alert.alert_id, alert)
  }
  return [...last.values()].map(
    ({ alert_id, event_timestamp, key, rule_id, sources, sources_count, values, window_start }) => ({
      alert_id,
      rule_id,
      key,
      event_timestamp,
      window_start: window_start ?? null,
      values,
      sources: sources.map(({ offset, partition }) => `${partition}/${offset}`),
      sources_count
    })
  )
}

const sorted = (alerts: ReadonlyArray<OracleAlert>) =>
  alerts
    .map((alert) =>
      JSON.stringify({ ...alert, values: Object.entries(alert.values).sort(([a], [b]) => (a < b ? -1 : 1)) })
    )
    .sort()

const rules = loadRules(rulesDirectory, ruleTopics)

const assertAlerts = Effect.fnUntraced(function* (place: Place, expected: ReadonlyArray<OracleAlert>) {
  const landing = tables.find(({ table }) => table === "transactions.alerts")
  if (landing === undefined) return yield* Effect.die(new Error("alerts land nowhere"))
  yield* Effect.gen(function* () {
    const records = yield* readTopic("alerts")
    assert.deepStrictEqual(sorted(lastWords(records)), sorted(expected))
    const audit = yield* auditTable(landing)
    assert.isTrue(audit.matches, audit.problems.join("; "))
  }).pipe(Effect.provide(systemLayer(dataDirectory(place.data))))
})

describe("alerts", () => {
  for (const parallelism of parallelisms) {
    it.live(`on ${parallelism} threads are what the oracle finds, in topic and table`, () =>
      Effect.gen(function* () {
        const bytes = fileOf(11, 12_000, 250)
        const expected = expectAlerts(expectRawTransactions(bytes).rows)
        const place = yield* makePlace(bytes)
        const summary = yield* runIn(place, { rules: yield* rules, parallelism })
        yield* assertAlerts(place, expected)
        assert.isAbove(
          summary.tables.find(({ table }) => table === "transactions.alerts")?.rows ?? 0,
          expected.length - 1
        )
        // the comparison means little where nothing happens
        const kinds = new Set(expected.map(({ rule_id }) => rule_id))
        assert.strictEqual(kinds.size, 5, [...kinds].join())
      })
    )
  }

  const bytes = fileOf(12, 1_500, 400)
  const expected = expectAlerts(expectRawTransactions(bytes).rows)
  const points: ReadonlyArray<FaultPointName> = [
    "before-epoch-commit",
    "during-epoch-commit",
    "after-epoch-commit",
    "mid-restore",
    "after-swap"
  ]
  it.live("are the same from threads that die", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      const set = yield* rules
      yield* runDying((where, given) => runIn(where, { ...given, rules: set }), place)
      yield* assertAlerts(place, expected)
    })
  )

  it.live(`are the same after crashes at ${points.join(", ")}`, () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      const set = yield* rules
      for (const point of points) {
        let crossings = 0
        const hit = (name: FaultPointName) =>
          name === point && ++crossings === 3 ? Effect.die(new Error(`crash at ${name}`)) : Effect.void
        assert.isTrue(Exit.isFailure(yield* Effect.exit(runIn(place, { rules: set, hit, recordsMax: 60 }))), point)
      }
      yield* runIn(place, { rules: set, recordsMax: 100 })
      yield* assertAlerts(place, expected)
      assert.isAbove(expected.length, 20)
    })
  )
})
