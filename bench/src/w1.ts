/**
 * W1 of the peers' workloads: parse, check, five rules, one thread; the file is the source.
 *
 * usage: bun bench/src/w1.ts FILE.ndjson. Prints one JSON object with the answer's counts and the cost of the whole process.
 */
import { expr, layerMemory, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Flow, Job } from "@frazil/engine"
import { DeadLetters, makeDeadLetter, RawTransaction, RawTransactions } from "@frazil/model"
import { Effect, Layer } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { measureProcess } from "./support/Measure.ts"

const output = (name: string) => Topic.make(name, { schema: RawTransaction, key: undefined, partitions: 1 })

const transactions = Flow.from(RawTransactions)
const { clean, high, review } = transactions.pipe(
  Flow.route({
    high: expr("amount > 10000 || (type == 'withdrawal' && amount > 800)"),
    review: expr(
      "country != 'US' || merchant_category in ['gambling', 'crypto', 'wire_transfer', 'jewelry'] || currency != 'USD'"
    ),
    clean: Flow.otherwise
  })
)
const rules = [
  "amount > 10000",
  "country != 'US'",
  "merchant_category in ['gambling', 'crypto', 'wire_transfer', 'jewelry']",
  "type == 'withdrawal' && amount > 800",
  "currency != 'USD'"
]
const job = Job.make("w1", [
  high.pipe(Flow.to(output("high"))),
  review.pipe(Flow.to(output("review"))),
  clean.pipe(Flow.to(output("clean"))),
  ...rules.map((rule, index) => transactions.pipe(Flow.filter(expr(rule)), Flow.to(output(`r${index + 1}`))))
])

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/w1.ts FILE.ndjson")
const source = makeFileLog(RawTransactions.name, file)
const monitor = Job.monitor()
const services = Layer.mergeAll(
  source.layer,
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
)
await Effect.runPromise(
  Job.run(job, { bounded: true, inputComplete: () => Effect.sync(source.complete), observer: monitor }).pipe(
    Effect.provide(services)
  )
)
const [status] = monitor.status()
const count = (topic: string) => source.committed.get(topic) ?? 0
const answer = {
  w: "W1",
  n: status?.in ?? 0,
  high: count("high"),
  review: count("review"),
  clean: count("clean"),
  invalid: status?.deadLettered ?? 0,
  rules: rules.map((_, index) => count(`r${index + 1}`))
}
process.stdout.write(`${JSON.stringify({ ...answer, ...measureProcess(answer.n) })}\n`)
