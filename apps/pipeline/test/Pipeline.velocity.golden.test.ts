/**
 * Golden runs of the documents' velocity example: their transaction, and more of its kind in any order, go through the whole
 * pipeline; the features are those that a plain loop finds, again with a crash at every fault point of the epoch.
 */
import { decodeConnections, decodeSinks, templateText } from "@frazil/connect"
import { contracts } from "@frazil/model"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crashAndFinish, epochCrossings } from "./support/Crash.ts"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { makePlaceOf, type Place, type RunIn, runIn } from "./support/PipelineRun.ts"
import {
  assertForward,
  expectedFeatures,
  featuresIn,
  generatedPayments,
  lastOf,
  nameOf,
  type Payment
} from "./support/Velocity.ts"

/** The documents' own event: `003`, example 1. Their window has three of them. */
const documented =
  '{"customer_id": "C123", "amount": 250.00, "merchant_id": "M456", "timestamp": "2025-12-05T10:23:15Z"}'

const payment = (customer: string, time: string, amount: number): Payment => ({
  customer_id: customer,
  amount,
  merchant_id: "M456",
  timestamp: `2025-12-05T${time}Z`
})

const byHand: ReadonlyArray<Payment> = [
  JSON.parse(documented) as Payment, // the documents'
  payment("C123", "10:20:00", 0.1),
  payment("C123", "10:24:59.999", 0.2),
  // the end is another window's
  payment("C123", "10:25:00", 9.99),
  // after its window's end by the watermark, before that of the next: it revises
  payment("C123", "10:29:50", 1),
  payment("C123", "10:21:30", 49.7)
]

const documentedCounts = [
  [3, 250.3, 0],
  [4, 300, 1]
]

const payments = [...byHand, ...generatedPayments]
const lines = [documented, ...payments.slice(1).map((each) => JSON.stringify(each)), '{"customer_id": "C1", "amo']

const expected = expectedFeatures(payments)

const place = makePlaceOf({ transactions: lines.map((line) => `${line}\n`).join("") })
const run = (where: Place, given: RunIn = {}) => runIn(where, { ...given, flows: ["velocity"] })

describe("velocity", () => {
  for (const parallelism of parallelisms) {
    it.live(
      `on ${parallelism} threads is told for the documents' transaction and every other one, the last revision as a loop finds it`,
      () =>
        Effect.gen(function* () {
          const made = yield* place
          const summary = yield* run(made, { parallelism })
          const features = yield* featuresIn(made.data)
          assert.deepStrictEqual(lastOf(features), expected)
          const own = features.filter(
            (each) => nameOf(each) === "C123 2025-12-05T10:20:00.000Z 2025-12-05T10:25:00.000Z"
          )
          const counted = own.map((each) => [each.transaction_count_5min, each.transaction_total_5min, each.revision])
          // the documents' value, and what comes of one that was late
          assert.deepStrictEqual(counted, documentedCounts)
          assert.isAbove(expected.length, 250)
          assert.isAbove(features.length, expected.length, "none was revised")
          assertForward(features)
          assert.deepInclude(summary.jobs[0], { job: "velocity", in: lines.length, dead_lettered: 1, late: 0 })
        })
    )
  }

  it.live("is the same from threads that die", () =>
    Effect.gen(function* () {
      const made = yield* place
      const summary = yield* runDying(run, made)
      const features = yield* featuresIn(made.data)
      assert.deepStrictEqual(lastOf(features), expected)
      assertForward(features)
      assert.deepInclude(summary.jobs[0], { job: "velocity", in: lines.length, dead_lettered: 1, late: 0 })
    })
  )

  it("becomes the documents' feature by a sink that reads its topic", () => {
    const key = "fraud_features:{customer_id}:transaction_count_5min"
    const feature = { key, value: "transaction_count_5min", ttl: "5m" }
    const store = { kind: "redis", topic: "fraud-features", connection: "features", features: [feature] }
    const connections = decodeConnections({ features: { kind: "redis", url: "redis://127.0.0.1:1" } }, () => undefined)
    const { problems, sinks } = decodeSinks(
      { store },
      { topics: contracts, connections, deadLetterTopic: "dead-letter" }
    )
    assert.deepStrictEqual(problems, [])
    const form = sinks[0]?.form
    assert(form?.kind === "redis")
    const told = form.features.map((each) => [templateText(each.key), each.value.name, each.ttlMs])
    assert.deepStrictEqual(told, [[key, "transaction_count_5min", 300_000]])
  })

  for (const [name, nth] of epochCrossings) {
    it.live(`is the same after a crash at ${name}, crossing ${nth}`, () =>
      Effect.gen(function* () {
        const made = yield* place
        yield* crashAndFinish((given) => run(made, given), name, nth)
        const features = yield* featuresIn(made.data)
        assert.deepStrictEqual(lastOf(features), expected)
        assertForward(features)
      })
    )
  }
})
