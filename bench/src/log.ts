/**
 * What the embedded log costs: a file's lines appended as records with keys, then read back; nothing is decoded.
 *
 * usage: bun bench/src/log.ts FILE.ndjson. Prints one JSON object with microseconds of CPU per record for writing (cutting
 * lines and finding keys included, and told apart) and for reading.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect } from "effect"
import { makeFileLog } from "./support/FileLog.ts"
import { cpuMicros, measureProcess } from "./support/Measure.ts"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/log.ts FILE.ndjson")
const root = await mkdtemp(join(tmpdir(), "frazil-log-"))
const keys = KeyScanner.make(RawTransactions)
const topic = { name: RawTransactions.name, partitions: RawTransactions.partitions }

const readAll = Effect.gen(function* () {
  const log = yield* Log
  let records = 0
  for (const { end, partition, start } of yield* log.bounds(topic.name)) {
    let offset = start
    while (offset < end) {
      const batch = yield* log.read(topic.name, partition, offset, { recordsMax: 5000, bytesMax: 1_048_576 })
      records += batch.length
      offset = batch.next
    }
  }
  return records
})

/** The same cutting, keys and hash into a log that only counts. */
const fedNowhere = Effect.gen(function* () {
  const before = cpuMicros()
  yield* feedFile({ file, topic: topic.name, keys, owner: "bench" })
  return cpuMicros() - before
}).pipe(Effect.provide(makeFileLog("none", file).layer))

const program = Effect.gen(function* () {
  const log = yield* Log
  const preparing = yield* fedNowhere
  yield* log.ensureTopic(topic)
  const started = cpuMicros()
  const fed = yield* feedFile({ file, topic: topic.name, keys, owner: "bench" })
  const written = cpuMicros()
  const read = yield* readAll
  const done = cpuMicros()
  const per = (micros: number) => Number((micros / fed.lines).toFixed(3))
  return {
    w: "log",
    n: read,
    prepareMicros: per(preparing),
    writeMicros: per(written - started - preparing),
    readMicros: per(done - written),
    logAddsMicros: per(done - started - preparing),
    rssPeakMb: measureProcess(read).rssPeakMb
  }
})
const result = await Effect.runPromise(program.pipe(Effect.provide(EmbeddedLog.layer({ file: join(root, "log.db") }))))
process.stdout.write(`${JSON.stringify(result)}\n`)
await rm(root, { recursive: true, force: true })
