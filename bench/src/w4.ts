/**
 * W4 of the peers' workloads: for each amount over 10,000 the first later transaction of the account in another country,
 * less than five minutes after it; the file is the source.
 *
 * usage: bun bench/src/w4.ts FILE.ndjson. Prints the fields of the oracle's answer, so that they can be compared with
 * `expected.json`, and the cost of the whole process.
 */
import { createHash } from "node:crypto"
import { expr, Field, layerMemory, Topic } from "@frazil/core"
import {
  CheckpointStore,
  DeadLetters as DeadLetterContract,
  Flow,
  Job,
  Ledger as LedgerContract,
  Pattern
} from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { measureProcess } from "./support/Measure.ts"

class Pair extends Schema.Opaque<Pair>()(Schema.Struct({ first: Field.text(), second: Field.text() })) {}
const Pairs = Topic.make("pairs", { schema: Pair, key: undefined, partitions: 1 })

/** Every pair: a partial match is evicted only beyond what an account has in five minutes. */
const abroad = Pattern.on(RawTransactions)
  .begin("large", expr("amount > 10000"))
  .followedBy("abroad", ({ country }, { large }) => country !== large.country)
  .within("5 minutes", { partialMatchesMax: 10_000 })

const job = Job.make("w4", [
  Flow.from(RawTransactions).pipe(
    Flow.eventTime("event_timestamp", { outOfOrderness: "10 seconds" }),
    Flow.keyBy("account_id"),
    Flow.pattern(abroad),
    Flow.map(({ steps }) => ({ first: steps.large.transaction_id, second: steps.abroad.transaction_id })),
    Flow.to(Pairs)
  )
])

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/w4.ts FILE.ndjson")
const rows: Array<string> = []
const decoder = new TextDecoder()
const source = makeFileLog(RawTransactions.name, file, ({ records, topic }) => {
  if (topic !== Pairs.name) return
  for (let row = 0; row < records.length; row++) {
    const text = decoder.decode(records.bytes.subarray(records.valueStarts[row], records.valueEnds[row]))
    const { first, second } = JSON.parse(text) as Pair // written by the topic's contract
    rows.push(`${first},${second}`)
  }
})
const monitor = Job.monitor()
const services = Layer.mergeAll(
  source.layer,
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
  Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
)
await Effect.runPromise(
  Job.run(job, { bounded: true, inputComplete: () => Effect.sync(source.complete), observer: monitor }).pipe(
    Effect.provide(services)
  )
)
const [status] = monitor.status()
const hash = createHash("sha256")
for (const row of rows.toSorted()) hash.update(`${row}\n`)
const answer = {
  w: "W4",
  n: status?.in ?? 0,
  invalid: status?.deadLettered ?? 0,
  late: status?.late ?? 0,
  ledger: source.committed.get(Ledger.name) ?? 0,
  rows: rows.length,
  rows_sha256: hash.digest("hex")
}
process.stdout.write(`${JSON.stringify({ ...answer, ...measureProcess(answer.n) })}\n`)
