/** W2 on threads: the job, what it reads, and the windows that it found, the same in the main thread and in others. */
import { EmbeddedLog, kafkaLogLayer } from "@frazil/connect"
import { type Append, Job, Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect, Layer } from "effect"
import { jobServices } from "./JobServices.ts"
import { rounded } from "./Measure.ts"
import { makePartitionLog } from "./PartitionFiles.ts"
import { collectWindows, w2, windowsJob } from "../workload/Windows.ts"

/** Where records come from: a file for each partition and commits that are only counted, the embedded log, or Kafka. */
export type Through = "file" | "log" | "kafka"

/** One run, as a process and its threads are told. */
export interface ThreadRun {
  readonly through: Through
  readonly folder: string
  /** Of each run its own: a topic that is there is read again from its beginning. */
  readonly job: string
  /** Of all partitions. */
  readonly records: number
}

export interface ThreadWork extends ThreadRun {
  /** Counts the threads that have loaded their program: nobody begins before all have. */
  readonly ready: Int32Array
  readonly steady: Steady
}

/** Of all threads: records read so far, and epoch milliseconds of when they were the first and the last that count as steady. */
export interface Steady {
  readonly seen: Int32Array
  readonly at: Float64Array
}

/** By then what runs often is compiled; and no thread has read all of its partitions yet. */
const steadyParts = [1 / 3, 9 / 10] as const

export const makeSteady = (): Steady => ({
  seen: new Int32Array(new SharedArrayBuffer(4)),
  at: new Float64Array(new SharedArrayBuffer(16))
})

/** What part of the run that was takes, as though all of it were. */
export const steadySeconds = ({ at }: Steady): number =>
  rounded((at[1]! - at[0]!) / 1000 / (steadyParts[1] - steadyParts[0]), 3)

const epochMs = (): number => performance.timeOrigin + performance.now()

const readyEveryMs = 1

/** Ends when so many threads have loaded their program. */
export const allReady = (ready: Int32Array, threads: number) =>
  Effect.repeat(Effect.sleep(readyEveryMs), { while: () => Atomics.load(ready, 0) < threads })

/** What a thread leaves in its file. */
export interface ThreadFound {
  readonly rows: ReadonlyArray<string>
  readonly seconds: number
}

/** CPU of this thread so far. */
export const threadSeconds = (): number => {
  const { system, user } = process.threadCpuUsage()
  return Number(((user + system) / 1e6).toFixed(3))
}

export const partitions = RawTransactions.partitions
export const partitionFile = (folder: string, partition: number) => `${folder}/p${partition}.ndjson`

/** Where `threads.ts` starts a broker. */
export const kafkaPort = 19_793
const broker = { host: "127.0.0.1", port: kafkaPort }

/** The log of the cluster, or that of the folder's file. */
export const throughLog = (through: "log" | "kafka", file: string) =>
  through === "kafka" ? kafkaLogLayer({ brokers: [broker] }) : EmbeddedLog.layer({ file })

/** Sees what is committed, on its way. */
const seeing = (log: Layer.Layer<Log, unknown>, taken: (append: Append) => void) =>
  Layer.effect(
    Log,
    Effect.map(Log, (inner) => ({
      ...inner,
      commit: (epoch: Parameters<typeof inner.commit>[0]) =>
        Effect.tap(inner.commit(epoch), () =>
          Effect.sync(() => epoch.shards.forEach(({ outputs }) => outputs.forEach(taken)))
        )
    }))
  ).pipe(Layer.provide(Layer.orDie(log)))

/** Counts what is read. */
const counting = (log: Layer.Layer<Log>, { records }: ThreadRun, { at, seen }: Steady) =>
  Layer.effect(
    Log,
    Effect.map(Log, (inner) => ({
      ...inner,
      read: (...asked: Parameters<typeof inner.read>) =>
        Effect.tap(inner.read(...asked), ({ length }) =>
          Effect.sync(() => {
            const before = Atomics.add(seen, 0, length)
            for (const [mark, part] of steadyParts.entries())
              if (before < part * records && before + length >= part * records) at[mark] = epochMs()
          })
        )
    }))
  ).pipe(Layer.provide(log))

const logOf = ({ folder, through }: ThreadRun, taken: (append: Append) => void): Layer.Layer<Log> => {
  if (through !== "file") return seeing(throughLog(through, `${folder}/log.db`), taken)
  const files = Array.from({ length: partitions }, (_, partition) => partitionFile(folder, partition))
  return makePartitionLog(RawTransactions.name, files, taken)
}

/** Runs the job over the shards that are this thread's; the rows that its windows gave. */
export const runWork = Effect.fnUntraced(function* (
  run: ThreadRun,
  steady: Steady,
  options: Partial<Job.RunOptions>
): Effect.fn.Return<ReadonlyArray<string>, { readonly message: string }> {
  const { rows, taken } = collectWindows()
  const job = windowsJob(run.job, w2, "written", RawTransactions)
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), ...options }).pipe(
    Effect.provide(Layer.merge(counting(logOf(run, taken), run, steady), jobServices))
  )
  return rows
})
