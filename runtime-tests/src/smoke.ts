/**
 * The smoke path: what the skeleton does, once through, on whatever runtime runs this file.
 *
 * `run.ts` starts it under Bun, Deno and Node with an empty folder as its argument. It throws when a step goes wrong, and
 * prints what it found as one line of JSON that must be equal on every runtime.
 */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect, Layer, Stream } from "effect"
import { EmbeddedLog } from "@frazil/connect"
import { Decoder, HttpCalls, makeRecordBuilder, partitionOf, Timestamp, type RecordBatch } from "@frazil/core"
import { Log, type ShardId } from "@frazil/engine"
import { Catalog, readTable, streamTable } from "@frazil/lake"
import { arrowTable } from "@frazil/lake/arrow"
import { RawTransactions } from "@frazil/model"
import { catalogLayer, dataDirectory, duckDbLayer } from "@frazil/platform"
import { type Fate, misbehavingServer } from "@frazil/sim/misbehaving"

const folder = process.argv[2]
assert(folder !== undefined, "usage: smoke.ts FOLDER")
mkdirSync(folder, { recursive: true })

const transaction = (account: string, amount: string, city: string) =>
  `{"transaction_id":"019bbf4a-9b60-7000-8000-000000000001","account_id":"${account}","amount":${amount},"currency":"USD",` +
  `"type":"purchase","merchant_id":"M1","merchant_category":"fuel","country":"US","city":"${city}","lat":40.5,"lon":-74.25,` +
  `"channel":"pos","device_id":"d-1","ip":"10.0.0.1","event_timestamp":"2026-01-14T23:45:00.123Z"}`

const lines = [
  transaction("ACC1", "12.30", "New York"),
  transaction("ACC1", '"9999999999999999.99"', "Z\\u00fcrich"),
  transaction("ACC1", "-1", "東京"),
  `{"transaction_id":`
]
const limits = { recordsMax: 100, bytesMax: 1_000_000 }
const topic = RawTransactions.name
const partition = partitionOf("ACC1", RawTransactions.partitions)
const shard: ShardId = { uid: "smoke", stage: "0", shard: partition }
const layer = EmbeddedLog.layer({ file: join(folder, "log.db") })

/** Appends by a producer, then commits an epoch that reads them and puts one record out. */
const writeLog = Effect.gen(function* () {
  const log = yield* Log
  const info = yield* log.ensureTopic({ name: topic, partitions: RawTransactions.partitions })
  yield* log.ensureTopic({ name: "dead-letter", partitions: 4 })
  const records = makeRecordBuilder()
  for (const line of lines) records.addText(line, "ACC1")
  const producer = yield* log.producer("smoke")
  const appends = [{ topic, partition, records: records.take() }]
  yield* producer.append(producer.nextSequence, appends)
  yield* log.fence("smoke-1", [shard])
  const output = makeRecordBuilder()
  output.addText("{}", null)
  yield* log.commit({
    owner: "smoke-1",
    shards: [
      {
        id: shard,
        epochRead: 0,
        positions: [{ topic, topicId: info.id, partitions: info.partitions, offset: lines.length }],
        snapshots: [],
        detail: { finished: true },
        delta: new Uint8Array([1, 2, 3]),
        outputs: [{ topic: "dead-letter", partition: 0, records: output.take() }]
      }
    ]
  })
}).pipe(Effect.scoped, Effect.provide(layer))

/** Reads the same file again, as a later start would. */
const readLog = Effect.gen(function* () {
  const log = yield* Log
  const batch = yield* log.read(topic, partition, 0, limits)
  const outputs = yield* log.read("dead-letter", 0, 0, limits)
  const inForce = yield* log.inForce(shard)
  const deltas = yield* log.deltas(shard, 0)
  return { batch, outputs: outputs.length, epoch: inForce?.epoch, delta: deltas.map((each) => [...each.bytes]) }
}).pipe(Effect.provide(layer))

const decode = (batch: RecordBatch) => {
  const decoder = Decoder.make(RawTransactions)
  const columns = decoder.decode(batch)
  const rows = Array.from({ length: batch.length }, (_, row) => row).filter((row) => columns.valid[row] === 1)
  return {
    fastRows: columns.fastRows,
    records: rows.map((row) => {
      const { amount, city, event_timestamp } = decoder.record(columns, row)
      return [amount.toString(), city, Timestamp.format(event_timestamp)]
    }),
    failures: columns.failures.map(({ row, reason, field }) => [row, reason, field ?? null])
  }
}

