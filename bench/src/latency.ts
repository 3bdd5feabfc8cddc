/**
 * From a record's append to its committed output, at 50,000 records a second through the embedded log, epochs of 200 ms.
 *
 * usage: bun bench/src/latency.ts [ignored] [seconds] [rate] [jobs]. Three processes on one log, as a user would have them: a
 * producer that appends every 10 ms, W1's job (five rules, three branches, outputs written; as often as `jobs` says, each with
 * topics of its own), and this one, which follows the routes. Each record carries when it was due, so its time counts a producer
 * that comes late, the append's own sync, the job's waiting for it, the epoch, and the epoch's commit; until the reader has it,
 * and until the log's own timestamp of it. All that was sent is followed to its end, and the rate that was reached is told.
 * Prints one JSON object, with the processes' CPU in per cent of one core.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { expr, layerLocal, makeRecordBuilder, partitionOf, type RecordBatch, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Flow, Job, Log } from "@frazil/engine"
import { DeadLetters, makeDeadLetter, RawTransaction, RawTransactions } from "@frazil/model"
import { makeTransactions } from "@frazil/sim"
import { Clock, Effect, Fiber, Layer } from "effect"
import { cpuSeconds } from "./support/Measure.ts"
import { routes, rules } from "./workload/Transactions.ts"

const epochMs = 200
const tickMs = 10
/** Programs are compiled and running by then. */
const warmUpMs = 8_000
const limits = { recordsMax: 10_000, bytesMax: 16 * 1024 * 1024 }
const templates = 20_000
/** One output in so many is looked at. */
const sampledOneIn = 7
/** `"device_id":"` is followed by as many characters: a mark and milliseconds. */
const markBytes = 14

/** Of one of the jobs, from 0. */
const outputName = (name: string, job: number) => `${name}-${job}`

/** W1's: each record to one of three branches, and to the topic of each rule that holds. */
const makeJob = (number: number) => {
  const output = (name: string) =>
    Topic.make(outputName(name, number), { schema: RawTransaction, key: undefined, partitions: 1 })
  const transactions = Flow.from(RawTransactions)
  const { clean, high, review } = transactions.pipe(
    Flow.route({
      high: expr(`${rules[0]} || (${rules[3]})`),
      review: expr(`${rules[1]} || ${rules[2]} || ${rules[4]}`),
      clean: Flow.otherwise
    })
  )
  return Job.make(`latency-${number}`, [
    high.pipe(Flow.to(output("high"))),
    review.pipe(Flow.to(output("review"))),
    clean.pipe(Flow.to(output("clean"))),
    ...rules.map((rule, index) => transactions.pipe(Flow.filter(expr(rule)), Flow.to(output(`r${index + 1}`))))
  ])
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index)
/** What is followed: the three branches of every job. */
const branchesOf = (jobs: number) => range(jobs).flatMap((job) => routes.map((name) => outputName(name, job)))

const logOf = (root: string, pollMs?: number) =>
  EmbeddedLog.layer({ file: join(root, "log.db"), ...(pollMs === undefined ? {} : { pollMs }) })

/** Runs until it is told to stop; prints what it cost once it was warm, and what `more` tells. */
const runUntilStopped = async (program: Effect.Effect<unknown, unknown>, more: () => object = () => ({})) => {
  const fiber = Effect.runFork(program)
  let warmCpu = 0
  let warmAt = performance.now()
  setTimeout(() => {
    warmCpu = cpuSeconds()
    warmAt = performance.now()
  }, warmUpMs)
  process.once("SIGINT", () => {
    const cpuPercent = Math.round((100_000 * (cpuSeconds() - warmCpu)) / (performance.now() - warmAt))
    const rssMb = Math.round(process.memoryUsage().rss / 1e6)
    void Effect.runPromise(Fiber.interrupt(fiber)).then(() => {
      process.stdout.write(JSON.stringify({ cpuPercent, rssMb, ...more() }), () => process.exit(0))
    })
  })
  await Effect.runPromise(Fiber.await(fiber))
}

