/**
 * What the main thread and a thread that runs jobs tell each other: few and small, never a record.
 *
 * `ThreadSide.ts` speaks for the thread, `Threads.ts` for the program. Both sides decode what comes with these schemas; the
 * messages go by structured clone, so that they hold plain values alone.
 */
import type { Job } from "@frazil/engine"
import { Schema } from "effect"

const works = Schema.Array(Schema.String)

/** To a thread. */
export const ToThread = Schema.Union([
  /** The shards that it has now; another generation is another share. */
  Schema.TaggedStruct("Share", { generation: Schema.Int, works }),
  /** Of bounded runs: topics to which nothing will be appended any more. */
  Schema.TaggedStruct("Complete", { topics: Schema.Array(Schema.String) }),
  /** Of bounded runs: shards of any thread that came to their end. */
  Schema.TaggedStruct("Ended", { works }),
  /** The answer to `Confirm`, after the share that it confirms; with a reason when nobody could be asked. */
  Schema.TaggedStruct("Confirmed", { problem: Schema.optionalKey(Schema.String) }),
  /** The answer to a `Query`: rows, or how it failed. */
  Schema.TaggedStruct("Rows", {
    id: Schema.Int,
    rows: Schema.optionalKey(Schema.Array(Schema.Array(Schema.NullOr(Schema.String)))),
    failed: Schema.optionalKey(
      Schema.Struct({
        reason: Schema.Literals(["TimedOut", "Failed"]),
        message: Schema.String,
        code: Schema.optionalKey(Schema.String)
      })
    )
  }),
  Schema.TaggedStruct("Stop", {})
])
export type ToThread = typeof ToThread.Type

const counts = Schema.Record(Schema.String, Schema.Finite)
const maybe = Schema.UndefinedOr(Schema.Finite)

const Lookup = Schema.Struct({
  name: Schema.String,
  asked: Schema.Finite,
  calls: Schema.Finite,
  answered: Schema.Finite,
  failed: counts,
  threw: Schema.Finite,
  retried: Schema.Finite,
  timedOut: Schema.Finite,
  cacheHits: Schema.Finite,
  cacheNegativeHits: Schema.Finite,
  cacheMisses: Schema.Finite,
  cacheSize: Schema.Finite,
  inFlight: Schema.Finite,
  held: Schema.Finite,
  waiting: Schema.Finite,
  concurrency: Schema.Finite,
  breaker: Schema.Literals(["closed", "open", "half-open"]),
  opened: Schema.Finite,
  latencyP50Ms: maybe,
  latencyP95Ms: maybe,
  latencyP99Ms: maybe
})

const Stage = Schema.Struct({
  job: Schema.String,
  topic: Schema.String,
  in: Schema.Finite,
  out: counts,
  validated: Schema.Finite,
  deadLettered: Schema.Finite,
  failed: Schema.Finite,
  late: Schema.Finite,
  slow: Schema.Finite,
  totals: Schema.Record(Schema.String, Schema.Struct({ records: Schema.Finite, sum: Schema.NullOr(Schema.String) })),
  ledger: counts,
  tables: Schema.Record(Schema.String, Schema.Struct({ in: Schema.Finite, deadLettered: Schema.Finite })),
  watermarkMs: maybe,
  silent: Schema.Boolean,
  /** Of a map: partition and offset. */
  positions: Schema.Array(Schema.Tuple([Schema.Int, Schema.Finite])),
  epochs: Schema.Finite,
  keys: Schema.Finite,
  lookups: Schema.Array(Lookup),
  finished: Schema.Boolean,
  problem: Schema.UndefinedOr(Schema.String)
})

/** From a thread. */
export const FromThread = Schema.Union([
  /** It listens. */
  Schema.TaggedStruct("Hello", {}),
  Schema.TaggedStruct("Offer", { works }),
  /** Who was fenced asks for the share in force. */
  Schema.TaggedStruct("Confirm", {}),
  /** The first epoch since it started, of any shard. */
  Schema.TaggedStruct("Committed", {}),
  Schema.TaggedStruct("Ended", { works }),
  Schema.TaggedStruct("JobEnded", { job: Schema.String }),
  Schema.TaggedStruct("Status", { stages: Schema.Array(Stage) }),
  /** What its tasks measured since it said so last: the gateway has the main thread's registry. */
  Schema.TaggedStruct("Measured", {
    values: Schema.Array(
      Schema.Struct({
        measure: Schema.Literals([
          "processing",
          "endToEnd",
          "checkpoint",
          "backpressured",
          "pause",
          "state",
          "base",
          "increment"
        ]),
        job: Schema.String,
        topic: Schema.String,
        partition: Schema.optionalKey(Schema.Int),
        value: Schema.Finite
      })
    )
  }),
  /** A statement for a database that only the main thread has open: `AskedClient.ts`. */
  Schema.TaggedStruct("Query", {
    id: Schema.Int,
    text: Schema.String,
    parameters: Schema.Array(Schema.Union([Schema.NullOr(Schema.String), Schema.Array(Schema.String)]))
  }),
  /** What a job cannot go on from: no thread would. */
  Schema.TaggedStruct("Failed", { message: Schema.String }),
  /** A bug, or what looks like one: another thread may get further. */
  Schema.TaggedStruct("Died", { cause: Schema.String })
])
export type FromThread = typeof FromThread.Type

export const decodeToThread = Schema.decodeUnknownSync(ToThread)
export const decodeFromThread = Schema.decodeUnknownSync(FromThread)

export const statusMessage = (stages: ReadonlyArray<Job.StageStatus>): FromThread => ({
  _tag: "Status",
  stages: stages.map((stage) => ({ ...stage, ledger: { ...stage.ledger }, positions: [...stage.positions] }))
})

export const statusesOf = ({ stages }: Extract<FromThread, { _tag: "Status" }>): ReadonlyArray<Job.StageStatus> =>
  stages.map((stage) => ({ ...stage, positions: new Map(stage.positions) }))
