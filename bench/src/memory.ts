/**
 * Whether memory grows: the pipeline's transactions flow at full speed, for minutes or an hour.
 *
 * usage: bun bench/src/memory.ts [ignored] [minutes, 2]. `apps/pipeline` runs in a process of its own: rules, windows, alerts,
 * checkpoints, log retention, landings. This process fills its topic as fast as the job reads, with event times of a
 * thousand events a second, so that windows open and close all the time. Data files that landed are removed after a while,
 * that the disk is bounded: nobody asks for them here. Samples the process every second, and judges the last third against
 * the second: what grows in between grows for ever. Then nothing comes for a while, and memory is looked at again: what was only
 * needed at full speed is given back. Prints one JSON object; the figures by thirds.
 */
import { spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, stat, unlink } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { makeRecordBuilder, partitionOf } from "@frazil/core"
import { Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, logLayer } from "@frazil/platform"
import { makeTransactions } from "@frazil/sim"
import { Clock, Effect } from "effect"

const minutes = Number(process.argv[3] ?? 2)
/** Not counted until programs are compiled, and as many records came that windows have closed and most accounts have state. */
const warmUpMs = 20_000
const warmUpRecords = 2_000_000
const warmUpMsMax = 600_000
const sampleEveryMs = 1_000
const groupRecords = 4_000
const aheadRecordsMax = 100_000
/** A landing stands still between its commits, 10 s by default: no less than what is read meanwhile at full speed. */
const aheadOfLandingMax = 2_000_000
const fileAgeMsMax = 60_000
/** Longer than log retention, what landings wait for, and the time after which an allocator gives back pages. */
const restMs = 60_000
const startMs = 1_768_434_300_000

const topic = RawTransactions.name
const root = await mkdtemp(join(tmpdir(), "frazil-memory-"))
const directory = dataDirectory(join(root, "data"))

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

interface Sample {
  readonly rssMb: number
  readonly heapMb: number
  readonly externalMb: number
  readonly openFiles: number
  readonly logMb: number
}

const sizeOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0
  )

/** Undefined until the gateway answers. */
const sampleOf = async (pid: number, port: number): Promise<Sample | undefined> => {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
  if (answer?.ok !== true) return undefined
  const text = await answer.text()
  const megabytes = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]) / 1e6
  const log = join(directory.root, "log.db")
  return {
    rssMb: megabytes("process_resident_memory_bytes"),
    heapMb: megabytes("process_heap_bytes"),
    externalMb: megabytes("process_external_memory_bytes"),
    // where there is no such folder nothing is counted
    openFiles: await readdir(`/proc/${pid}/fd`).then(
      (names) => names.length,
      () => 0
    ),
    logMb: ((await sizeOf(log)) + (await sizeOf(`${log}-wal`))) / 1e6
  }
}

const removeOldDataFiles = async (nowMs: number) => {
  const warehouse = join(directory.root, "warehouse")
  const names = await readdir(warehouse, { recursive: true }).catch(() => [])
  for (const name of names) {
    if (!name.endsWith(".parquet")) continue
    const path = join(warehouse, name)
    const { mtimeMs } = await stat(path)
    if (nowMs - mtimeMs > fileAgeMsMax) await unlink(path)
  }
}

/** How far the readers of the topic are: jobs by the slowest of their stages, landings by themselves. */
const positions = Effect.gen(function* () {
  const log = yield* Log
  const readers = new Map<string, number>()
  for (const shard of yield* log.shards) {
    const own = ((yield* log.inForce(shard))?.positions ?? []).filter((position) => position.topic === topic)
    const name = shard.stage === "landing" ? "landing" : `${shard.uid}/${shard.stage}`
    readers.set(name, (readers.get(name) ?? 0) + own.reduce((sum, { offset }) => sum + offset, 0))
  }
  const landing = readers.get("landing") ?? 0
  readers.delete("landing")
  const jobs = [...readers.values()].filter((read) => read > 0)
  return { landing, job: jobs.length === 0 ? 0 : Math.min(...jobs) }
})