const encoder = new TextEncoder()
const marker = encoder.encode('"device_id":"')

/** Records of the generator with room for their mark, and the partition that their key picks. */
const makeTemplates = () => {
  const generator = makeTransactions({ seed: 42 })
  const made: Array<{
    readonly bytes: Uint8Array
    readonly at: number
    readonly key: Uint8Array
    readonly partition: number
  }> = []
  for (let index = 0; made.length < templates; index++) {
    const record = generator.next(1_768_434_300_000 + index)
    const bytes = record.bytes.slice(0, record.length)
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(marker)
    const at = found + marker.length
    if (found < 0 || record.account < 0 || bytes[at + markBytes] !== 0x22) continue
    const account = generator.accounts[record.account]!.id
    made.push({
      bytes,
      at,
      key: encoder.encode(account),
      partition: partitionOf(account, RawTransactions.partitions)
    })
  }
  return made
}

interface Sent {
  records: number
  withinMs: number
}

const produce = Effect.fnUntraced(function* (rate: number, told: Sent) {
  const log = yield* Log
  yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
  const producer = yield* log.producer("latency")
  const records = makeTemplates()
  const builders = Array.from({ length: RawTransactions.partitions }, () => makeRecordBuilder())
  const startedAt = yield* Clock.currentTimeMillis
  let sent = 0
  let markedAt = Number.NaN
  let mark = encoder.encode("")
  while (true) {
    const now = yield* Clock.currentTimeMillis
    const due = Math.floor(((now - startedAt) * rate) / 1000)
    for (; sent < due; sent++) {
      const { at, bytes, key, partition } = records[sent % records.length]!
      // of when it was due: a producer that stands still makes all that it sends late
      const dueAt = startedAt + Math.floor((sent * 1000) / rate)
      if (dueAt !== markedAt) mark = encoder.encode(`t${(markedAt = dueAt)}`)
      bytes.set(mark, at)
      builders[partition]!.add(bytes, key)
    }
    const batches = builders.flatMap((builder, partition) =>
      builder.length() === 0 ? [] : [{ topic: RawTransactions.name, partition, records: builder.take() }]
    )
    if (batches.length > 0) yield* producer.append(producer.nextSequence, batches)
    told.records = sent
    told.withinMs = now - startedAt
    const left = tickMs - ((yield* Clock.currentTimeMillis) - now)
    yield* left > 0 ? Effect.sleep(left) : Effect.yieldNow
  }
}, Effect.scoped)

const jobServices = (root: string) =>
  Layer.mergeAll(
    logOf(root),
    CheckpointStore.layer(`file://${root}/checkpoints/`).pipe(Layer.provide(layerLocal(root))),
    Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
  )

const follow = (topics: ReadonlyArray<string>, seenMs: Array<number>, loggedMs: Array<number>, fromMs: number) => {
  const next = topics.map(() => 0)
  let records = 0
  const take = (batch: RecordBatch, now: number) => {
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length)
    for (let row = 0; row < batch.length; row++, records++) {
      if (records % sampledOneIn !== 0) continue
      const at = bytes.indexOf(marker, batch.valueStarts[row]!) + marker.length + 1
      const sentAt = Number(bytes.toString("latin1", at, at + markBytes - 1))
      if (sentAt < fromMs) continue
      seenMs.push(now - sentAt)
      loggedMs.push(batch.timestamps[row]! - sentAt)
    }
  }
  const round = Effect.gen(function* () {
    const log = yield* Log
    for (const [branch, topic] of topics.entries()) {
      for (;;) {
        const batch = yield* log.read(topic, 0, next[branch]!, limits)
        if (batch.length === 0) break
        take(batch, yield* Clock.currentTimeMillis)
        next[branch] = batch.next
      }
    }
  })
  return { round, records: () => records }
}

const summaryOf = (values: ReadonlyArray<number>) => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null
  return { records: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? null }
}

