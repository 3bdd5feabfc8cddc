/** What becomes of topics under a pipeline on Kafka: deleted and made anew, grown; and a broker that is not there. One line each. */
import { join } from "node:path"
import { makeTransactions } from "@frazil/sim"
import { sharedKafka } from "@frazil/sim/kafka"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { runPipelineProcess } from "./support/PipelineProcess.ts"
import { makePlace } from "./support/PipelineRun.ts"

const kafka = sharedKafka(19_892)
// each test begins with an empty log
beforeEach(kafka.start, 120_000)
afterEach(kafka.stop, 60_000)

const startMs = Date.UTC(2026, 0, 14, 7)
const log = ["--log", `kafka://127.0.0.1:${kafka.broker.port}`]

const lines = (records: number): Uint8Array => {
  const generator = makeTransactions({ seed: 3 })
  const made = Array.from({ length: records }, (_, index) => {
    const { bytes, length } = generator.next(startMs + index * 500)
    return [bytes.slice(0, length), Uint8Array.of(10)]
  })
  return Buffer.concat(made.flat())
}

const topics = (...args: ReadonlyArray<string>) => kafka.server().run("cli", "topics", ...args)

/** A live run that is to end by itself: what it says. */
const refusal = Effect.fnUntraced(function* (data: string) {
  const args = ["--jobs", "transactions", "--data", data, "--no-generator", "--no-gateway", ...log]
  const { code, errors } = yield* runPipelineProcess({ args })
  assert.strictEqual(code, 1, errors.join("\n"))
  assert.lengthOf(errors, 1)
  return errors[0]!
})

/** A pipeline that went through once. */
const ranOnce = Effect.fnUntraced(function* () {
  const place = yield* makePlace(lines(500))
  const data = join(place.folder, "data")
  const args = ["--jobs", "transactions", "--data", data, "--input", `raw-transactions=${place.file}`, ...log]
  const ended = yield* runPipelineProcess({ args })
  assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
  return data
})

describe("a pipeline on Kafka whose topic", () => {
  it.live(
    "was deleted and made anew, with fewer partitions than there is state, stops and says the way out",
    () =>
      Effect.gen(function* () {
        const data = yield* ranOnce()
        yield* topics("--delete", "--topic", "raw-transactions")
        // until it is gone everywhere
        while (/^raw-transactions$/m.test(yield* topics("--list"))) yield* Effect.sleep(200)
        yield* topics("--create", "--topic", "raw-transactions", "--partitions", "2", "--replication-factor", "1").pipe(
          Effect.sandbox,
          Effect.retry({ schedule: Schedule.spaced(500), times: 60 })
        )
        assert.match(yield* refusal(data), /raw-transactions (was deleted and made anew|has 2 partitions)/)
      }),
    240_000
  )

  it.live(
    "has more partitions than when it started stops and says the way out",
    () =>
      Effect.gen(function* () {
        const data = yield* ranOnce()
        yield* topics("--alter", "--topic", "raw-transactions", "--partitions", "6")
        assert.match(yield* refusal(data), /raw-transactions .*(6 partitions|4 partitions when)/)
      }),
    240_000
  )

  it.live("is on a broker that is not there says so at once", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(lines(1))
      const args = ["--data", join(place.folder, "data"), "--log", "kafka://127.0.0.1:9"]
      const { code, errors } = yield* runPipelineProcess({ args })
      assert.strictEqual(code, 1)
      assert.lengthOf(errors, 1)
      assert.match(errors[0]!, /Kafka at 127\.0\.0\.1:9 cannot be reached .*start it, or give its address with --log/)
    })
  )
})
