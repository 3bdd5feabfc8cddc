/** Threads that are ended in the middle of their work: what a person cannot do to a worker, and an operating system may. */
import type { ThreadSaid } from "@frazil/platform"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Place, RunIn } from "./PipelineRun.ts"

/** Whatever it is, topics and tables are the same. */
export const parallelisms = [1, 2, 4] as const

/** Ends each thread when it has committed first, in its first life. */
const killing = (lives: number) => {
  let deaths = 0
  const watch = ({ incarnation, said, thread }: ThreadSaid) => {
    if (said !== "Committed" || incarnation >= lives) return
    deaths++
    Effect.runFork(thread.terminate)
  }
  return { watch, deaths: () => deaths }
}

/** A run on two threads, in small epochs, each of which dies once. */
export const runDying = <A, E, R>(run: (place: Place, given: RunIn) => Effect.Effect<A, E, R>, place: Place) =>
  Effect.gen(function* () {
    const { deaths, watch } = killing(1)
    const summary = yield* run(place, { parallelism: 2, recordsMax: 20, watch })
    assert.isAtLeast(deaths(), 2)
    return summary
  })