const start = (role: string, root: string, count: number) => {
  const child = spawn(process.execPath, [import.meta.filename, role, root, String(count)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let text = ""
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()))
  return { child, ended: new Promise<string>((done) => child.once("close", () => done(text))) }
}

const stop = async ({ child, ended }: { readonly child: ChildProcess; readonly ended: Promise<string> }) => {
  child.kill("SIGINT")
  // written by `runUntilStopped`; only the producer tells what it sent
  return JSON.parse(await ended) as { readonly cpuPercent: number; readonly rssMb: number } & Readonly<Sent>
}

/** Whoever is later than this never comes. */
const tailMsMax = 10_000

const measure = Effect.fnUntraced(function* (root: string, seconds: number, rate: number, jobs: number) {
  const log = yield* Log
  const running = start("jobs", root, jobs)
  const topics = branchesOf(jobs)
  const ready = Effect.forEach(topics, (topic) => log.topic(topic))
  yield* ready.pipe(Effect.retry({ while: ({ reason }) => reason === "TopicMissing" }))
  const producer = start("producer", root, rate)
  const startedAt = yield* Clock.currentTimeMillis
  const seen: Array<number> = []
  const logged: Array<number> = []
  const { records, round } = follow(topics, seen, logged, startedAt + warmUpMs)
  const followUntil = Effect.fnUntraced(function* (endMs: number, sent = Number.POSITIVE_INFINITY) {
    while (records() < sent && (yield* Clock.currentTimeMillis) < endMs) {
      yield* round
      yield* log.awaitAppend(5)
    }
  })
  yield* followUntil(startedAt + warmUpMs + seconds * 1000)
  const produced = yield* Effect.promise(() => stop(producer))
  const sent = produced.records * jobs
  yield* followUntil((yield* Clock.currentTimeMillis) + tailMsMax, sent)
  const seenMs = summaryOf(seen)
  const achieved = (produced.records * 1000) / produced.withinMs
  const ran = yield* Effect.promise(() => stop(running))
  const { size } = yield* Effect.promise(() => stat(join(root, "log.db")))
  return {
    w: "latency",
    seconds,
    rate,
    jobs,
    tasks: jobs * RawTransactions.partitions,
    epochMs,
    outputs: records(),
    // what was being sent when the producer was told to stop may come besides
    unseen: Math.max(0, sent - records()),
    achievedPerSecond: Math.round(achieved),
    shortPercent: Number(Math.max(0, 100 - (100 * achieved) / rate).toFixed(2)),
    seenMs,
    loggedMs: summaryOf(logged),
    jobCpuPercent: ran.cpuPercent,
    producerCpuPercent: produced.cpuPercent,
    jobCpuMicrosPerEvent: Number(((ran.cpuPercent * 1e4) / (rate * jobs)).toFixed(2)),
    jobRssMb: ran.rssMb,
    logMb: Math.round(size / 1e6),
    p99Ms: seenMs.p99
  }
})

const [, , role = "", second = "", third = "", fourth = ""] = process.argv
if (role === "producer") {
  const sent: Sent = { records: 0, withinMs: 0 }
  await runUntilStopped(produce(Number(third), sent).pipe(Effect.provide(logOf(second))), () => sent)
} else if (role === "jobs") {
  const all = Effect.forEach(range(Number(third)), (number) => Job.run(makeJob(number), { epochMs }), {
    concurrency: "unbounded"
  })
  await runUntilStopped(all.pipe(Effect.provide(jobServices(second))))
} else {
  const root = await mkdtemp(join(tmpdir(), "frazil-latency-"))
  const program = measure(root, Number(second || 30), Number(third || 50_000), Number(fourth || 1)).pipe(
    Effect.provide(logOf(root, 2))
  )
  process.stdout.write(`${JSON.stringify(await Effect.runPromise(program))}\n`)
  await rm(root, { recursive: true, force: true })
}
