/**
 * What a join of two topics costs: withdrawals and purchases of an account, each in a topic of its own, against the same join
 * over the one topic that has both.
 *
 * usage: bun bench/src/two-topics.ts FILE.ndjson [interval|asOf|latest]. All jobs read one embedded log on disk in one process, in
 * turns, after a run of each that does not count; the figures are medians. Prints one JSON object.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { expr, Field, KeyScanner, Topic } from "@frazil/core"
import { Flow, Job, Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { median } from "./support/Measure.ts"

const [, , file, kind = "interval"] = process.argv
if (file === undefined) throw new Error("usage: bun bench/src/two-topics.ts FILE.ndjson [interval|asOf|latest]")
const root = await mkdtemp(join(tmpdir(), "frazil-two-topics-"))
const runs = 3

class Purchase extends Schema.Opaque<Purchase>()(
  Schema.Struct({
    transaction_id: Field.text(),
    account_id: Field.text(),
    amount: Field.decimal(18, 2),
    event_timestamp: Field.timestamp
  })
) {}
const Withdrawals = { ...RawTransactions, name: "withdrawals" }
const Purchases = Topic.make("purchases", {
  schema: Purchase,
  key: "account_id",
  eventTime: "event_timestamp",
  partitions: RawTransactions.partitions
})

interface Side {
  readonly account_id: string
  readonly transaction_id: string
}
const pair = (left: Side, right: Side) => ({
  account_id: left.account_id,
  left: left.transaction_id,
  right: right.transaction_id
})

const time = { outOfOrderness: "10 seconds" } as const
const near = { lower: "-2 seconds", upper: "0s" } as const
type Key = { readonly account_id: string }

/** The results are made and only counted: they cost alike in both. */
const joined = <A extends Side, B extends Side>(
  lefts: Flow.Flow<A, never, never, Key>,
  rights: Flow.Flow<B, never, never, Key>
) => {
  if (kind === "asOf") return lefts.pipe(Flow.joinAsOf(rights, { ttl: "1 day" }, pair), Flow.validate)
  if (kind === "latest") return lefts.pipe(Flow.joinLatest(rights, { ttl: "1 day" }, pair), Flow.validate)
  return lefts.pipe(Flow.joinInterval(rights, near, pair), Flow.validate)
}

const one = Flow.from(RawTransactions).pipe(Flow.eventTime("event_timestamp", time))
const jobs = (run: number) => ({
  direct: Job.make(`direct-${run}`, [
    joined(
      one.pipe(Flow.filter(expr("type == 'withdrawal'")), Flow.keyBy("account_id")),
      one.pipe(Flow.filter(expr("type != 'withdrawal'")), Flow.keyBy("account_id"))
    )
  ]),
  two: Job.make(`two-${run}`, [
    joined(
      Flow.from(Withdrawals).pipe(Flow.eventTime("event_timestamp", time), Flow.keyBy("account_id")),
      Flow.from(Purchases).pipe(Flow.eventTime("event_timestamp", time), Flow.keyBy("account_id"))
    )
  ])
})

const measure = Effect.fnUntraced(function* (job: Job.Job, sources: ReadonlyArray<string>) {
  const monitor = Job.monitor()
  const before = process.cpuUsage()
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), observer: monitor })
  const { system, user } = process.cpuUsage(before)
  const status = monitor.status()
  const events = status.reduce((sum, each) => sum + (sources.includes(each.topic) ? each.in : 0), 0)
  const results = status.reduce((sum, each) => sum + each.validated, 0)
  const late = status.reduce((sum, each) => sum + each.late, 0)
  return { cpuMicros: (user + system) / events, events, results, late }
})

/** The fields of a purchase, as a producer of those alone would write them. */
const purchaseOf = (line: string): string => {
  const read = JSON.parse(line) as Readonly<Record<string, unknown>> // the generator's lines
  const { account_id, amount, event_timestamp, transaction_id } = read
  return JSON.stringify({ transaction_id, account_id, amount, event_timestamp })
}

/** Withdrawals and all others, as files. */
const splitFile = async (path: string) => {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "")
  const [withdrawals, purchases] = [join(root, "withdrawals.ndjson"), join(root, "purchases.ndjson")]
  const withdrawn = (line: string) => line.includes('"type":"withdrawal"')
  await writeFile(withdrawals, `${lines.filter(withdrawn).join("\n")}\n`)
  await writeFile(purchases, `${lines.flatMap((line) => (withdrawn(line) ? [] : [purchaseOf(line)])).join("\n")}\n`)
  return { withdrawals, purchases }
}

const program = Effect.gen(function* () {
  const log = yield* Log
  const parts = yield* Effect.promise(() => splitFile(file))
  for (const [path, topic] of [
    [file, RawTransactions],
    [parts.withdrawals, Withdrawals],
    [parts.purchases, Purchases]
  ] as const) {
    yield* log.ensureTopic({ name: topic.name, partitions: topic.partitions })
    yield* feedFile({ file: path, topic: topic.name, keys: KeyScanner.make(RawTransactions), owner: "bench" })
  }
  const measured: Array<readonly [direct: number, two: number]> = []
  let [events, results] = [0, 0]
  for (let run = 0; run <= runs; run++) {
    const { direct, two } = jobs(run)
    const plain = yield* measure(direct, [RawTransactions.name])
    const split = yield* measure(two, [Withdrawals.name, Purchases.name])
    if (plain.results !== split.results || plain.events !== split.events)
      throw new Error(`${plain.results} results of ${plain.events}, of two topics ${split.results} of ${split.events}`)
    events = plain.events
    results = plain.results
    if (run > 0) measured.push([plain.cpuMicros, split.cpuMicros])
  }
  const round = (value: number) => Number(value.toFixed(2))
  const [direct, two] = [median(measured.map(([value]) => value)), median(measured.map(([, value]) => value))]
  return {
    w: "two-topics",
    kind,
    n: events,
    results,
    oneTopicMicros: round(direct),
    twoTopicsMicros: round(two),
    secondTopicAddsMicros: round(two - direct)
  }
})

const services = Layer.merge(EmbeddedLog.layer({ file: join(root, "log.db") }), jobServices)

const result = await Effect.runPromise(program.pipe(Effect.provide(services)))
process.stdout.write(`${JSON.stringify(result)}\n`)
await rm(root, { recursive: true, force: true })
