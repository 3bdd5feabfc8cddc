/**
 * W6 of the peers' workloads: every record joined with a table of a million accounts, how many come from another country than
 * the account's, and the sum of the accounts' risk; the file is the source.
 *
 * usage: bun bench/src/w6.ts FILE.ndjson [--http]. Prints the fields of the oracle's answer (`x1` foreign, `x2` sum of risk) and
 * the cost of the whole process but making the table's records; what reading the table into state cost is told apart. With
 * `--http`: every record through a service that answers after 200 ms, a thousand at a time (`support/SlowService.ts`).
 */
import { openHttpLookup } from "@frazil/connect"
import { expr, Field, Topic } from "@frazil/core"
import { type Append, Flow, Job, Lookup, sum, Window } from "@frazil/engine"
import { DeadLetters, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { Accounts, accountsCount, makeAccounts } from "./support/Accounts.ts"
import { makeFileLog } from "./support/FileLog.ts"
import { jobServices } from "./support/JobServices.ts"
import { timed } from "./workload/Transactions.ts"
import { openSlowService } from "./support/SlowService.ts"

class Foreign extends Schema.Opaque<Foreign>()(Schema.Struct({ transaction_id: Field.text() })) {}
const Foreigns = Topic.make("foreign", { schema: Foreign, key: undefined, partitions: 1 })
class Risk extends Schema.Opaque<Risk>()(Schema.Struct({ account_id: Field.text(), risk: Field.int() })) {}
const Risks = Topic.make("risks", { schema: Risk, key: "account_id", partitions: 1 })

const [, , file, form] = process.argv
if (file === undefined) throw new Error("usage: bun bench/src/w6.ts FILE.ndjson [--http]")

const cpuSeconds = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}
const round = (value: number, digits: number) => Number(value.toFixed(digits))
const rssPeakMb = () => Math.round(process.resourceUsage().maxRSS / 1024)

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

const joined = timed(RawTransactions).pipe(
  Flow.joinTable(Accounts, { on: "account_id", take: ["home_country", "risk"] })
)
const job = Job.make("w6", [
  joined.pipe(
    Flow.filter(expr("country != home_country")),
    Flow.map(({ transaction_id }) => ({ transaction_id })),
    Flow.to(Foreigns)
  ),
  joined.pipe(
    Flow.keyBy("account_id"),
    Flow.window(Window.tumbling("1 day", { allowedLateness: "0s" }), { risk: sum("risk") }),
    Flow.map(({ account_id, risk }) => ({ account_id, risk: risk ?? 0 })),
    Flow.to(Risks)
  )
])

const joinWithTable = async (input: string) => {
  const start = cpuSeconds()
  const accounts = makeAccounts()
  const made = cpuSeconds()
  let loaded = 0
  let riskSum = 0
  const decoder = new TextDecoder()
  const taken = ({ records, topic }: Append) => {
    if (topic !== Risks.name) return
    for (let row = 0; row < records.length; row++) {
      const text = decoder.decode(records.bytes.subarray(records.valueStarts[row], records.valueEnds[row]))
      riskSum += (JSON.parse(text) as Risk).risk // written by the topic's contract
    }
  }
  const tables = new Map([[Accounts.name, accounts]])
  const source = makeFileLog(RawTransactions.name, input, taken, tables, () => (loaded = cpuSeconds()))
  const status = await run(job, source, Layer.empty)
  const end = cpuSeconds()
  const n = status?.in ?? 0
  const counts = { n, invalid: status?.deadLettered ?? 0, late: status?.late ?? 0 }
  const loading = loaded - made
  return {
    w: 6,
    ...counts,
    x1: source.committed.get(Foreigns.name) ?? 0,
    x2: riskSum,
    cpuMicrosPerEvent: round(((start + end - loaded) / n) * 1e6, 3),
    tableRows: accountsCount,
    tableCpuSeconds: round(loading, 3),
    tableCpuMicrosPerRow: round((loading / accountsCount) * 1e6, 3),
    rssPeakMb: rssPeakMb()
  }
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
    wallSeconds: round(seconds, 2),
    perSecond: Math.round(valid / seconds),
    perSecondMax: 5000,
    cpuMicrosPerEvent: round((cpu / n) * 1e6, 2),
    rssPeakMb: rssPeakMb()
  }
}

const answer = form === "--http" ? await throughService(file) : await joinWithTable(file)
process.stdout.write(`${JSON.stringify(answer)}\n`)
