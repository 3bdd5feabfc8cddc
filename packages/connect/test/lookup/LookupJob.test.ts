/** Lookups as jobs make them: generated records through real connectors, each record answered or failed once. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Field, layerMemory, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterService, Flow, Job, Log, type Lookup } from "@frazil/engine"
import { Bureau, bureauFailures, BureauWire, Claims } from "@frazil/flows"
import { DeadLetters, LoanApplications, makeDeadLetter, PaymentEvents } from "@frazil/model"
import {
  makeApplications,
  makeDelivery,
  makePayments,
  makeTokenBucket,
  type RecordSource,
  runGenerator,
  serveBureau
} from "@frazil/sim"
import { Effect, Layer, Schema } from "effect"
import { EmbeddedLog, openDuckDbFile, openHttpLookup } from "../../src/index.ts"
import { temporaryFolder } from "../embedded/TemporaryFolder.ts"
import { claimsLookup, claimsTable } from "./ClaimsCases.ts"

const Decided = Topic.make("decided", {
  schema: Schema.Struct({ id: Field.text(), outcome: Field.text() }),
  key: "id",
  partitions: 1
})

const world = Layer.mergeAll(
  EmbeddedLog.layerMemory,
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterService, { topic: DeadLetters, make: makeDeadLetter })
)

/** Fills a topic with generated records. */
const generate = Effect.fnUntraced(function* (
  topic: { readonly name: string; readonly partitions: number },
  source: RecordSource,
  count: number
) {
  const log = yield* Log
  yield* log.ensureTopic(topic)
  const producer = yield* log.producer("test")
  const outlet = yield* makeDelivery({ producer, topic: topic.name, partitions: topic.partitions })
  const bucket = yield* makeTokenBucket(1_000)
  yield* runGenerator({ source, bucket, outlet, count, startMs: 1_768_434_300_000 })
}, Effect.scoped)

/** How many records have each outcome; no id twice. */
const outcomes = Effect.gen(function* () {
  const log = yield* Log
  const batch = yield* log.read(Decided.name, 0, 0, { recordsMax: 100_000, bytesMax: 100_000_000 })
  const text = new TextDecoder()
  const ids = new Set<string>()
  const counts: Record<string, number> = {}
  for (let row = 0; row < batch.length; row++) {
    const json: unknown = JSON.parse(text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])))
    const { id, outcome } = json as { readonly id: string; readonly outcome: string } // written by the job
    assert.isFalse(ids.has(id), `${id} twice`)
    ids.add(id)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
})

const runToEnd = <R>(job: Job.Job<string, R>) =>
  Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true) })

const policy: Lookup.LookupPolicy = {
  capacity: 200,
  order: "unordered",
  // for one that hangs: a busy machine takes its time, and who is late fails
  timeout: "2 minutes",
  retry: { first: "5ms", longest: "50ms" },
  breaker: { openFor: "50ms" }
}

describe("a job's lookups", () => {
  it.live(
    "get each applicant's score from a bureau that is limited and fails, once, with no more at a time than it takes",
    () =>
      Effect.gen(function* () {
        const count = 250
        const { address, bureau } = yield* serveBureau({
          port: 0,
          seed: 1,
          behaviour: { delayMsMin: 2, delayMsMax: 10, concurrency: 40, failRate: 0.05 }
        })
        yield* generate(LoanApplications, makeApplications({ seed: 11 }), count)
        const job = Job.make("scores", [
          Flow.from(LoanApplications).pipe(
            Flow.lookup(Bureau, { key: "ssn", policy }),
            Flow.map(({ application_id, score }) => ({
              id: application_id,
              outcome: score === 450 ? "low" : "scored"
            })),
            Flow.catchTags({
              BureauRejected: ({ record }) => ({ id: record.application_id, outcome: "rejected" }),
              BureauInvalidAnswer: ({ record }) => ({ id: record.application_id, outcome: "invalid" }),
              BureauTimeout: ({ record }) => ({ id: record.application_id, outcome: "late" }),
              BureauUnavailable: ({ record }) => ({ id: record.application_id, outcome: "unavailable" })
            }),
            Flow.to(Decided)
          )
        ])
        const lookup = openHttpLookup({
          name: "bureau",
          connection: { kind: "http", url: address },
          path: "/v1/score",
          request: (ssn: string) => ({ ssn }),
          wire: BureauWire,
          answer: (wire, ssn) => (wire.ssn === ssn ? { score: wire.score } : undefined),
          failures: bureauFailures
        })
        yield* runToEnd(job).pipe(Effect.provide(Layer.effect(Bureau, lookup)))
        const { low = 0, scored = 0, ...others } = yield* outcomes
        assert.deepStrictEqual(others, {})
        assert.strictEqual(low + scored, count)
        // one in ten numbers ends in 9
        assert.isTrue(low > 8 && low < 60, `${low} of ${count}`)
        const { failed, inFlightMax, scored: answered } = bureau.counts()
        assert.isAtMost(inFlightMax, 40)
        assert.isTrue(answered >= count && failed > 0)
      }).pipe(Effect.provide(world))
  )

  it.live("find each payment's claim in batches, and say which there are none of", () =>
    Effect.gen(function* () {
      const [count, claims] = [1_000, 100]
      const file = join(yield* temporaryFolder, "claims.duckdb")
      const client = yield* openDuckDbFile("claims", { kind: "duckdb", file }, "write")
      yield* client.query(claimsTable)
      yield* client.query(
        `INSERT INTO claims SELECT 'CL' || lpad(CAST(i AS VARCHAR), 8, '0'), 'ME', 1.00, 'open', NULL FROM generate_series(1, ${claims}) AS n(i)`
      )
      yield* generate(PaymentEvents, makePayments({ seed: 5, claims, unknownShare: 0.1 }), count)
      const asked: Array<number> = []
      const { lookup, lookupMany } = claimsLookup(client)
      const counted = Layer.succeed(Claims, {
        lookup,
        lookupMany: (keys: ReadonlyArray<string>) => {
          asked.push(keys.length)
          return lookupMany!(keys)
        }
      })
      const job = Job.make("claims", [
        Flow.from(PaymentEvents).pipe(
          Flow.lookup(Claims, { key: "claim_id", policy: { ...policy, batch: { keysMax: 100, wait: "5ms" } } }),
          Flow.map(({ payment_id }) => ({ id: payment_id, outcome: "found" })),
          Flow.catchTags({
            ClaimNotFound: ({ record }) => ({ id: record.payment_id, outcome: "absent" }),
            DbError: ({ record }) => ({ id: record.payment_id, outcome: "error" }),
            DbTimeout: ({ record }) => ({ id: record.payment_id, outcome: "timeout" })
          }),
          Flow.to(Decided)
        )
      ])
      yield* runToEnd(job).pipe(Effect.provide(counted))
      const { absent = 0, found = 0, ...others } = yield* outcomes
      assert.deepStrictEqual(others, {})
      assert.strictEqual(absent + found, count)
      assert.isTrue(absent > 60 && absent < 140, `${absent} of ${count}`)
      assert.isBelow(asked.length, count / 5)
    }).pipe(Effect.provide(world))
  )
})
