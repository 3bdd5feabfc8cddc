/**
 * Runs one query over lines of events: into the embedded log, through the job to the end of the input, final rows out.
 *
 * The command and the tests call it. The log is a file of its own, deleted afterwards; what is measured is the job, from
 * the log with the events to the log with the rows.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { type DurationText, layerMemory, makeRecordBuilder } from "@frazil/core"
import {
  CheckpointStore,
  DeadLetters as DeadLetterContract,
  Job,
  Ledger as LedgerContract,
  Log,
  type LogError
} from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Layer } from "effect"
import { canonicalLine } from "./CanonicalLine.ts"
import { type EventKey, eventsTopic, openEvents } from "./Event.ts"
import { makeFinalRows } from "./FinalRows.ts"
import type { Query } from "./Query.ts"

/** nexmark-flink's: four seconds, and Flink's watermark is one millisecond further behind than ours. */
const outOfOrdernessDefault: DurationText = "3999ms"

/** Lines that one append takes. */
const groupLinesMax = 20_000

export interface QueryOptions {
  readonly outOfOrderness?: DurationText
  /** An epoch has so many records; for tests. Default 50,000. */
  readonly epochRecords?: number
}

export interface Answer {
  /** Final rows as JSON, in the order of the log. */
  readonly rows: ReadonlyArray<string>
  readonly events: number
  /** Events that no window or pattern took: too late, or one too many. */
  readonly ledger: number
  readonly deadLettered: number
  readonly cpuMicrosPerEvent: number
}

const feed = Effect.fnUntraced(function* (key: EventKey, lines: Iterable<string>) {
  const log = yield* Log
  const topic = eventsTopic(key)
  yield* log.ensureTopic(topic)
  const producer = yield* log.producer("nexmark")
  const builder = makeRecordBuilder()
  const append = Effect.suspend(() =>
    builder.length() === 0
      ? Effect.void
      : producer.append(producer.nextSequence, [{ topic: topic.name, partition: 0, records: builder.take() }])
  )
  let events = 0
  for (const line of lines) {
    if (line.trim() === "") continue
    builder.addText(canonicalLine(line), null)
    events++
    if (builder.length() === groupLinesMax) yield* append
  }
  yield* append
  return events
}, Effect.scoped)

const text = new TextDecoder()

/** Calls `take` with each value of a topic, partition by partition. */
const readValues = Effect.fnUntraced(function* (topic: string, take: (value: string) => void) {
  const log = yield* Log
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    for (let offset = start; offset < end;) {
      const batch = yield* log.read(topic, partition, offset, { recordsMax: 50_000, bytesMax: 8_000_000 })
      for (let row = 0; row < batch.length; row++) {
        take(text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])))
      }
      offset = batch.next
    }
  }
})

const countOf = Effect.fnUntraced(function* (topic: string) {
  const log = yield* Log
  const known = (yield* log.topics).some(({ name }) => name === topic)
  return known ? (yield* log.bounds(topic)).reduce((all, { end, start }) => all + end - start, 0) : 0
})

const answer = Effect.fnUntraced(function* (query: Query, lines: Iterable<string>, options: QueryOptions) {
  const { epochRecords = 50_000, outOfOrderness = outOfOrdernessDefault } = options
  const events = yield* feed(query.keyedBy, lines)
  const jobs = [
    Job.make(query.name, [query.flow(openEvents(query.keyedBy, outOfOrderness))]),
    ...(query.second === undefined ? [] : [Job.make(`${query.name}-second`, [query.second()])])
  ]
  const before = process.cpuUsage()
  for (const job of jobs) {
    yield* Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), epochRecords })
  }
  const { system, user } = process.cpuUsage(before)
  const rows = makeFinalRows(query.rowKey)
  yield* readValues(query.output.name, rows.add)
  return {
    rows: rows.take(),
    events,
    ledger: yield* countOf(Ledger.name),
    deadLettered: yield* countOf(DeadLetters.name),
    cpuMicrosPerEvent: Number(((user + system) / Math.max(events, 1)).toFixed(2))
  } satisfies Answer
})

/** The query's answer over the lines. */
export const runQuery = (
  query: Query,
  lines: Iterable<string>,
  options: QueryOptions = {}
): Effect.Effect<Answer, LogError | Effect.Error<ReturnType<typeof Job.run>>> =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "frazil-nexmark-"))),
    (root) =>
      answer(query, lines, options).pipe(
        Effect.provide(
          Layer.mergeAll(
            EmbeddedLog.layer({ file: join(root, "log.db") }),
            CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
            Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
            Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
          )
        )
      ),
    (root) => Effect.promise(() => rm(root, { recursive: true, force: true }))
  )
