/**
 * Runs a job over a file of transactions to its end: the file itself as the source, or through the embedded log.
 *
 * `W1.ts` to `W4.ts` call it. What is committed is shown to `taken` and written nowhere. Through the log the file is fed first,
 * as the pipeline feeds it, into a log of its own that is deleted afterwards, and read from there; positions and deltas of
 * state are committed to it. Feed and job are told apart.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EmbeddedLog, feedFile } from "@frazil/connect"
import { Decoder, KeyScanner, type PackedRecords, type Topic } from "@frazil/core"
import { type Append, Job, Log } from "@frazil/engine"
import { Effect, Layer } from "effect"
import { BenchError } from "../support/BenchError.ts"
import { makeFileLog } from "../support/FileLog.ts"
import { jobServices } from "../support/JobServices.ts"
import { cpuMicros } from "../support/Measure.ts"
import { source } from "./Transactions.ts"

export type Through = "file" | "log"

/** CPU of the process; absent with the file as the source, where there is no feed. */
export interface LogCost {
  readonly feedMicros: number
  readonly jobMicros: number
}

export interface Ran {
  readonly status: ReturnType<ReturnType<typeof Job.monitor>["status"]>[number]
  readonly logCost: LogCost | undefined
}

const run = Effect.fnUntraced(function* (job: Job.Job, complete: () => boolean) {
  const monitor = Job.monitor()
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.sync(complete), observer: monitor })
  const [status] = monitor.status()
  if (status === undefined) throw new Error("a job that ran has a status")
  const { evicted = 0 } = status.ledger
  if (evicted > 0)
    throw new BenchError(`the answer is not whole: ${evicted} records were one too many for a bound of ${job.name}`)
  return status
})

const overFile = (job: Job.Job, file: string, taken: (append: Append) => void) => {
  const log = makeFileLog(source.name, file, taken)
  const services = Layer.merge(log.layer, jobServices)
  return Effect.map(run(job, log.complete), (status): Ran => ({ status, logCost: undefined })).pipe(
    Effect.provide(services)
  )
}

const fedAndRun = Effect.fnUntraced(function* (job: Job.Job, file: string, taken: (append: Append) => void) {
  const log = yield* Log
  const before = cpuMicros()
  yield* log.ensureTopic({ name: source.name, partitions: source.partitions })
  yield* feedFile({ file, topic: source.name, keys: KeyScanner.make(source), owner: "bench" })
  const fed = cpuMicros()
  const watched = {
    ...log,
    commit: ({ owner, shards }: Parameters<typeof log.commit>[0]) => {
      const outputs = shards.flatMap((shard) => shard.outputs)
      outputs.forEach(taken)
      const committed = log.commit({ owner, shards: shards.map((shard) => ({ ...shard, outputs: [] })) })
      // a place for each, which nobody looks up
      return Effect.as(
        committed,
        outputs.map(({ partition, topic }) => ({ topic, partition, offset: 0 }))
      )
    }
  }
  const status = yield* run(job, () => true).pipe(Effect.provideService(Log, watched))
  return { status, logCost: { feedMicros: fed - before, jobMicros: cpuMicros() - fed } } satisfies Ran
})

const throughLog = (job: Job.Job, file: string, taken: (append: Append) => void) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "frazil-workload-"))),
    (root) =>
      fedAndRun(job, file, taken).pipe(
        Effect.provide(Layer.merge(EmbeddedLog.layer({ file: join(root, "log.db") }), jobServices))
      ),
    (root) => Effect.promise(() => rm(root, { recursive: true, force: true }))
  )

export const runJob = (job: Job.Job, file: string, through: Through, taken: (append: Append) => void): Promise<Ran> =>
  Effect.runPromise(through === "log" ? throughLog(job, file, taken) : overFile(job, file, taken))

/** Calls `take` with each record that is committed to the topic. */
export const recordsOf = <A>(topic: Topic<A>, take: (record: A) => void): ((append: Append) => void) => {
  const decoder = Decoder.make(topic)
  const placed = (records: PackedRecords) => ({
    ...records,
    offsets: new Float64Array(records.length),
    timestamps: new Float64Array(records.length)
  })
  return ({ records, topic: name }) => {
    if (name !== topic.name) return
    const batch = decoder.decode(placed(records))
    if (batch.failures.length > 0) throw new Error(`${name} holds what its own contract does not read`)
    for (let row = 0; row < batch.length; row++) take(decoder.record(batch, row))
  }
}
