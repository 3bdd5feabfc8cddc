/**
 * From a transaction's append to its alert, at 1,000 events a second: the real pipeline with its default epochs in a process
 * of its own, and a reader that follows the topic `alerts` from this one.
 *
 * usage: bun bench/src/alerts.ts [ignored] [seconds] [rate] [kafka]. With `kafka` the log is on a broker of its own, started by
 * the scripts in `FRAZIL_INFRA`, the transactions job runs alone, and `apps/generator` fills its topic. Of row rules the time counts from the append of the record; of window
 * rules from the append of the record by which the watermark passed the window's end. Until the reader has the alert; and
 * until the log's own timestamp of it. Prints one JSON object.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import type { RecordBatch } from "@frazil/core"
import { Log } from "@frazil/engine"
import { Alerts, RawTransactions } from "@frazil/model"
import { dataDirectory, logLayer } from "@frazil/platform"
import { sharedKafka } from "@frazil/sim/kafka"
import { Clock, Effect } from "effect"

/** More than a minute: windows of the shipped rules end with it. */
const seconds = Number(process.argv[3] ?? 80)
const rate = Number(process.argv[4] ?? 1_000)
const onKafka = process.argv[5] === "kafka"
/** The pipeline's default. */
const outOfOrdernessMs = 5_000
/** Both programs are up by then, and the first windows are open. */
const warmUpMs = onKafka ? 10_000 : 0
const limits = { recordsMax: 10_000, bytesMax: 16 * 1024 * 1024 }
const pollMs = 2

interface Seen {
  readonly partition: number
  readonly offset: number
  readonly windowEnd: number | undefined
  readonly revision: number
  readonly loggedAtMs: number
  readonly seenAtMs: number
}

/** A partition of transactions: when each was appended, and when the greatest event time rose. */
interface Source {
  readonly appendedAtMs: Array<number>
  readonly rises: Array<{ readonly eventTime: number; readonly appendedAtMs: number }>
}

const decoder = new TextDecoder()
const valueOf = (batch: RecordBatch, row: number): unknown =>
  JSON.parse(decoder.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])))

/** Reads what is new in every partition of a topic. */
const follow = (topic: string, partitions: number) => {
  const next = Array.from({ length: partitions }, () => 0)
  return Effect.fnUntraced(function* (take: (batch: RecordBatch, partition: number, nowMs: number) => void) {
    const log = yield* Log
    for (let partition = 0; partition < partitions; partition++) {
      for (;;) {
        const batch = yield* log.read(topic, partition, next[partition]!, limits)
        if (batch.length === 0) break
        take(batch, partition, yield* Clock.currentTimeMillis)
        next[partition] = batch.next
      }
    }
  })
}

const takeAlerts = (alerts: Array<Seen>) => (batch: RecordBatch, _: number, seenAtMs: number) => {
  for (let row = 0; row < batch.length; row++) {
    // written by the topic's contract
    const alert = valueOf(batch, row) as {
      readonly revision: number
      readonly window_end?: string
      readonly sources: ReadonlyArray<{ readonly partition: number; readonly offset: number }>
    }
    const { offset, partition } = alert.sources[0]!
    const windowEnd = alert.window_end === undefined ? undefined : Date.parse(alert.window_end)
    alerts.push({
      partition,
      offset,
      windowEnd,
      revision: alert.revision,
      loggedAtMs: batch.timestamps[row]!,
      seenAtMs
    })
  }
}

const takeTransactions = (sources: ReadonlyArray<Source>) => (batch: RecordBatch, partition: number) => {
  const { appendedAtMs, rises } = sources[partition]!
  for (let row = 0; row < batch.length; row++) {
    const at = batch.timestamps[row]!
    appendedAtMs[batch.offsets[row]!] = at
    const { event_timestamp } = valueOf(batch, row) as { readonly event_timestamp: string } // as above
    const eventTime = Date.parse(event_timestamp)
    if (eventTime > (rises.at(-1)?.eventTime ?? 0)) rises.push({ eventTime, appendedAtMs: at })
  }
}

