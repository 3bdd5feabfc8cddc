/**
 * W2 over four partitions on one thread and on two: a file as source for each partition, or through a log.
 *
 * usage: bun bench/src/threads.ts [--events N] [--repeat N] [--through file|log|kafka] …. Prints one JSON object: for each
 * source, on one thread and on two, seconds of the job once all threads have loaded their programs, the same had all of it
 * been as its steady part was, seconds of the whole process, CPU and memory; and what the first are in ratio. Medians of runs
 * that take turns, each a process of its own. Over a file where no source is named; Kafka is a broker of its own, by the
 * scripts in `FRAZIL_INFRA`.
 */
import { spawnSync } from "node:child_process"
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { Job, Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { makeThreads, spawnWorker } from "@frazil/platform"
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect } from "effect"
import { generateFile } from "./support/GenerateFile.ts"
import { measureProcess, median } from "./support/Measure.ts"
import {
  allReady,
  kafkaPort,
  makeSteady,
  partitionFile,
  partitions,
  runWork,
  steadySeconds,
  type ThreadFound,
  type ThreadRun,
  threadSeconds,
  type Through,
  throughLog
} from "./support/ThreadWork.ts"
import { numberOf } from "./support/Words.ts"
import { textOf } from "./workload/Rows.ts"

const lineFeed = Uint8Array.of(10)

/** So that most of a run is what comes once two threads' code is compiled, which takes more of two cores than of one. */
const eventsEnough = 12_000_000

interface RunAnswer {
  readonly in: number
  readonly late: number
  readonly rows_sha256: string
  /** From the moment that every thread has loaded its program until the job has ended on all of them. */
  readonly jobSeconds: number
  /** The same, had all of it been as its steady part was. */
  readonly steadySeconds: number
  /** CPU of the busiest thread that runs the job: what the wall clock would say on a machine with nothing else to do. */
  readonly busiestSeconds: number
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly rssPeakMb: number
}

const feed = (file: string) =>
  Effect.gen(function* () {
    const log = yield* Log
    yield* log.ensureTopic({ name: RawTransactions.name, partitions })
    yield* feedFile({ file, topic: RawTransactions.name, keys: KeyScanner.make(RawTransactions), owner: "bench" })
    const bounds = yield* log.bounds(RawTransactions.name)
    return { log, bounds, records: bounds.reduce((records, { end, start }) => records + end - start, 0) }
  })

/** The file's records in the embedded log, and each partition of it as a file; how many there are. */
const prepare = (file: string, folder: string) =>
  Effect.gen(function* () {
    const { bounds, log, records } = yield* feed(file)
    for (const { end, partition } of bounds) {
      const descriptor = openSync(partitionFile(folder, partition), "w")
      for (let offset = 0; offset < end;) {
        const batch = yield* log.read(RawTransactions.name, partition, offset, {
          recordsMax: 5000,
          bytesMax: 1_048_576
        })
        const lines = Array.from({ length: batch.length }, (_, row) => [
          batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]),
          lineFeed
        ])
        writeSync(descriptor, Buffer.concat(lines.flat()))
        offset = batch.next
      }
      closeSync(descriptor)
    }
    return records
  }).pipe(Effect.provide(throughLog("log", join(folder, "fed.db"))))

/** One run in this process; threads of their own where there are several. */
const runOnce = async (run: ThreadRun, threads: number) => {
  let startedAt = performance.now()
  const loaded = threadSeconds()
  const steady = makeSteady()
  const ready = new Int32Array(new SharedArrayBuffer(4))
  const monitor = Job.monitor()
  let status = monitor.status
  let rows: ReadonlyArray<string>
  let busiestSeconds: number
  if (threads === 1) {
    rows = await Effect.runPromise(runWork(run, steady, { observer: monitor }))
    busiestSeconds = threadSeconds() - loaded
  } else {
    const running = makeThreads({
      spawn: spawnWorker(new URL("support/ThreadWorker.ts", import.meta.url), {
        ...run,
        threads,
        ready,
        steady
      }),
      threads,
      threadsMax: () => threads,
      jobs: [run.job],
      input: { topics: [RawTransactions.name], isComplete: () => true },
      client: undefined,
      jobEnded: () => {},
      say: (line) => process.stderr.write(`${line}\n`)
    })
    const begun = Effect.map(allReady(ready, threads), () => (startedAt = performance.now()))
    await Effect.runPromise(Effect.all([running.run, begun], { concurrency: "unbounded" }))
    status = running.status
    const found = Array.from(
      { length: threads },
      (_, index) => JSON.parse(readFileSync(join(run.folder, `rows-${index}.json`), "utf8")) as ThreadFound // the worker's
    )
    rows = found.flatMap((each) => each.rows)
    busiestSeconds = Math.max(...found.map((each) => each.seconds))
  }
  const jobSeconds = Number(((performance.now() - startedAt) / 1000).toFixed(3))
  const [stage] = status()
  const answer = {
    in: stage?.in ?? 0,
    late: stage?.late ?? 0,
    rows_sha256: textOf(rows).sha256,
    jobSeconds,
    steadySeconds: steadySeconds(steady),
    busiestSeconds
  }
  process.stdout.write(`${JSON.stringify({ ...answer, ...measureProcess(answer.in) })}\n`)
}