await Effect.runPromise(writeLog)
const { batch, ...log } = await Effect.runPromise(readLog)
const decoded = decode(batch)
assert.deepEqual(log, { outputs: 1, epoch: 1, delta: [[1, 2, 3]] })
assert.deepEqual(decoded.records, [
  ["12.30", "New York", "2026-01-14T23:45:00.123Z"],
  ["9999999999999999.99", "Zürich", "2026-01-14T23:45:00.123Z"]
])
assert.deepEqual(decoded.failures, [
  [2, "out_of_range", "amount"],
  [3, "not_json", null]
])
/** Runs the pipeline over the lines as a file, to its end, in a process of its own. */
const runPipeline = (directory: string, ...more: ReadonlyArray<string>) => {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, "..", "lines.ndjson")
  const summaryFile = join(directory, "..", "summary.json")
  writeFileSync(file, lines.join("\n"))
  // how the runner started this very program
  const [program = process.execPath, ...options] = JSON.parse(
    process.env["SMOKE_COMMAND"] ?? "[]"
  ) as ReadonlyArray<string>
  const main = resolve(import.meta.dirname, "../../apps/pipeline/src/main.ts")
  const args = ["--data", directory, "--input", `${topic}=${file}`, "--summary", summaryFile, ...more]
  const run = spawnSync(program, [...options, main, ...args], { encoding: "utf8" })
  assert.equal(run.status, 0, run.stderr)
  const summary: unknown = JSON.parse(readFileSync(summaryFile, "utf8"))
  assert(typeof summary === "object" && summary !== null && "jobs" in summary)
  return summary.jobs
}

/** The landed table, read through DuckDB. */
const readLanded = (root: string) => {
  const directory = dataDirectory(root)
  return Effect.gen(function* () {
    const catalog = yield* Catalog
    const table = yield* catalog.loadTable({ namespace: "transactions", name: "raw" })
    const query =
      "SELECT source_offset::VARCHAR AS offset_text, amount::VARCHAR AS amount, city, event_timestamp::VARCHAR AS at FROM t ORDER BY source_offset"
    const { rows } = yield* readTable(table, { query })
    // the same in the other forms of a scan
    assert.deepEqual((yield* Stream.runCollect(streamTable(table, { query }))).flat(), rows)
    const [batch] = yield* Stream.runCollect(arrowTable(table, { query }))
    const found = batch?.toArray().map((row) => ({ ...row }))
    assert.deepEqual(found, rows)
    return rows
  }).pipe(Effect.provide(Layer.mergeAll(catalogLayer(directory), duckDbLayer(directory))))
}

const jobs = runPipeline(join(folder, "data"))
const landed = await Effect.runPromise(readLanded(join(folder, "data")))
assert.equal(landed.length, 2)
assert.deepEqual(runPipeline(join(folder, "threads", "data"), "--parallelism", "2"), jobs)
assert.deepEqual(await Effect.runPromise(readLanded(join(folder, "threads", "data"))), landed)

/** How a request ends, whatever runs us: catalogs and stores are asked over `fetch`, which differs between runtimes. */
const callEnds = Effect.gen(function* () {
  const server = yield* misbehavingServer(({ bytes, headers }) =>
    Promise.resolve({ status: 206, headers: { etag: String(headers["x-sent"]) }, body: bytes })
  )
  const { call } = yield* HttpCalls
  const ask = (url: string, fate?: Fate) => {
    // more than once: Deno repeats what ends without an answer
    if (fate !== undefined) server.meet(({ path }) => url.endsWith(path), fate, fate, fate)
    const body = new Uint8Array([0, 200, 255])
    const headers = { "x-sent": "me" }
    return call({ method: "PUT", url, headers, body, timeoutMs: 300, answerBytesMax: 10 }).pipe(
      Effect.map(({ body: answered, header, status }) => `${status} ${header("etag")} ${[...answered].join(",")}`),
      Effect.catch(({ reason }) => Effect.succeed(reason))
    )
  }
  return [
    yield* ask(server.url),
    yield* ask(`${server.url}/broken`, "broken"),
    yield* ask(`${server.url}/never`, "never"),
    yield* ask(`${server.url}/long`, { status: 200, body: "longer than ten bytes" }),
    yield* ask(`${server.url}/moved`, { status: 302, headers: { location: "/elsewhere" } }),
    yield* ask("http://127.0.0.1:54321/")
  ]
}).pipe(Effect.scoped, Effect.provide(HttpCalls.layer))

const calls = await Effect.runPromise(callEnds)
assert.deepEqual(calls, ["206 me 0,200,255", "Broken", "TimedOut", "TooLong", "302 undefined ", "NotSent"])
console.log(JSON.stringify({ log, decoded, jobs, landed, calls }))
