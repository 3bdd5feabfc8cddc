/**
 * The pipeline with its log on a real Kafka broker: the same tables as with the embedded log, whatever dies on the way.
 *
 * Offsets differ, since markers take some; which records an alert came from is compared by their transactions.
 */
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { sharedKafka } from "@frazil/sim/kafka"
import { runFrazil, runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace } from "./support/PipelineRun.ts"
import { answers, boundedArgs, makeInput, tablesOf } from "./support/TransactionRuns.ts"

// each test begins with an empty log
const kafka = sharedKafka(19_292)
beforeEach(kafka.start, 120_000)
afterEach(kafka.stop, 60_000)

const onKafka = `kafka://127.0.0.1:${kafka.broker.port}`
const log = { _tag: "Kafka", brokers: [kafka.broker] } as const

describe("the pipeline on Kafka", () => {
  it.live(
    "gives the tables that the embedded log gives; run again it does nothing; audits agree",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace(makeInput(20_000))
        const embedded = join(place.folder, "embedded")
        const kafkaData = join(place.folder, "kafka")
        for (const [data, more] of [
          [embedded, []],
          [kafkaData, ["--log", onKafka]]
        ] as const) {
          const ended = yield* runPipelineProcess({ args: boundedArgs(place, data, more) })
          assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        }
        const expected = yield* answers(embedded, undefined)
        assert.deepStrictEqual(yield* answers(kafkaData, log), expected)
        assert.isAbove(expected.alerts.length, 100)
        assert.isAbove(expected.letters.length, 10)
        const before = tablesOf(kafkaData)
        const again = yield* runPipelineProcess({ args: boundedArgs(place, kafkaData, ["--log", onKafka]) })
        assert.strictEqual(again.code, 0, again.lines.join("\n"))
        assert.deepStrictEqual(tablesOf(kafkaData), before)
        for (const table of ["transactions.raw", "transactions.alerts", "system.dead_letter"]) {
          const audit = yield* runFrazil(kafkaData, "tables", "audit", table, "--log", onKafka)
          assert.strictEqual(audit.code, 0, audit.lines.join("\n"))
        }
      }),
    300_000
  )

  it.live(
    "killed again and again, and the broker with it, loses nothing and doubles nothing",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace(makeInput(40_000))
        const embedded = join(place.folder, "embedded")
        const kafkaData = join(place.folder, "kafka")
        const undisturbed = yield* runPipelineProcess({ args: boundedArgs(place, embedded, []) })
        assert.strictEqual(undisturbed.code, 0, undisturbed.lines.join("\n"))
        const run = boundedArgs(place, kafkaData, ["--log", onKafka])
        for (let kill = 0; kill < 6; kill++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* startPipeline({ args: run })
              yield* Effect.sleep(1_200 + kill * 250)
              if (kill % 2 === 0) return
              // the broker first: what it had acknowledged must be there when it comes back
              yield* kafka.server().kill
              yield* Effect.sleep(300)
              yield* kafka.server().start
              yield* Effect.sleep(1_000)
            })
          )
        }
        const ended = yield* runPipelineProcess({ args: run })
        assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        assert.deepStrictEqual(yield* answers(kafkaData, log), yield* answers(embedded, undefined))
        const audit = yield* runFrazil(kafkaData, "tables", "audit", "transactions.raw", "--log", onKafka)
        assert.strictEqual(audit.code, 0, audit.lines.join("\n"))
      }),
    400_000
  )
})
