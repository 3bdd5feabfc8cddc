/**
 * W2 of the peers' workloads through Kafka: read from a topic of two partitions, five rules counted, and per account windows
 * of 5 minutes with more than 500 records written to a topic, exactly once.
 *
 * usage: bun bench/src/w2-kafka.ts FILE.ndjson|kafka://HOST:PORT/TOPIC. A file is fed into a broker of its own, started by
 * the scripts in `FRAZIL_INFRA`; a topic, such as Kafka Streams' of the peers, is read as it is. The CPU is this process's
 * while the job runs; the broker's is not counted. Prints one JSON object.
 */
import { feedFile, kafkaLogLayer } from "@frazil/connect"
import { KeyScanner, Topic } from "@frazil/core"
import { Job, Log } from "@frazil/engine"
import { RawTransaction, RawTransactions } from "@frazil/model"
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect, Layer } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { jsonLine } from "./support/JsonLine.ts"
import { textOf } from "./workload/Rows.ts"
import { countsOf, type source as fileSource } from "./workload/Transactions.ts"
import { collectWindows, Totals, w2, windowsJob } from "./workload/Windows.ts"

const given = process.argv[2]
if (given === undefined) throw new Error("usage: bun bench/src/w2-kafka.ts FILE.ndjson|kafka://HOST:PORT/TOPIC")
const place = /^kafka:\/\/([^:]+):(\d+)\/(.+)$/.exec(given)
const partitions = 2
const kafka = sharedKafka(19_792)
const broker = place === null ? kafka.broker : { host: place[1]!, port: Number(place[2]) }

const sourceOf = (name: string): typeof fileSource =>
  // the cast: only the topic's name is another, and it is asked for by that
  Topic.make(name, { schema: RawTransaction, key: "account_id", eventTime: "event_timestamp", partitions }) as never

const readTotals = Effect.gen(function* () {
  const log = yield* Log
  const { rows, sums, taken } = collectWindows()
  for (const { end, partition, start } of yield* log.bounds(Totals.name)) {
    for (let at = start; at < end;) {
      const records = yield* log.read(Totals.name, partition, at, { recordsMax: 10_000, bytesMax: 8_000_000 })
      taken({ topic: Totals.name, partition, records })
      at = records.next
    }
  }
  return { rows: rows.length, ...sums(), rows_sha256: textOf(rows).sha256 }
})

const program = Effect.gen(function* () {
  const log = yield* Log
  const source = sourceOf(place?.[3] ?? RawTransactions.name)
  if (place === null) {
    yield* log.ensureTopic({ name: source.name, partitions })
    yield* feedFile({ file: given, topic: source.name, keys: KeyScanner.make(source), owner: "bench" })
  }
  // of each run its own: a topic that is there is read again from its beginning
  const name = `w2-${Date.now().toString(36)}`
  if ((yield* log.topics).some((topic) => topic.name === Totals.name)) yield* log.deleteTopic(Totals.name)
  const monitor = Job.monitor()
  const before = process.cpuUsage()
  const startedAt = performance.now()
  const options = { bounded: true, inputComplete: () => Effect.succeed(true), observer: monitor }
  yield* Job.run(windowsJob(name, w2, "counted", source), options)
  const { system, user } = process.cpuUsage(before)
  const wallSeconds = (performance.now() - startedAt) / 1000
  const [status] = monitor.status()
  if (status === undefined) throw new Error("a job that ran has a status")
  const counts = countsOf(status)
  // the peers' set-up ends each partition with a record that no contract takes, so that their windows close
  const ends = place === null ? 0 : partitions
  const [n, invalid] = [counts.n - ends, counts.invalid - ends]
  return {
    w: "W2 through Kafka",
    ...counts,
    n,
    invalid,
    ...(yield* readTotals),
    cpuMicrosPerEvent: Number(((system + user) / n).toFixed(3)),
    eventsPerSecond: Math.round(n / wallSeconds)
  }
})

if (place === null) await kafka.start()
try {
  const services = Layer.merge(kafkaLogLayer({ brokers: [broker] }), jobServices)
  process.stdout.write(`${jsonLine(await Effect.runPromise(Effect.provide(program, services)))}\n`)
} finally {
  if (place === null) await kafka.stop()
}
