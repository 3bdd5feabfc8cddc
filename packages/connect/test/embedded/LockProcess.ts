/**
 * A process that takes a job's lock and holds it until it is killed: for tests. `bun LockProcess.ts DATA JOB`
 */
import { Effect, Scope } from "effect"
import { writeSync } from "node:fs"
import { holdJobLock } from "../../src/embedded/JobLock.ts"

const [dataDirectory = "", job = ""] = process.argv.slice(2)

// the cast: only Bun has this, and only when it runs us
const collectGarbage = () => (globalThis as { Bun?: { gc: (force: boolean) => void } }).Bun?.gc(true)

const program = Effect.gen(function* () {
  // a scope that nobody refers to any more: what holds the lock must not be collected with it
  yield* Effect.flatMap(Scope.make(), (scope) => Scope.provide(holdJobLock({ job, dataDirectory }), scope))
  yield* Effect.sleep(10)
  yield* Effect.sync(collectGarbage)
  yield* Effect.sleep(10)
  writeSync(1, "held\n")
  yield* Effect.sleep("1 hour")
})

await Effect.runPromise(program)
