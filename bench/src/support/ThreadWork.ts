/** W2 on threads: the job, what it reads, and the windows that it found, the same in the main thread and in others. */
import { EmbeddedLog } from "@frazil/connect"
import { type Append, Job, Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect, Layer } from "effect"
import { jobServices } from "./JobServices.ts"
import { makePartitionLog } from "./PartitionFiles.ts"
import { collectWindows, w2, windowsJob } from "../workload/Windows.ts"

/** Where records come from: a file for each partition and commits that are only counted, or the embedded log. */
export type Through = "file" | "log"

export interface ThreadWork {
  readonly through: Through
  readonly folder: string
  /** Counts the threads that have loaded their program: nobody begins before all have. */
  readonly ready: Int32Array
}

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

export const job = windowsJob("w2", w2, "written", RawTransactions)

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

/** Runs the job over the shards that are this thread's; the rows that its windows gave. */
export const runWork = Effect.fnUntraced(function* (
  { folder, through }: Omit<ThreadWork, "ready">,
  options: Partial<Job.RunOptions>
): Effect.fn.Return<ReadonlyArray<string>, { readonly message: string }> {
  const { rows, taken } = collectWindows()
  const files = Array.from({ length: partitions }, (_, partition) => partitionFile(folder, partition))
  const log =
    through === "file"
      ? makePartitionLog(RawTransactions.name, files, taken)
      : seeing(EmbeddedLog.layer({ file: `${folder}/log.db` }), taken)
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), ...options }).pipe(
    Effect.provide(Layer.merge(log, jobServices))
  )
  return rows
})
