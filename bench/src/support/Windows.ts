/**
 * W2 and W3 of the peers' workloads: W1's rules, and a window per account; the file is the source.
 *
 * Prints the fields of the oracle's answer, so that they can be compared with `expected.json`, and the cost of the process.
 */
import { createHash } from "node:crypto"
import { expr, Field, layerMemory, Topic } from "@frazil/core"
import {
  CheckpointStore,
  count,
  DeadLetters as DeadLetterContract,
  Flow,
  Job,
  Ledger as LedgerContract,
  sum,
  type Window
} from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry, RawTransaction, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { makeFileLog } from "./FileLog.ts"
import { measureProcess } from "./Measure.ts"

class Total extends Schema.Opaque<Total>()(
  Schema.Struct({
    account_id: Field.text(),
    window_start: Field.timestamp,
    count: Field.int(),
    total: Field.decimal(38, 2)
  })
) {}
const Totals = Topic.make("totals", { schema: Total, key: undefined, partitions: 1 })

const rules = [
  "amount > 10000",
  "country != 'US'",
  "merchant_category in ['gambling', 'crypto', 'wire_transfer', 'jewelry']",
  "type == 'withdrawal' && amount > 800",
  "currency != 'USD'"
]

const output = (name: string) => Topic.make(name, { schema: RawTransaction, key: undefined, partitions: 1 })

const outputs = () => {
  const transactions = Flow.from(RawTransactions)
  const { clean, high, review } = transactions.pipe(
    Flow.route({
      high: expr(`${rules[0]} || (${rules[3]})`),
      review: expr(`${rules[1]} || ${rules[2]} || ${rules[4]}`),
      clean: Flow.otherwise
    })
  )
  return [
    high.pipe(Flow.to(output("high"))),
    review.pipe(Flow.to(output("review"))),
    clean.pipe(Flow.to(output("clean"))),
    ...rules.map((rule, index) => transactions.pipe(Flow.filter(expr(rule)), Flow.to(output(`r${index + 1}`))))
  ]
}

const jobOf = (name: string, window: Window<"event">, countMin: number) =>
  Job.make(name, [
    ...outputs(),
    Flow.from(RawTransactions).pipe(
      Flow.eventTime("event_timestamp", { outOfOrderness: "10 seconds" }),
      Flow.keyBy("account_id"),
      Flow.window(window, { count: count(), total: sum("amount") }),
      Flow.filter((result) => result.count >= countMin),
      Flow.to(Totals)
    )
  ])

interface Row {
  readonly account_id: string
  readonly window_start: string
  readonly count: number
  readonly total: number
}

/** The oracle's answer about its rows, and a hash over their text. */
const answerOf = (rows: ReadonlyArray<Row>) => {
  const lines = rows.map((row) => {
    const cents = Math.round(row.total * 100)
    return { text: `${row.account_id},${Date.parse(row.window_start)},${row.count},${cents}`, count: row.count, cents }
  })
  const hash = createHash("sha256")
  for (const text of lines.map((line) => line.text).sort()) hash.update(`${text}\n`)
  return {
    rows: rows.length,
    rows_count_sum: lines.reduce((all, line) => all + line.count, 0),
    rows_cents_sum: lines.reduce((all, line) => all + line.cents, 0),
    rows_sha256: hash.digest("hex")
  }
}

/** Runs the workload over the file that the command line names. */
export const runWindows = async (name: string, window: Window<"event">, countMin: number): Promise<void> => {
  const file = process.argv[2]
  if (file === undefined) throw new Error(`usage: bun bench/src/${name}.ts FILE.ndjson`)
  const rows: Array<Row> = []
  const decoder = new TextDecoder()
  const source = makeFileLog(RawTransactions.name, file, ({ records, topic }) => {
    if (topic !== Totals.name) return
    for (let row = 0; row < records.length; row++) {
      const text = decoder.decode(records.bytes.subarray(records.valueStarts[row], records.valueEnds[row]))
      rows.push(JSON.parse(text) as Row) // written by the topic's contract
    }
  })
  const monitor = Job.monitor()
  const services = Layer.mergeAll(
    source.layer,
    CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
    Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
    Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
  )
  const job = jobOf(name, window, countMin)
  await Effect.runPromise(
    Job.run(job, { bounded: true, inputComplete: () => Effect.sync(source.complete), observer: monitor }).pipe(
      Effect.provide(services)
    )
  )
  const [status] = monitor.status()
  const counted = (topic: string) => source.committed.get(topic) ?? 0
  const answer = {
    w: name.toUpperCase(),
    n: status?.in ?? 0,
    high: counted("high"),
    review: counted("review"),
    clean: counted("clean"),
    invalid: status?.deadLettered ?? 0,
    rules: rules.map((_, index) => counted(`r${index + 1}`)),
    late: status?.late ?? 0,
    ...answerOf(rows)
  }
  process.stdout.write(`${JSON.stringify({ ...answer, ...measureProcess(answer.n) })}\n`)
}
