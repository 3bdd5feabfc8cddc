/**
 * Golden runs of the documents' pattern of fraud, more than 10,000 and then a foreign location within five minutes: the
 * alerts that they say, and those that a plain loop finds among transactions in any order, again with a crash at every fault
 * point of the epoch.
 */
import { dataDirectory, systemLayer } from "@frazil/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crashAndFinish, epochCrossings } from "./support/Crash.ts"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlaceOf, type Place, type RunIn, runIn } from "./support/PipelineRun.ts"

interface Transaction {
  readonly transaction_id: string
  readonly account_id: string
  readonly amount: number
  readonly country: string
  readonly event_timestamp: string
}

let made = 0
const transaction = (account_id: string, atMs: number, amount: number, country: string): Transaction => ({
  transaction_id: `00000000-0000-4000-8000-${String(made++).padStart(12, "0")}`,
  account_id,
  amount,
  country,
  event_timestamp: new Date(atMs).toISOString()
})

const at = (account: string, time: string, amount: number, country: string) =>
  transaction(account, Date.parse(`2025-12-05T${time}Z`), amount, country)

/** The documents give a pattern and no events: `004`, complex event processing. Here is each of its conditions. */
const byHand: ReadonlyArray<Transaction> = [
  at("documented", "10:00:00", 10_000.01, "DE"),
  at("documented", "10:04:59.999", 20, "US"),
  // exactly 10,000 is not more
  at("not-more", "10:00:00", 10_000, "DE"),
  at("not-more", "10:01:00", 20, "US"),
  // five minutes later is not within them
  at("too-late", "10:00:00", 10_000.01, "DE"),
  at("too-late", "10:05:00", 20, "US"),
  at("at-home", "10:00:00", 10_000.01, "DE"),
  at("at-home", "10:01:00", 20, "DE"),
  // one at home between: not the very next
  at("between", "10:00:00", 10_000.01, "DE"),
  at("between", "10:01:00", 20, "DE"),
  at("between", "10:02:00", 20, "US"),
  at("between", "10:03:00", 20, "FR"),
  // the foreign one is large, too, and what was home is foreign to it
  at("both", "10:00:00", 11_000, "DE"),
  at("both", "10:01:00", 12_000, "US"),
  at("both", "10:02:00", 20, "DE")
]

/** Three seconds apart, each up to four seconds early: less than the watermark waits. */
const generated = Array.from({ length: 3_000 }, (_, index) => {
  const mixed = (index * 2_654_435_761) % 4_294_967_296
  const country = ["DE", "DE", "DE", "FR", "US"][mixed % 5]!
  const amount = mixed % 13 === 0 ? 10_000 + (mixed % 3) / 100 : (mixed % 1_000_000) / 100
  const account = `A${Math.floor(mixed / 5) % 40}`
  return transaction(account, Date.UTC(2025, 11, 6) + index * 3_000 - ((index * 7_919) % 4_000), amount, country)
})

const timeOf = ({ event_timestamp }: Transaction) => Date.parse(event_timestamp)

const transactions = [...byHand.toSorted((one, other) => timeOf(one) - timeOf(other)), ...generated]

const line = (given: Transaction) =>
  JSON.stringify({
    ...given,
    currency: "EUR",
    type: "purchase",
    merchant_id: "M1",
    merchant_category: "electronics",
    city: "somewhere",
    lat: 0,
    lon: 0,
    channel: "pos",
    device_id: "D1",
    ip: "10.0.0.1"
  })

/** By two loops over all of them: for each large amount the first after it that is foreign. */
const expected = transactions
  .flatMap((large, at) => {
    if (large.amount <= 10_000) return []
    const [foreign] = transactions
      .filter((other, place) => {
        const [from, to] = [timeOf(large), timeOf(other)]
        const after = to > from || (to === from && place > at)
        return other.account_id === large.account_id && after && to - from < 300_000 && other.country !== large.country
      })
      .toSorted((one, other) => timeOf(one) - timeOf(other))
    return foreign === undefined ? [] : [`${large.account_id} ${large.transaction_id} ${foreign.transaction_id}`]
  })
  .sort()

interface Alert {
  readonly [field: string]: unknown
  readonly alert_id: string
  readonly key: string
  readonly values: Readonly<Record<string, string>>
}

const place = makePlaceOf({
  "raw-transactions": `${transactions.map((each) => `${line(each)}\n`).join("")}{"torn\n`
})
const run = (where: Place, given: RunIn = {}) => runIn(where, { ...given, flows: ["abroad"] })

const alertsIn = (data: string) =>
  Effect.map(
    readTopic("alerts"),
    (records) => records.map(({ value }) => JSON.parse(value) as Alert) // what the pipeline wrote
  ).pipe(Effect.provide(systemLayer(dataDirectory(data))))

const found = (alerts: ReadonlyArray<Alert>) =>
  alerts.map(({ key, values }) => `${key} ${values["large_transaction_id"]} ${values["foreign_transaction_id"]}`).sort()

describe("a large amount, and then a foreign country", () => {
  for (const parallelism of parallelisms) {
    it.live(
      `on ${parallelism} threads is the alert that the documents describe; and every other one that a loop finds, once`,
      () =>
        Effect.gen(function* () {
          const where = yield* place
          const summary = yield* run(where, { parallelism })
          const alerts = yield* alertsIn(where.data)
          const ofHand = byHand.map(({ account_id }) => account_id)
          const told = alerts.map(({ key }) => key).filter((key) => ofHand.includes(key))
          assert.deepStrictEqual(told.toSorted(), ["between", "both", "both", "documented"])
          assert.deepInclude(
            alerts.find(({ key }) => key === "documented"),
            {
              rule_id: "large-then-foreign",
              severity: "high",
              event_timestamp: "2025-12-05T10:04:59.999Z",
              message: "10000.01 in DE, then US within 5 minutes",
              sources_count: 2
            }
          )
          assert.deepStrictEqual(found(alerts), expected)
          assert.isAbove(expected.length, 40)
          assert.strictEqual(new Set(alerts.map(({ alert_id }) => alert_id)).size, alerts.length)
          assert.deepInclude(summary.jobs[0], { job: "abroad", in: transactions.length + 1, dead_lettered: 1, late: 0 })
        })
    )
  }

  it.live("is told once by threads that die", () =>
    Effect.gen(function* () {
      const where = yield* place
      yield* runDying(run, where)
      assert.deepStrictEqual(found(yield* alertsIn(where.data)), expected)
    })
  )

  it.live("says where its last record stands", () =>
    Effect.gen(function* () {
      const where = yield* place
      yield* run(where)
      const records = yield* readTopic("raw-transactions").pipe(Effect.provide(systemLayer(dataDirectory(where.data))))
      for (const { sources, values } of yield* alertsIn(where.data)) {
        const [source] = sources as ReadonlyArray<{ readonly partition: number; readonly offset: number }> // the contract's
        const record = records.find(
          ({ offset, partition }) => offset === source?.offset && partition === source.partition
        )
        assert.include(record?.value, values["foreign_transaction_id"]!)
      }
    })
  )

  for (const [name, nth] of epochCrossings) {
    it.live(`is told once after a crash at ${name}, crossing ${nth}`, () =>
      Effect.gen(function* () {
        const where = yield* place
        yield* crashAndFinish((given) => run(where, given), name, nth)
        assert.deepStrictEqual(found(yield* alertsIn(where.data)), expected)
      })
    )
  }
})