type Figure = "jobSeconds" | "steadySeconds" | "busiestSeconds" | "wallSeconds" | "cpuSeconds" | "rssPeakMb"

/** Runs in turns; fails when their answers differ. */
const compare = (through: Through, folder: string, records: number, repeat: number) => {
  const runs: Record<1 | 2, Array<RunAnswer>> = { 1: [], 2: [] }
  for (let turn = 0; turn < repeat; turn++) {
    for (const threads of [1, 2] as const) {
      if (through === "log") for (const more of ["-wal", "-shm"]) rmSync(join(folder, `log.db${more}`), { force: true })
      if (through === "log") copyFileSync(join(folder, "fed.db"), join(folder, "log.db"))
      const args = [
        import.meta.filename,
        "run",
        through,
        String(threads),
        folder,
        `w2-${threads}-${turn}`,
        String(records)
      ]
      const child = spawnSync(process.execPath, args, { encoding: "utf8" })
      if (child.status !== 0) throw new Error(child.stderr)
      runs[threads].push(JSON.parse(child.stdout) as RunAnswer) // printed by `runOnce`
    }
  }
  const answers = new Set([...runs[1], ...runs[2]].map((run) => `${run.in} ${run.late} ${run.rows_sha256}`))
  if (answers.size !== 1) throw new Error(`answers differ: ${[...answers].join("; ")}`)
  const of = (threads: 1 | 2, field: Figure) => median(runs[threads].map((run) => run[field]))
  const ratio = (field: Figure) => Number((of(1, field) / of(2, field)).toFixed(2))
  const figures = (threads: 1 | 2) => ({
    wall: of(threads, "wallSeconds"),
    job: of(threads, "jobSeconds"),
    steady: of(threads, "steadySeconds"),
    busiest: of(threads, "busiestSeconds"),
    cpu: of(threads, "cpuSeconds"),
    rss: of(threads, "rssPeakMb")
  })
  return {
    n: runs[1][0]!.in,
    rows_sha256: runs[1][0]!.rows_sha256,
    one: figures(1),
    two: figures(2),
    ratio: ratio("wallSeconds"),
    jobRatio: ratio("jobSeconds"),
    steadyRatio: ratio("steadySeconds"),
    busiestRatio: ratio("busiestSeconds")
  }
}

/** Sources by name, as `--through` gives them. */
const asked = (words: ReadonlyArray<string>): ReadonlyArray<Through> => {
  const named = words.flatMap((word, at) => (words[at - 1] === "--through" ? [word] : []))
  const known = (["file", "log", "kafka"] as const).filter((each) => named.includes(each))
  if (known.length < new Set(named).size) throw new Error(`--through takes file, log or kafka, found ${named.join()}`)
  return known.length === 0 ? ["file"] : known
}

const compareAll = async (words: ReadonlyArray<string>) => {
  const repeat = numberOf("--repeat", 5)
  const sources = asked(words)
  const folder = mkdtempSync(join(tmpdir(), "frazil-threads-"))
  const file = join(folder, "transactions.ndjson")
  generateFile(file, numberOf("--events", eventsEnough))
  const kafka = sources.includes("kafka") ? sharedKafka(kafkaPort) : undefined
  try {
    let records = 0
    if (sources.some((each) => each !== "kafka")) records = await Effect.runPromise(prepare(file, folder))
    await kafka?.start()
    if (kafka !== undefined)
      records = (await Effect.runPromise(Effect.provide(feed(file), throughLog("kafka", "")))).records
    return Object.fromEntries(sources.map((each) => [each, compare(each, folder, records, repeat)]))
  } finally {
    await kafka?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)
if (words[0] === "run") {
  const [, through, threads, folder, job, records] = words
  // given by `compare`
  const run = { through: through as Through, folder: folder!, job: job!, records: Number(records) }
  await runOnce(run, Number(threads))
} else {
  const found = await compareAll(words)
  const { file, kafka, log } = found
  const ratios = {
    ...(file === undefined
      ? {}
      : { fileRatio: file.jobRatio, overTwoThreads: Number((1 / file.steadyRatio).toFixed(3)) }),
    ...(log === undefined ? {} : { logRatio: log.steadyRatio }),
    ...(kafka === undefined ? {} : { kafkaRatio: kafka.steadyRatio })
  }
  process.stdout.write(`${JSON.stringify({ w: "threads", n: Object.values(found)[0]?.n, ...ratios, ...found })}\n`)
}
