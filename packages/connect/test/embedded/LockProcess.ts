/**
 * A process that takes a job's lock and holds it until it is killed: for tests. `bun LockProcess.ts DATA JOB`
 */
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { holdJobLock } from "../../src/embedded/JobLock.ts"

const [dataDirectory = "", job = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  yield* holdJobLock({ job, dataDirectory })
  // a connection that only a frame refers to would be collected by now
  yield* Effect.sleep(50)
  for (let round = 0; round < 20; round++) new Array(100_000).fill(round)
  writeSync(1, "held\n")
  yield* Effect.sleep("1 hour")
})

await Effect.runPromise(Effect.scoped(program))
