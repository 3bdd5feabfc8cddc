/**
 * W6 of the peers' workloads. usage: bun bench/src/w6.ts FILE.ndjson [--output DIR]: see `workload/Program.ts`. With `--disk`
 * the table's rows are on disk. With `--http`: every record through a service that answers after 200 ms, a thousand at a time
 * (`support/SlowService.ts`).
 */
import { openHttpLookup } from "@frazil/connect"
import { Field, Topic } from "@frazil/core"
import { Flow, Job, Lookup } from "@frazil/engine"
import { DeadLetters, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { jobServices } from "./support/JobServices.ts"
import { cpuSeconds, peakRssMb, rounded } from "./support/Measure.ts"
import { openSlowService } from "./support/SlowService.ts"
import { checkInput, runProgram } from "./workload/Program.ts"
import { w6 } from "./workload/W6.ts"

/** Runs the job over the log to the file's end. */
const run = async <R>(
  job: Job.Job<string, R>,
  source: ReturnType<typeof makeFileLog>,
  lookups: Layer.Layer<R, unknown>
) => {
  const monitor = Job.monitor()
  const inputComplete = (topic: string) => Effect.sync(() => topic !== RawTransactions.name || source.complete())
  await Effect.runPromise(
    Job.run(job, { bounded: true, inputComplete, observer: monitor }).pipe(
      Effect.provide(Layer.mergeAll(source.layer, jobServices, lookups))
    )
  )
  return monitor.status()[0]
}

class Score extends Schema.Opaque<Score>()(Schema.Struct({ score: Field.int() })) {}
class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { message: Schema.String }) {}
class Scores extends Lookup.Service<Scores, string, Score, Unavailable>()("bench/Scores", {
  answer: Score,
  failures: { Unavailable: "transient" },
  timeout: (message) => new Unavailable({ message }),
  unavailable: (message) => new Unavailable({ message })
}) {}
class Scored extends Schema.Opaque<Scored>()(
  Schema.Struct({ transaction_id: Field.text(), account_id: Field.text(), score: Field.int() })
) {}
const ScoredTransactions = Topic.make("scored", { schema: Scored, key: "account_id", partitions: 1 })
const unavailable = (message: string) => new Unavailable({ message })

const throughService = async (input: string) => {
  const service = await openSlowService()
  const source = makeFileLog(RawTransactions.name, input)
  const policy = { capacity: 1000, concurrency: 1000, order: "unordered" } as const
  const scored = Flow.from(RawTransactions).pipe(
    Flow.lookup(Scores, { key: "account_id", policy }),
    Flow.orDeadLetter(DeadLetters),
    Flow.map(({ account_id, score, transaction_id }) => ({ account_id, score, transaction_id })),
    Flow.to(ScoredTransactions)
  )
  const lookup = openHttpLookup({
    name: "scores",
    connection: { kind: "http", url: service.url },
    path: "/enrich",
    request: (id: string) => ({ id }),
    wire: Schema.Struct({ id: Schema.String, score: Score.fields.score }),
    answer: (wire, id) => (wire.id === id ? { score: wire.score } : undefined),
    failures: { rejected: unavailable, invalid: unavailable, unavailable, overloaded: unavailable }
  })
  const [cpuBefore, before] = [cpuSeconds(), performance.now()]
  const status = await run(Job.make("w6-http", [scored]), source, Layer.effect(Scores, lookup))
  const [cpu, seconds] = [cpuSeconds() - cpuBefore, (performance.now() - before) / 1000]
  service.close()
  const n = status?.in ?? 0
  const valid = source.committed.get(ScoredTransactions.name) ?? 0
  return {
    w: 6,
    n,
    valid,
    invalid: status?.deadLettered ?? 0,
    wallSeconds: rounded(seconds, 2),
    perSecond: Math.round(valid / seconds),
    perSecondMax: 5000,
    cpuMicrosPerEvent: rounded((cpu / n) * 1e6, 2),
    rssPeakMb: peakRssMb()
  }
}

const [, , file] = process.argv
if (file !== undefined && process.argv.includes("--http")) {
  checkInput(file)
  process.stdout.write(`${JSON.stringify(await throughService(file))}\n`)
} else {
  const store = process.argv.includes("--disk") ? "disk" : "memory"
  await runProgram(6, (input, through) => w6(input, through, store))
}
