/**
 * Rules in the stream (compiled, windows by panes) against the same rules over records in memory (interpreted, plain
 * loops): every aggregate and condition, over generated transactions, gives the same alerts.
 */
import { ruleTopics } from "@frazil/flows"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { alertJson, decodeLines, evaluateRule, formatProblems, makeRuleSet } from "@frazil/rules"
import { expectRawTransactions, makeTransactions } from "@frazil/sim"
import { assert, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlace, runIn } from "./support/PipelineRun.ts"

const startMs = Date.UTC(2026, 0, 14, 7)
const records = 6_000

const lines = (() => {
  const generator = makeTransactions({ seed: 21, fraudShare: 0.05 })
  const decoder = new TextDecoder()
  return Array.from({ length: records }, (_, index) => {
    const { bytes, length } = generator.next(startMs + index * 300)
    return decoder.decode(bytes.subarray(0, length))
  })
})()

const rowConditions = [
  "amount * 2 >= 20000.01 || amount == 45.00",
  "type in ['withdrawal', 'transfer'] && lat < 0.0",
  "merchant_category.startsWith('c') && !(country == 'US')",
  "event_timestamp.getMinutes('Asia/Kolkata') == 47 && amount > 100",
  "size(city) > 8 && channel != 'pos'",
  "ip.matches('^1[0-9]+[.]') && double(amount) / 3.0 > 400.0"
]

const windowConditions: ReadonlyArray<readonly [window: string, aggregates: string, when: string]> = [
  ["size: 5m", "n: { function: count }", "n >= 4"],
  ["size: 5m, every: 1m", "n: { function: count, where: amount < 2 }, m: { function: count }", "n >= 3 && m > 3"],
  [
    "size: 10m, every: 5m",
    "mean: { function: avg, field: amount }, most: { function: max, field: amount }",
    "mean > 400 && most < 3000.50"
  ],
  [
    "size: 4m, every: 2m",
    "least: { function: min, field: lat }, span: { function: max, field: lat }",
    "span - least > 20.0"
  ],
  [
    "size: 1h",
    "first: { function: min, field: event_timestamp }, last: { function: max, field: event_timestamp }",
    "last - first > duration('20m')"
  ],
  ["size: 5m", "online: { function: sum, field: amount, where: \"channel == 'online' // by card\" }", "online >= 500"],
  [
    "size: 30m, every: 10m",
    "cities: { function: distinct, field: city, valuesMax: 2 }",
    "cities_capped || cities == 2"
  ],
  [
    "size: 30m",
    "abroad: { function: distinct, field: country, where: lat < 30.0 }, far: { function: avg, field: lon, where: lat < 30.0 }",
    "abroad > 0 && far < 100.0"
  ],
  [
    "size: 5m",
    "big: { function: max, field: amount, where: amount > 10000 }",
    "big > 10000.00 && window_end > timestamp('2026-01-14T07:10:00Z')"
  ]
]

const document = (id: string, more: string) =>
  `id: ${id}\nversion: 1\ndescription: d\nseverity: low\non: raw-transactions\n${more}`

const texts = [
  ...rowConditions.map((when, at) =>
    document(
      `row-${at}`,
      `kind: row\nwhen: ${JSON.stringify(when)}\nmessage: "{amount} {event_timestamp} {city} {lat}"\n`
    )
  ),
  ...windowConditions.map(([window, aggregates, when], at) =>
    document(
      `window-${at}`,
      `kind: window\nwindow: { ${window} }\naggregates: { ${aggregates} }\nwhen: ${JSON.stringify(when)}\nmessage: "{window_end} {account_id}"\n`
    )
  )
].map((text, at) => ({ file: `${at}.yaml`, text }))

it.live("rules find in the stream what they find in memory", () =>
  Effect.gen(function* () {
    const set = Result.getOrThrowWith(makeRuleSet(texts, ruleTopics), (problems) => new Error(formatProblems(problems)))
    const bytes = Buffer.from(`${lines.join("\n")}\n`)
    const places = new Map(
      expectRawTransactions(bytes).rows.map(({ line, offset, partition }) => [line - 1, { partition, offset }])
    )
    const placed = Result.getOrThrow(decodeLines(ruleTopics[0]!, lines)).map(({ place, record }, index) => ({
      record,
      place: { ...place, ...places.get(index) }
    }))
    const expected = set.rules.flatMap((rule) => {
      const alerts = evaluateRule(rule, placed)
      assert.isAbove(alerts.length, 0, rule.document.when)
      assert.isBelow(alerts.length, records, rule.document.when)
      return alerts.map(alertJson)
    })
    const place = yield* makePlace(bytes)
    yield* runIn(place, { rules: set, recordsMax: 333 })
    const found = yield* readTopic("alerts").pipe(Effect.provide(systemLayer(dataDirectory(place.data))))
    const last = new Map<string, { readonly revision: number }>()
    for (const { value } of found) {
      const alert = JSON.parse(Buffer.from(value, "latin1").toString()) as (typeof expected)[number]
      if ((last.get(alert.alert_id)?.revision ?? -1) < alert.revision) last.set(alert.alert_id, alert)
    }
    const byName = (alerts: Iterable<object>) =>
      [...alerts]
        .map((alert) =>
          JSON.stringify(
            Object.entries({ ...alert, revision: 0 })
              .filter(([, value]) => value !== null)
              .sort(([a], [b]) => (a < b ? -1 : 1))
          )
        )
        .sort()
    assert.deepStrictEqual(byName(last.values()), byName(expected))
  })
)