/** Fills the topic as fast as it is read; the number of records is told to `sent`. */
const feed = Effect.fnUntraced(function* (sent: (records: number) => void) {
  const log = yield* Log
  yield* log.ensureTopic({ name: topic, partitions: RawTransactions.partitions })
  const producer = yield* log.producer("memory")
  const generator = makeTransactions({ seed: 42 })
  const encoder = new TextEncoder()
  const accounts = generator.accounts.map(({ id }) => ({
    key: encoder.encode(id),
    partition: partitionOf(id, RawTransactions.partitions)
  }))
  const builders = Array.from({ length: RawTransactions.partitions }, () => makeRecordBuilder())
  for (let records = 0; ;) {
    const { job, landing } = yield* positions
    if (records - job > aheadRecordsMax || records - landing > aheadOfLandingMax) {
      yield* Effect.sleep(5)
      continue
    }
    for (let i = 0; i < groupRecords; i++) {
      const record = generator.next(startMs + records++)
      const account = accounts[record.account]
      builders[account?.partition ?? 0]!.add(record.bytes.subarray(0, record.length), account?.key ?? null)
    }
    const batches = builders.map((builder, partition) => ({ topic, partition, records: builder.take() }))
    yield* producer.append(producer.nextSequence, batches)
    sent(records)
  }
}, Effect.scoped)

const meanOf = (samples: ReadonlyArray<Sample>, field: keyof Sample) =>
  samples.reduce((sum, sample) => sum + sample[field], 0) / samples.length

const port = await freePort()
const main = resolve(import.meta.dirname, "../../apps/pipeline/src/main.ts")
const summaryFile = join(root, "summary.json")
const args = ["--jobs", "transactions", "--no-generator", "--log-retention", "10s", "--port", String(port)]
const child = spawn(
  process.execPath,
  [main, "--data", directory.root, ...args, "--lake-commit-every", "10s", "--summary", summaryFile],
  { stdio: ["ignore", "ignore", "inherit"] }
)
const exited = new Promise<void>((done) => child.once("exit", () => done()))

const samples: Array<Sample> = []
const sampling = Effect.fnUntraced(function* (sent: () => number) {
  const beganAt = yield* Clock.currentTimeMillis
  let warmAt = Number.POSITIVE_INFINITY
  let warmRecords = 0
  for (let at = beganAt; at - warmAt < minutes * 60_000; at = yield* Clock.currentTimeMillis) {
    const sample = yield* Effect.promise(() => sampleOf(child.pid ?? 0, port))
    const passedMs = at - beganAt
    const warm = (passedMs >= warmUpMs && sent() >= warmUpRecords) || passedMs >= warmUpMsMax
    if (warm && sample !== undefined) {
      if (samples.length === 0) [warmAt, warmRecords] = [at, sent()]
      samples.push(sample)
    }
    yield* Effect.promise(() => removeOldDataFiles(at))
    yield* Effect.sleep(sampleEveryMs)
  }
  const elapsedMs = (yield* Clock.currentTimeMillis) - warmAt
  return Math.round(((sent() - warmRecords) / elapsedMs) * 1000)
})

const program = Effect.gen(function* () {
  let records = 0
  const sampled = sampling(() => records)
  const eventsPerSecond = yield* Effect.raceFirst(
    sampled,
    Effect.andThen(
      feed((sent) => (records = sent)),
      Effect.never
    )
  )
  const third = Math.floor(samples.length / 3)
  const thirds = [0, 1, 2].map((part) => samples.slice(part * third, (part + 1) * third))
  const of = (field: keyof Sample) => thirds.map((part) => Math.round(meanOf(part, field)))
  const growth = (field: keyof Sample) =>
    Number((100 * (meanOf(thirds[2]!, field) / meanOf(thirds[1]!, field) - 1)).toFixed(1))
  yield* Effect.sleep(restMs)
  const rested = yield* Effect.promise(() => sampleOf(child.pid ?? 0, port))
  return {
    w: "memory",
    minutes,
    records,
    warmAfterRecords: warmUpRecords,
    eventsPerSecond,
    rssMb: of("rssMb"),
    heapMb: of("heapMb"),
    externalMb: of("externalMb"),
    openFiles: of("openFiles"),
    logMb: of("logMb"),
    restedRssMb: rested === undefined ? null : Math.round(rested.rssMb),
    rssMbMax: Math.round(Math.max(...samples.map(({ rssMb }) => rssMb))),
    rssGrowthPercent: growth("rssMb"),
    heapGrowthPercent: growth("heapMb"),
    openFilesGrowthPercent: growth("openFiles"),
    logGrowthPercent: growth("logMb")
  }
})

try {
  const result = await Effect.runPromise(program.pipe(Effect.provide(logLayer(directory))))
  child.kill("SIGINT")
  await exited
  const summary = JSON.parse(await readFile(summaryFile, "utf8")) as Readonly<Record<string, unknown>> // the pipeline's own
  process.stdout.write(`${JSON.stringify({ ...result, cpuSeconds: summary["cpu_seconds"] })}\n`)
} finally {
  child.kill("SIGKILL")
  await exited
  await rm(root, { recursive: true, force: true })
}
