/**
 * What snapshots cost a running task with a million keys in windows, and what it costs to restore them.
 *
 * `recovery.ts` runs it in a process of its own: `bun bench/src/support/SnapshotCosts.ts FOLDER KEYS`. Records go on coming
 * while snapshots are taken. Prints one JSON object: the longest time for which the task took no records because of a snapshot,
 * from fencing to the restored state, and the bytes of an increment after 1 % of the keys changed, of the base's bytes.
 */
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerLocal, makeRecordBuilder, partitionOf, Timestamp, Topic } from "@frazil/core"
import {
  CheckpointStore,
  count,
  DeadLetters as DeadLetterContract,
  Flow,
  Job,
  Ledger as LedgerContract,
  Log,
  max,
  type Measured,
  MeasureKeeper,
  min,
  sum,
  Window
} from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Fiber, Layer, Schema } from "effect"

const Event = Topic.make("amounts", {
  schema: Schema.Struct({ account: Field.text(), amount: Field.int(), at: Field.timestamp }),
  key: "account",
  eventTime: "at"
})
const Total = Topic.make("totals", {
  schema: Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    records: Field.int(),
    total: Field.int(),
    least: Field.int(),
    most: Field.int()
  }),
  key: "account"
})
const job = Job.make("snapshot-costs", [
  Flow.from(Event).pipe(
    Flow.keyBy("account"),
    Flow.window(
      Window.tumbling("30d", { allowedLateness: "1h" }),
      { records: count(), total: sum("amount"), least: min("amount"), most: max("amount") },
      { name: "totals" }
    ),
    Flow.to(Total)
  )
])

const startMs = Date.UTC(2026, 0, 14)
const groupRecords = 20_000

/** Appends a record for each of the accounts from `from` to `to`. */
const append = Effect.fnUntraced(function* (from: number, to: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: Event.name, partitions: Event.partitions })
  const producer = yield* log.producer("bench")
  for (let first = from; first < to; first += groupRecords) {
    const builders = Array.from({ length: Event.partitions }, () => makeRecordBuilder())
    for (let i = first; i < Math.min(to, first + groupRecords); i++) {
      const account = `ACC${String(i).padStart(8, "0")}`
      const at = Timestamp.format(Timestamp.make(startMs + (i % 1_000)))
      const text = `{"account":"${account}","amount":${(i * 7919) % 100_000},"at":"${at}"}`
      builders[partitionOf(account, Event.partitions)]?.addText(text, account)
    }
    yield* producer.append(
      producer.nextSequence,
      builders.map((builder, partition) => ({ topic: Event.name, partition, records: builder.take() }))
    )
  }
}, Effect.scoped)

const until = <E, R>(ready: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    while (!(yield* ready)) yield* Effect.sleep(20)
  })

const inForce = Effect.gen(function* () {
  const log = yield* Log
  const shards = (yield* log.shards).filter(({ uid }) => uid === job.name)
  return yield* Effect.forEach(shards, log.inForce)
})
/** So many records of the topic are in committed epochs. */
const committed = (records: number) =>
  Effect.map(inForce, (all) => all.reduce((sum, record) => sum + (record?.positions[0]?.offset ?? 0), 0) >= records)

const maxOf = (values: ReadonlyArray<number>) => values.reduce((most, value) => Math.max(most, value), 0)

const measure = Effect.fnUntraced(function* (keys: number) {
  let measured: Array<Measured> = []
  let fencedAt = 0
  let restoredAt = 0
  const log = yield* Log
  const timedLog = {
    ...log,
    fence: (...taken: Parameters<typeof log.fence>) => {
      fencedAt = performance.now()
      return log.fence(...taken)
    }
  }
  const start = (checkpointEveryMs: number) =>
    Job.run(job, { checkpointEveryMs, observer: { started: () => void (restoredAt = performance.now()) } }).pipe(
      Effect.provideService(Log, timedLog),
      Effect.provideService(MeasureKeeper, (one) => Effect.sync(() => void measured.push(one))),
      Effect.forkChild
    )
  const bytesOf = (kind: "base" | "increment") =>
    measured.reduce((sum, one) => (one.measure === kind ? sum + one.value : sum), 0)
  const partsWritten = (kind: "base" | "increment") => measured.filter((one) => one.measure === kind).length
  const pauseMs = () =>
    Math.round(1000 * maxOf(measured.filter(({ measure }) => measure === "pause").map((one) => one.value)))

  yield* append(0, keys)
  let appended = keys
  const changing = keys / 100
  const task = yield* start(1_000)
  yield* until(committed(keys))
  // the first snapshots began when only some of the keys were there
  yield* Effect.sleep(4_000)
  yield* Fiber.interrupt(task)
  // after a restart comes a base of all keys, begun behind the first epoch, while records flow
  measured = []
  const again = yield* start(1_000)
  const flowing = yield* Effect.forkChild(
    Effect.forever(
      Effect.gen(function* () {
        yield* append(0, changing)
        appended += changing
        yield* Effect.sleep(100)
      })
    )
  )
  yield* until(Effect.sync(() => partsWritten("base") >= Event.partitions))
  const basePauseMs = pauseMs()
  const baseBytes = bytesOf("base")
  yield* until(Effect.sync(() => partsWritten("increment") >= 2 * Event.partitions))
  yield* Fiber.interrupt(flowing)
  const incrementBytes = bytesOf("increment") / (partsWritten("increment") / Event.partitions)
  const snapshotPauseMs = pauseMs()
  yield* until(committed(appended))
  yield* Effect.sleep(2_000)
  yield* Fiber.interrupt(again)
  const restores: Array<number> = []
  for (let run = 0; run < 3; run++) {
    restoredAt = 0
    const restored = yield* start(3_600_000)
    yield* until(Effect.sync(() => restoredAt > 0))
    restores.push(Math.round(restoredAt - fencedAt))
    yield* Fiber.interrupt(restored)
  }
  restores.sort((a, b) => a - b)
  return {
    snapshotPauseMs,
    basePauseMs,
    restoreMs: restores[1]!,
    baseBytes,
    incrementPercent: Math.round((10_000 * incrementBytes) / baseBytes) / 100
  }
})

const [root = "", keys = "1000000"] = process.argv.slice(2)
const services = Layer.mergeAll(
  EmbeddedLog.layer({ file: join(root, "log.db") }),
  CheckpointStore.layer(`file://${root}/checkpoints/`).pipe(Layer.provide(layerLocal(root))),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
  Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
)
const costs = await Effect.runPromise(measure(Number(keys)).pipe(Effect.provide(services)))
process.stdout.write(`${JSON.stringify(costs)}\n`)
