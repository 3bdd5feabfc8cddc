/**
 * From `kill -9` to the first new output, with a million keys of state: the real job in a process of its own.
 *
 * Beside it, of a running task with so many keys in windows, `support/SnapshotCosts.ts`: how long snapshots keep it from its
 * records, how long a restore takes, and what increments have of the base's bytes.
 *
 * usage: bun bench/src/recovery.ts [ignored] [keys] [kafka]. With `kafka` the log is on a broker of its own, started by the
 * scripts in `FRAZIL_INFRA`. The child counts records per account; the parent kills it once all
 * keys are in a snapshot, appends more records, starts it again and waits for their outputs. Prints one JSON object.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, kafkaLogLayer } from "@frazil/connect"
import { Field, layerLocal, makeRecordBuilder, partitionOf, Timestamp, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Flow, Job, Log } from "@frazil/engine"
import { DeadLetters, makeDeadLetter } from "@frazil/model"
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect, Layer, Schema } from "effect"

const Event = Topic.make("events", {
  schema: Schema.Struct({ account: Field.text(), at: Field.timestamp }),
  key: "account",
  eventTime: "at"
})
const Count = Topic.make("counts", {
  schema: Schema.Struct({ account: Field.text(), count: Field.int() }),
  key: "account"
})
const counting = { name: "counts", schema: Schema.Finite, initial: () => 0, ttl: "30 days" } as const
const job = Job.make("recovery", [
  Flow.from(Event).pipe(
    Flow.keyBy("account"),
    Flow.mapWithState(counting, (count, { account }) => [count + 1, [{ account, count: count + 1 }]] as const),
    Flow.to(Count)
  )
])

const onKafka = process.argv[4] === "kafka"
const kafka = sharedKafka(19_792)

const servicesOf = (root: string) =>
  Layer.mergeAll(
    onKafka ? kafkaLogLayer({ brokers: [kafka.broker] }) : EmbeddedLog.layer({ file: join(root, "log.db") }),
    CheckpointStore.layer(`file://${root}/checkpoints/`).pipe(Layer.provide(layerLocal(root))),
    Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
  )

const runChild = (root: string) =>
  Effect.runPromise(Job.run(job, { checkpointEveryMs: 500 }).pipe(Effect.provide(servicesOf(root))))

const startMs = Date.UTC(2026, 0, 14)
const groupRecords = 20_000

/** Appends a record for each of `count` accounts. */
const append = Effect.fnUntraced(function* (count: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: Event.name, partitions: Event.partitions })
  const producer = yield* log.producer("bench")
  for (let from = 0; from < count; from += groupRecords) {
    const builders = Array.from({ length: Event.partitions }, () => makeRecordBuilder())
    for (let i = from; i < Math.min(count, from + groupRecords); i++) {
      const account = `ACC${String(i).padStart(8, "0")}`
      const at = Timestamp.format(Timestamp.make(startMs + i))
      builders[partitionOf(account, Event.partitions)]?.addText(`{"account":"${account}","at":"${at}"}`, account)
    }
    yield* producer.append(
      producer.nextSequence,
      builders.map((builder, partition) => ({ topic: Event.name, partition, records: builder.take() }))
    )
  }
}, Effect.scoped)

/** Waits until `ready` says so. */
const until = <E, R>(ready: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    while (!(yield* ready)) yield* Effect.sleep(5)
  })

const outputs = Effect.gen(function* () {
  const log = yield* Log
  return (yield* log.bounds(Count.name)).reduce((sum, { end }) => sum + end, 0)
})

/** Every shard's newest snapshot holds all that was read so far. */
const allNamed = Effect.gen(function* () {
  const log = yield* Log
  const shards = (yield* log.shards).filter(({ uid }) => uid === job.name)
  const records = yield* Effect.forEach(shards, log.inForce)
  return (
    records.length > 0 &&
    records.every((record) => record !== undefined && record.epoch - (record.snapshots[0]?.epoch ?? 0) <= 1)
  )
})

const start = (root: string) => {
  const args = [import.meta.filename, "child", root, ...(onKafka ? ["kafka"] : [])]
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "inherit", "inherit"]
  })
  return { child, gone: new Promise<void>((done) => child.once("exit", () => done())) }
}

const measure = Effect.fnUntraced(function* (root: string, keys: number) {
  yield* append(keys)
  const first = start(root)
  yield* until(Effect.map(outputs, (count) => count >= keys).pipe(Effect.orElseSucceed(() => false)))
  // one more record each while snapshots are taken, so that the last ones name everything
  yield* append(1)
  yield* until(allNamed)
  first.child.kill("SIGKILL")
  yield* Effect.promise(() => first.gone)
  const before = yield* outputs
  yield* append(1000)
  const startedAt = performance.now()
  const second = start(root)
  yield* until(Effect.map(outputs, (count) => count > before))
  const recoveryMs = Math.round(performance.now() - startedAt)
  second.child.kill("SIGKILL")
  yield* Effect.promise(() => second.gone)
  return { w: onKafka ? "recovery through Kafka" : "recovery", keys, recoveryMs }
})

/** In a process of its own, whose memory nothing else fills. */
const snapshotCosts = async (root: string, keys: number): Promise<Readonly<Record<string, number>>> => {
  const file = join(import.meta.dirname, "support", "SnapshotCosts.ts")
  const child = spawn(process.execPath, [file, root, String(keys)], { stdio: ["ignore", "pipe", "inherit"] })
  let text = ""
  for await (const bytes of child.stdout) text += String(bytes)
  return JSON.parse(text) as Readonly<Record<string, number>> // printed by that file
}

if (process.argv[2] === "child") await runChild(process.argv[3] ?? "")
else {
  const root = await mkdtemp(join(tmpdir(), "frazil-recovery-"))
  const keys = Number(process.argv[3] ?? 1_000_000)
  if (onKafka) await kafka.start()
  try {
    const result = await Effect.runPromise(measure(root, keys).pipe(Effect.provide(servicesOf(root))))
    const costs = onKafka ? {} : await snapshotCosts(await mkdtemp(join(root, "windows-")), keys)
    process.stdout.write(`${JSON.stringify({ ...result, ...costs })}\n`)
  } finally {
    if (onKafka) await kafka.stop()
    await rm(root, { recursive: true, force: true })
  }
}
