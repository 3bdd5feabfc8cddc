/**
 * What a log on Kafka costs this process: a file fed, read back into the decoder, and landed; zstd, four partitions.
 *
 * usage: bun bench/src/kafka.ts FILE.ndjson. Starts a broker of its own by the scripts in `FRAZIL_INFRA`, whose CPU is not
 * counted. Prints one JSON object with microseconds of CPU per record: for feeding, for fetching alone, for fetching and
 * decoding, and for landing with commits every 10 s, Parquet and catalog included.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { feedFile, kafkaLogLayer } from "@frazil/connect"
import { Decoder, KeyScanner, type RecordBatch } from "@frazil/core"
import { Log } from "@frazil/engine"
import { makeLandingMonitor, runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { catalogLayer, dataDirectory, duckDbLayer, storageLayer } from "@frazil/platform"
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect, Layer } from "effect"
import { cpuMicros, measureProcess } from "./support/Measure.ts"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/kafka.ts FILE.ndjson")
const landing = tables.find(({ topic }) => topic.name === RawTransactions.name)
if (landing === undefined) throw new Error("lakehouse/src/tables.ts lands raw-transactions no more")
const topic = { name: RawTransactions.name, partitions: RawTransactions.partitions }
const directory = dataDirectory(await mkdtemp(join(tmpdir(), "frazil-kafka-")))
const kafka = sharedKafka(19_792)

interface Cost {
  readonly cpu: number
  readonly wallMs: number
}

const costOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, Cost], E, R> =>
  Effect.gen(function* () {
    const startedAt = performance.now()
    const before = cpuMicros()
    const result = yield* effect
    return [result, { cpu: cpuMicros() - before, wallMs: performance.now() - startedAt }] as const
  })

/** Reads the topic whole, partitions in turn, as a task does. */
const readAll = Effect.fnUntraced(function* (take: (batch: RecordBatch) => void) {
  const log = yield* Log
  let records = 0
  for (const { end, partition, start } of yield* log.bounds(topic.name)) {
    for (let at = start; at < end;) {
      const batch = yield* log.read(topic.name, partition, at, { recordsMax: 5_000, bytesMax: 1_048_576 })
      take(batch)
      records += batch.length
      at = batch.next
    }
  }
  return records
})

const program = Effect.gen(function* () {
  const log = yield* Log
  yield* log.ensureTopic(topic)
  const [fed, feeding] = yield* costOf(
    feedFile({ file, topic: topic.name, keys: KeyScanner.make(RawTransactions), owner: "bench" })
  )
  const decoder = Decoder.make(RawTransactions)
  let valid = 0
  // the first run warms up
  yield* readAll((batch) => void decoder.decode(batch))
  const [records, fetching] = yield* costOf(readAll(() => {}))
  const [, decoding] = yield* costOf(
    readAll((batch) => {
      valid += batch.length - decoder.decode(batch).failures.length
    })
  )
  const monitor = makeLandingMonitor()
  const [, landed] = yield* costOf(
    runLanding(landing, { commitEveryMs: 10_000, inputComplete: () => Effect.succeed(true), monitor }).pipe(
      Effect.provide(Layer.mergeAll(catalogLayer(directory), storageLayer(directory), duckDbLayer(directory)))
    )
  )
  const per = ({ cpu }: Cost) => Number((cpu / records).toFixed(3))
  const wall = ({ wallMs }: Cost) => Math.round((records / wallMs) * 1000)
  return {
    w: "kafka",
    n: records,
    fed: fed.lines,
    valid,
    rows: monitor.status()[0]?.rows ?? 0,
    feedMicros: per(feeding),
    fetchMicros: per(fetching),
    consumeMicros: per(decoding),
    landMicros: per(landed),
    wallPerSecond: { feed: wall(feeding), fetch: wall(fetching), consume: wall(decoding), land: wall(landed) },
    rssPeakMb: measureProcess(records).rssPeakMb
  }
})

await kafka.start()
try {
  const result = await Effect.runPromise(program.pipe(Effect.provide(kafkaLogLayer({ brokers: [kafka.broker] }))))
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await kafka.stop()
  await rm(directory.root, { recursive: true, force: true })
}
