/**
 * The job whose snapshots and restores are measured: amounts of a million accounts in windows of 30 days, its records and its
 * services below a folder. `SnapshotCosts.ts` runs it, and `RestoreOnce.ts` in a process that does nothing else.
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
  min,
  sum,
  Window
} from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Fiber, Layer, Schema } from "effect"

export const Event = Topic.make("amounts", {
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
export const append = Effect.fnUntraced(function* (from: number, to: number) {
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

export const until = <E, R>(ready: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    while (!(yield* ready)) yield* Effect.sleep(20)
  })

export const start = (checkpointEveryMs: number) => Effect.forkChild(Job.run(job, { checkpointEveryMs }))

/** Milliseconds from fencing to the restored state; the task is ended then. */
export const restore = Effect.gen(function* () {
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
  const observer = { started: () => void (restoredAt = performance.now()) }
  const task = yield* Job.run(job, { checkpointEveryMs: 3_600_000, observer }).pipe(
    Effect.provideService(Log, timedLog),
    Effect.forkChild
  )
  yield* until(Effect.sync(() => restoredAt > 0))
  yield* Fiber.interrupt(task)
  return Math.round(restoredAt - fencedAt)
})

export const servicesOf = (root: string) =>
  Layer.mergeAll(
    EmbeddedLog.layer({ file: join(root, "log.db") }),
    CheckpointStore.layer(`file://${root}/checkpoints/`).pipe(Layer.provide(layerLocal(root))),
    Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
    Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
  )