const startedFrom = ({ offset, partition, windowEnd }: Seen, sources: ReadonlyArray<Source>): number | undefined => {
  const { appendedAtMs, rises } = sources[partition]!
  if (windowEnd === undefined) return appendedAtMs[offset]
  return rises.find(({ eventTime }) => eventTime >= windowEnd + outOfOrdernessMs)?.appendedAtMs
}

const summaryOf = (values: ReadonlyArray<number>) => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null
  return { alerts: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? null }
}

const root = await mkdtemp(join(tmpdir(), "frazil-alerts-"))
const kafka = sharedKafka(19_792)
const place = onKafka ? ({ _tag: "Kafka", brokers: [kafka.broker] } as const) : undefined
const directory = dataDirectory(join(root, "data"), undefined, place)
const log = onKafka ? ["--log", `kafka://${kafka.broker.host}:${kafka.broker.port}`] : []

const start = (app: string, args: ReadonlyArray<string>) => {
  const main = resolve(import.meta.dirname, "../../apps", app)
  const child = spawn(process.execPath, [main, ...args, "--data", directory.root, ...log], { stdio: "ignore" })
  return { child, exited: new Promise<void>((done) => child.once("exit", () => done())) }
}

/** What runs, the last to be stopped first. */
const startAll = () =>
  onKafka
    ? [
        start("pipeline", ["--jobs", "transactions", "--no-generator", "--port", "0"]),
        start("generator", ["transactions", "--rate", String(rate)])
      ]
    : [start("pipeline", ["--rate", String(rate), "--port", "0"])]

const measure = Effect.gen(function* () {
  const log = yield* Log
  const alerts: Array<Seen> = []
  const sources = Array.from({ length: RawTransactions.partitions }, (): Source => ({ appendedAtMs: [], rises: [] }))
  const followAlerts = follow(Alerts.name, Alerts.partitions)
  const followTransactions = follow(RawTransactions.name, RawTransactions.partitions)
  const ready = Effect.all([log.topic(Alerts.name), log.topic(RawTransactions.name)])
  yield* ready.pipe(Effect.retry({ while: ({ reason }) => reason === "TopicMissing" }))
  const startedAtMs = yield* Clock.currentTimeMillis
  while ((yield* Clock.currentTimeMillis) - startedAtMs < seconds * 1000) {
    yield* followAlerts(takeAlerts(alerts))
    yield* followTransactions(takeTransactions(sources))
    yield* log.awaitAppend(pollMs)
  }
  yield* followTransactions(takeTransactions(sources))
  const measured = (wanted: (alert: Seen) => boolean, end: "loggedAtMs" | "seenAtMs") =>
    summaryOf(
      alerts.filter(wanted).flatMap((alert) => {
        const from = startedFrom(alert, sources)
        return from === undefined || from < startedAtMs + warmUpMs ? [] : [alert[end] - from]
      })
    )
  // a revised window was made to fire by the late record, which the alert does not tell from its others
  const row = ({ windowEnd }: Seen) => windowEnd === undefined
  const window = ({ revision, windowEnd }: Seen) => windowEnd !== undefined && revision === 0
  const rows = measured(row, "seenAtMs")
  const windows = measured(window, "seenAtMs")
  return {
    w: onKafka ? "alerts through Kafka" : "alerts",
    seconds,
    rate,
    transactions: sources.reduce((sum, { appendedAtMs }) => sum + appendedAtMs.length, 0),
    rowsMs: rows,
    rowsLoggedMs: measured(row, "loggedAtMs"),
    windowsMs: windows,
    windowsLoggedMs: measured(window, "loggedAtMs"),
    rowP99Ms: rows.p99,
    windowP99Ms: windows.p99
  }
})

if (onKafka) await kafka.start()
const running = startAll()
const result = await Effect.runPromise(Effect.provide(measure, logLayer(directory)))
for (const { child, exited } of running.toReversed()) {
  child.kill("SIGINT")
  await exited
}
if (onKafka) await kafka.stop()
process.stdout.write(`${JSON.stringify(result)}\n`)
await rm(root, { recursive: true, force: true })
