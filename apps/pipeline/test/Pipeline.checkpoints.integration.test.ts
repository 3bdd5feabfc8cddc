/**
 * Snapshots of state on S3: a job that crashes around them, and again while it restores, goes on from what the store has, with
 * nothing of them on local disk; a pipeline whose store is killed goes on, and one that starts meanwhile waits for it.
 */
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { produceLines } from "@frazil/connect"
import { type FaultPointName, KeyScanner } from "@frazil/core"
import { CheckpointStore, Job, Log } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { Transactions } from "@frazil/model"
import { checkpointLayer, dataDirectory, logLayer } from "@frazil/platform"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { s3Keys, s3Server } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Clock, ConfigProvider, Effect, Schedule, Stream } from "effect"
import { ofStore } from "./support/FarLake.ts"
import { crashTwice, expectedTotals, type KeyedPlace, landedTotals, runParts } from "./support/KeyedRun.ts"
import { runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, makePlaceOf } from "./support/PipelineRun.ts"
import {
  assertForward,
  expectedFeatures,
  featuresIn,
  generatedPayments,
  lastOf,
  type Payment
} from "./support/Velocity.ts"

const at = (endpoint: string) =>
  Effect.provideService(
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromUnknown({
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: s3Keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Keys.secretAccessKey,
      AWS_REGION: s3Keys.region
    })
  )

const directoryOf = ({ checkpoints, data }: KeyedPlace) =>
  dataDirectory(data, undefined, undefined, undefined, checkpoints)

/** Names of what the store has. */
const stored = (place: KeyedPlace) =>
  CheckpointStore.use((store) => store.list("")).pipe(
    Effect.map((files) => files.map(({ name }) => name)),
    Effect.provide(checkpointLayer(directoryOf(place)))
  )

const crossings: ReadonlyArray<readonly [FaultPointName, number]> = [
  ["after-snapshot", 4],
  ["snapshot-delete", 1]
]

describe("snapshots on S3", () => {
  it.live("are what a job that crashed goes on from, and the only ones", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 12, lines: 2500, longLineBytes: [] })
      const expected = expectedTotals(expectRawTransactions(bytes))
      const store = yield* s3Server(9955, "lake")
      const runs = Effect.forEach(crossings, ([name, nth]) =>
        Effect.gen(function* () {
          const place = { ...(yield* makePlace(bytes)), checkpoints: `s3://lake/${name}` }
          yield* crashTwice(place, name, nth)
          assert.isAbove((yield* stored(place)).length, 0, name)
          // a machine that takes the job over has no copies
          rmSync(join(place.data, "cache"), { recursive: true, force: true })
          yield* runParts(place)
          assert.deepStrictEqual(yield* landedTotals(place), expected, name)
          assert.isFalse(existsSync(join(place.data, "checkpoints")))
        })
      )
      yield* at(store.url)(runs)
    })
  )
})

const textOf = (payments: ReadonlyArray<Payment>) => payments.map((each) => `${JSON.stringify(each)}\n`).join("")

/** Appends them beside the pipeline. */
const pay = Effect.fnUntraced(function* (payments: ReadonlyArray<Payment>) {
  const log = yield* Log
  yield* log.ensureTopic({ name: Transactions.name, partitions: Transactions.partitions })
  const bytes = Stream.make(new TextEncoder().encode(textOf(payments)))
  yield* produceLines({ topic: Transactions.name, keys: KeyScanner.make(Transactions), producer: "test", bytes })
}, Effect.scoped)

/** Waits until the job has committed all that is there and its shards are so; their newest snapshots then. */
const caughtUp = (enough: (shard: Job.ShardProgress) => boolean = () => true) =>
  Effect.gen(function* () {
    const [stage] = yield* Job.progress(flows.velocity)
    if (stage === undefined || stage.lag > 0 || !stage.shards.every(enough)) return yield* Effect.fail("it is behind")
    return stage.shards.map(({ snapshots }) => snapshots[0])
  }).pipe(Effect.retry({ schedule: Schedule.spaced(50), times: 1_200 }))

/** The commit that names a snapshot is the epoch after it. */
const saved = ({ epoch, snapshots: [newest = -1] }: Job.ShardProgress): boolean => epoch <= newest + 1

describe("a pipeline whose store of snapshots is killed", () => {
  it.live(
    "takes everything in meanwhile, waits for it when it starts anew, and restores from what is written afterwards",
    () =>
      Effect.gen(function* () {
        // longer than a write to a store tries
        const outageMs = 6_000
        const part = (from: number, to: number) => generatedPayments.slice(from, to)
        const place = yield* makePlaceOf({ transactions: textOf(part(2_600, 3_000)) })
        const store = yield* s3Server(9959, "lake")
        const options = {
          args: [
            "--data",
            place.data,
            "--jobs",
            "velocity",
            "--checkpoints",
            "s3://lake/state",
            "--checkpoint-every",
            "1s"
          ],
          env: ofStore(store.url)
        }
        const live = { ...options, args: [...options.args, "--no-generator", "--no-gateway"] }
        const beside = Effect.gen(function* () {
          const first = yield* startPipeline(live)
          yield* pay(part(0, 500))
          const before = yield* caughtUp(saved)

          yield* store.kill
          const untilMs = (yield* Clock.currentTimeMillis) + outageMs
          let paid = 500
          while (paid < 1_500 && (paid < 600 || (yield* Clock.currentTimeMillis) < untilMs)) {
            yield* pay(part(paid, paid + 20))
            yield* caughtUp()
            paid += 20
            yield* Effect.sleep(100)
          }
          yield* pay(part(paid, 1_500))
          assert.deepStrictEqual(yield* caughtUp(), before)
          first.child.kill("SIGKILL")
          yield* first.ended

          const second = yield* startPipeline(live)
          yield* pay(part(1_500, 2_000))
          yield* Effect.sleep(3_000)
          assert.isTrue(second.running(), "it waits for its snapshots")
          yield* store.start
          yield* caughtUp(saved)
          yield* pay(part(2_000, 2_600))
          yield* caughtUp(saved)
          second.child.kill("SIGKILL")
          yield* second.ended
        })
        yield* beside.pipe(Effect.provide(logLayer(dataDirectory(place.data))))

        rmSync(join(place.data, "cache"), { recursive: true, force: true })
        const last = yield* runPipelineProcess({
          ...options,
          args: [...options.args, "--input", `transactions=${place.file}`]
        })
        assert.deepStrictEqual([last.code, last.errors], [0, []], last.lines.join("\n"))
        const features = yield* featuresIn(place.data)
        assert.deepStrictEqual(lastOf(features), expectedFeatures(generatedPayments))
        assertForward(features)
      })
  )
})
