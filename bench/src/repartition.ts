/**
 * What a repartition costs: windows by another key than the topic's, against the same windows over a topic that has it.
 *
 * usage: bun bench/src/repartition.ts FILE.ndjson. Both jobs read one embedded log on disk in one process, in
 * turns, after a run of each that does not count; the figures are medians. Prints one JSON object.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { count, Flow, Job, Log, sum, Window } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect, Layer } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { median } from "./support/Measure.ts"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/repartition.ts FILE.ndjson")
const root = await mkdtemp(join(tmpdir(), "frazil-repartition-"))
const runs = 5

const window = Window.tumbling("5 minutes", { allowedLateness: "0s" })
type Transaction = (typeof RawTransactions)["schema"]["Type"]
const aggregates = { events: count(), total: sum<Transaction, "amount">("amount") }

/** The results are made and only counted: they cost alike in both. */
const jobs = (run: number) => ({
  direct: Job.make(`direct-${run}`, [
    Flow.from(RawTransactions).pipe(Flow.keyBy("account_id"), Flow.window(window, aggregates), Flow.validate)
  ]),
  repartitioned: Job.make(`repartitioned-${run}`, [
    Flow.from(RawTransactions).pipe(
      Flow.keyBy("account_id", { name: "accounts", repartition: true }),
      Flow.window(window, aggregates),
      Flow.validate
    )
  ])
})

const measure = Effect.fnUntraced(function* (job: Job.Job) {
  const monitor = Job.monitor()
  const startedAt = performance.now()
  const before = process.cpuUsage()
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), observer: monitor })
  const { system, user } = process.cpuUsage(before)
  const status = monitor.status()
  return {
    cpuMicros: (user + system) / status[0]!.in,
    wallMicros: ((performance.now() - startedAt) * 1000) / status[0]!.in,
    events: status[0]!.in,
    results: status.at(-1)!.validated
  }
})

const program = Effect.gen(function* () {
  const log = yield* Log
  yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
  yield* feedFile({ file, topic: RawTransactions.name, keys: KeyScanner.make(RawTransactions), owner: "bench" })
  const plainRuns: Array<Effect.Success<ReturnType<typeof measure>>> = []
  const movedRuns: typeof plainRuns = []
  let events = 0
  for (let run = 0; run <= runs; run++) {
    const { direct, repartitioned } = jobs(run)
    const plain = yield* measure(direct)
    const moved = yield* measure(repartitioned)
    if (plain.results !== moved.results) throw new Error(`${plain.results} results, repartitioned ${moved.results}`)
    events = plain.events
    if (run === 0) continue
    plainRuns.push(plain)
    movedRuns.push(moved)
  }
  const of = (measured: typeof plainRuns, field: "cpuMicros" | "wallMicros") =>
    median(measured.map((each) => each[field]))
  const round = (value: number) => Number(value.toFixed(2))
  return {
    w: "repartition",
    n: events,
    directMicros: round(of(plainRuns, "cpuMicros")),
    repartitionedMicros: round(of(movedRuns, "cpuMicros")),
    repartitionAddsMicros: round(of(movedRuns, "cpuMicros") - of(plainRuns, "cpuMicros")),
    directWallMicros: round(of(plainRuns, "wallMicros")),
    repartitionedWallMicros: round(of(movedRuns, "wallMicros"))
  }
})

const services = Layer.merge(EmbeddedLog.layer({ file: join(root, "log.db") }), jobServices)

const result = await Effect.runPromise(program.pipe(Effect.provide(services)))
process.stdout.write(`${JSON.stringify(result)}\n`)
await rm(root, { recursive: true, force: true })
