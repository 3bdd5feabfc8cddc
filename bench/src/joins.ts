/**
 * Joins over transactions: each withdrawal with the purchases of its account in the two seconds before it, with the last
 * purchase, and the latest of both; the file is the source.
 *
 * usage: bun bench/src/joins.ts FILE.ndjson [interval|asOf|latest] [expressions|function]. The result is made by expressions, or by a
 * function, which takes whole records. Prints one JSON object with the count and the cost of the whole
 * process.
 */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { type RawTransaction, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { makeFileLog } from "./support/FileLog.ts"
import { measureProcess } from "./support/Measure.ts"

class Pair extends Schema.Opaque<Pair>()(
  Schema.Struct({ account_id: Field.text(), left: Field.text(), right: Field.text() })
) {}
const Pairs = Topic.make("pairs", { schema: Pair, key: "account_id", partitions: 1 })

const [, , file, kind = "interval", form = "expressions"] = process.argv
if (file === undefined)
  throw new Error("usage: bun bench/src/joins.ts FILE.ndjson [interval|asOf|latest] [expressions|function]")

const transactions = Flow.from(RawTransactions).pipe(
  Flow.eventTime("event_timestamp", { outOfOrderness: "10 seconds" })
)
const withdrawals = transactions.pipe(Flow.filter(expr("type == 'withdrawal'")), Flow.keyBy("account_id"))
const purchases = transactions.pipe(Flow.filter(expr("type != 'withdrawal'")), Flow.keyBy("account_id"))
const pair = (left: RawTransaction, right: RawTransaction) => ({
  account_id: left.account_id,
  left: left.transaction_id,
  right: right.transaction_id
})

const fields = {
  account_id: expr.string("left.account_id"),
  left: expr.string("left.transaction_id"),
  right: expr.string("right.transaction_id")
}

const joined = () => {
  if (form === "expressions") {
    if (kind === "asOf") return withdrawals.pipe(Flow.joinAsOf(purchases, { ttl: "1 day" }, fields))
    if (kind === "latest")
      return withdrawals.pipe(Flow.joinLatest(purchases, { ttl: "1 day" }, fields), Flow.filter(expr("!retracted")))
    return withdrawals.pipe(Flow.joinInterval(purchases, { lower: "-2 seconds", upper: "0s" }, fields))
  }
  if (kind === "asOf") return withdrawals.pipe(Flow.joinAsOf(purchases, { ttl: "1 day" }, pair))
  if (kind === "latest")
    return withdrawals.pipe(
      Flow.joinLatest(purchases, { ttl: "1 day" }, pair),
      Flow.filter(({ retracted }) => !retracted)
    )
  return withdrawals.pipe(Flow.joinInterval(purchases, { lower: "-2 seconds", upper: "0s" }, pair))
}

const source = makeFileLog(RawTransactions.name, file)
const monitor = Job.monitor()
const services = Layer.merge(source.layer, jobServices)
await Effect.runPromise(
  Job.run(Job.make("joins", [joined().pipe(Flow.to(Pairs))]), {
    bounded: true,
    inputComplete: () => Effect.sync(source.complete),
    observer: monitor
  }).pipe(Effect.provide(services))
)
const [status] = monitor.status()
const events = status?.in ?? 0
const results = source.committed.get(Pairs.name) ?? 0
process.stdout.write(`${JSON.stringify({ kind, results, late: status?.late ?? 0, ...measureProcess(events) })}\n`)
