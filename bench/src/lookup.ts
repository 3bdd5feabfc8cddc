/**
 * Lookups over transactions in the embedded log: what one costs, and how many of them a slow other side lets through.
 *
 * usage: bun bench/src/lookup.ts FILE.ndjson. The other side is in the process: it answers at once, or after 200 ms with 1,000
 * calls at once; and from the cache. Prints one JSON object; each CPU figure is that of the job less the same job without a
 * lookup, decoding, encoding and the log left out.
 */
import { closeSync, openSync, readSync } from "node:fs"
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerMemory, makeRecordBuilder, partitionOf, Topic } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Flow, Job, Log, Lookup } from "@frazil/engine"
import { DeadLetters, makeDeadLetter, RawTransactions } from "@frazil/model"
import { Effect, Layer, Schema } from "effect"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/lookup.ts FILE.ndjson")

const answerFields = { segment: Field.text(), risk: Field.double() }
class Segment extends Schema.Opaque<Segment>()(Schema.Struct(answerFields)) {}
class Scored extends Schema.Opaque<Scored>()(
  Schema.Struct({
    transaction_id: Field.text(),
    account_id: Field.text(),
    amount: Field.decimal(18, 2),
    ...answerFields
  })
) {}
const ScoredTransactions = Topic.make("scored", { schema: Scored, key: "account_id" })

class NoAccount extends Schema.TaggedError<NoAccount>()("NoAccount", { message: Schema.String }) {}
class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { message: Schema.String }) {}
class Accounts extends Lookup.Service<Accounts, string, Segment, NoAccount | Unavailable>()("bench/Accounts", {
  answer: Segment,
  failures: { NoAccount: "absent", Unavailable: "transient" },
  timeout: (message) => new Unavailable({ message }),
  unavailable: (message) => new Unavailable({ message })
}) {}

const answer = { segment: "retail", risk: 0.25 }

/** The first lines of the file, at most `recordsMax`. */
const linesOf = (recordsMax: number): ReadonlyArray<string> => {
  const descriptor = openSync(file, "r")
  const buffer = Buffer.alloc(recordsMax * 600)
  const read = readSync(descriptor, buffer)
  closeSync(descriptor)
  return buffer.toString("utf8", 0, read).split("\n").slice(0, -1).slice(0, recordsMax)
}

/** Fills the topic, so that only the job is measured. */
const fill = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const log = yield* Log
  yield* log.ensureTopic(RawTransactions)
  const builders = Array.from({ length: RawTransactions.partitions }, () => makeRecordBuilder())
  for (const line of lines) {
    const { account_id: key } = JSON.parse(line) as { readonly account_id: string } // the generator's
    builders[partitionOf(key, builders.length)]!.addText(line, key)
  }
  const producer = yield* log.producer("bench")
  const batches = builders.map((builder, partition) => ({
    topic: RawTransactions.name,
    partition,
    records: builder.take()
  }))
  yield* producer.append(0, batches)
})

const enriched = (policy: Lookup.LookupPolicy, key: "account_id" | "channel" = "account_id") =>
  Flow.from(RawTransactions).pipe(
    Flow.lookup(Accounts, { key, policy }),
    Flow.orDeadLetter(DeadLetters),
    Flow.to(ScoredTransactions)
  )
const plain = Flow.from(RawTransactions).pipe(
  Flow.map((record) => ({ ...record, ...answer })),
  Flow.to(ScoredTransactions)
)

const services = Layer.mergeAll(
  EmbeddedLog.layerMemory,
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
)

interface Cost {
  readonly cpuMicros: number
  readonly perSecond: number
}

/** CPU time a record and records a second of a job over the lines. */
const costOf = (
  output: Flow.Output<Accounts>,
  lines: ReadonlyArray<string>,
  shape: Lookup.LookupShape<string, Segment, NoAccount | Unavailable>
) =>
  Effect.gen(function* () {
    yield* fill(lines)
    const monitor = Job.monitor()
    const cpuBefore = process.cpuUsage()
    const before = performance.now()
    yield* Job.run(Job.make("bench", [output]), {
      bounded: true,
      inputComplete: () => Effect.succeed(true),
      observer: monitor
    })
    const cpu = process.cpuUsage(cpuBefore)
    const seconds = (performance.now() - before) / 1000
    const written = monitor.status()[0]?.out[ScoredTransactions.name]
    if (written === undefined || written < lines.length * 0.9) throw new Error(`only ${written} records were written`)
    return { cpuMicros: (cpu.user + cpu.system) / lines.length, perSecond: lines.length / seconds }
  }).pipe(Effect.scoped, Effect.provide(services), Effect.provideService(Accounts, shape))

const atOnce = { lookup: () => Effect.succeed(answer) }
const yielding = { lookup: () => Effect.as(Effect.yieldNow, answer) }
const slow = { lookup: () => Effect.as(Effect.sleep(200), answer) }
const patient = { capacity: 1000, order: "unordered", concurrency: 1000 } as const

const program = Effect.gen(function* () {
  const many = linesOf(100_000)
  const few = linesOf(30_000)
  // warm, so that compiling is in neither figure
  yield* costOf(plain, few, atOnce)
  yield* costOf(enriched({}), few, yielding)
  const base = yield* costOf(plain, many, atOnce)
  const over = ({ cpuMicros }: Cost) => Number((cpuMicros - base.cpuMicros).toFixed(2))
  const none = yield* costOf(enriched({}), many, atOnce)
  const fiber = yield* costOf(enriched({}), many, yielding)
  const cached = yield* costOf(enriched({ cache: { entriesMax: 100, ttl: "1h" } }, "channel"), many, atOnce)
  const waiting = yield* costOf(enriched(patient), few, slow)
  return {
    w: "lookup",
    lookupMicros: over(fiber),
    lookupAtOnceMicros: over(none),
    cacheMicros: over(cached),
    slowLookupMicros: over(waiting),
    slowPerSecond: Math.round(waiting.perSecond),
    wholeMicros: Number(fiber.cpuMicros.toFixed(2)),
    withoutMicros: Number(base.cpuMicros.toFixed(2))
  }
})
process.stdout.write(`${JSON.stringify(await Effect.runPromise(program))}\n`)
