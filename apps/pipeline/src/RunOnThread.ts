/** A thread of a pipeline, which `ThreadMain.ts` begins: runs every job over the shards that the main thread deals to it, on a log and services of its own. */
import { workerData } from "node:worker_threads"
import { Instances } from "@frazil/engine"
import { checkpointLayer, dataDirectory, logLayer, runThread, type ThreadContext } from "@frazil/platform/threads"
import { Effect, Layer } from "effect"
import { jobsOf, runJob } from "./Jobs.ts"
import { servicesLayer } from "./Services.ts"
import { decodeThreadData, jobOptions } from "./ThreadData.ts"

const data = decodeThreadData(workerData)
const directory = dataDirectory(data.data, undefined, data.log, undefined, data.checkpoints)

const layers = ({ client }: ThreadContext) =>
  Layer.mergeAll(
    servicesLayer({
      flows: data.flows,
      directory,
      settingsFile: data.settingsFile,
      bureau: data.bureau,
      claims: client,
      // the main thread has said it
      say: () => {}
    }),
    // and the main thread's
    logLayer(directory, { logs: data.threads + 1 }),
    checkpointLayer(directory)
  )

const runJobs = ({ inputComplete, instances, jobEnded, observer }: ThreadContext) =>
  Effect.forEach(
    jobsOf(jobOptions(data)),
    (job) =>
      runJob({ job, options: data, inputComplete, observer, part: { index: data.index, of: data.threads } }).pipe(
        Effect.tap(() => Effect.sync(() => jobEnded(job.name)))
      ),
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.provideService(Instances, instances))

/** Begins to heed the main thread. */
export const runOnThread = (): void =>
  runThread({ shared: data.shared }, (context) => runJobs(context).pipe(Effect.provide(layers(context))))
