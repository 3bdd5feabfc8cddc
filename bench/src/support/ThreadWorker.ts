/** A thread of the benchmark `threads`: leaves the rows that it found in a file. */
import { writeFileSync } from "node:fs"
import { workerData } from "node:worker_threads"
import { Instances } from "@frazil/engine"
import { runThread } from "@frazil/platform/threads"
import { Effect } from "effect"
import { allReady, runWork, type ThreadFound, threadSeconds, type ThreadWork } from "./ThreadWork.ts"

const work = workerData as ThreadWork & { readonly index: number; readonly threads: number } // of `threads.ts`

Atomics.add(work.ready, 0, 1)
let loaded = 0

runThread({ shared: false }, ({ instances, jobEnded, observer }) =>
  Effect.andThen(
    Effect.tap(allReady(work.ready, work.threads), () => Effect.sync(() => (loaded = threadSeconds()))),
    runWork(work, work.steady, { observer })
  ).pipe(
    Effect.provideService(Instances, instances),
    Effect.map((rows) => {
      writeFileSync(
        `${work.folder}/rows-${work.index}.json`,
        JSON.stringify({ rows, seconds: threadSeconds() - loaded } satisfies ThreadFound)
      )
      jobEnded(work.job)
    })
  )
)
