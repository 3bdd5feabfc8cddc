/** Ends a query's process when it takes too long or holds too much memory. The process is not asked: it may not answer. */
import { Effect } from "effect"
import { QueryError } from "../QueryError.ts"
import type { QueryLimits } from "../QueryLimits.ts"
import { residentBytes } from "./ProcessMemory.ts"
import type { QueryProcess } from "./QueryProcess.ts"

/** What a process holds beside what DuckDB counts: the runtime, and what statements hold while they run. */
const overheadBytes = 384 * 1024 * 1024
const lookEveryMs = 25

const tooLong = (limits: QueryLimits) =>
  new QueryError({
    reason: "LimitReached",
    limit: "time",
    message: `the query took longer than ${limits.timeoutMs} ms and was ended`,
    hint: "ask for less, or with a higher timeout_ms"
  })

const tooMuch = (limits: QueryLimits) =>
  new QueryError({
    reason: "LimitReached",
    limit: "memory",
    message: `the query held more memory than its limit of ${Math.round(limits.memoryBytesMax / (1024 * 1024))} MiB allows and was ended`,
    hint: "ask for less, or with a higher memory_mb"
  })

/** Watches until it has ended the process or is interrupted. */
export const guard = (process: QueryProcess, limits: QueryLimits): Effect.Effect<void> => {
  const onTime = Effect.andThen(Effect.sleep(limits.timeoutMs), process.end(tooLong(limits)))
  const onMemory = Effect.gen(function* () {
    while (!process.ended()) {
      const held = yield* Effect.promise(() => residentBytes(process.pid))
      if (held !== undefined && held > limits.memoryBytesMax + overheadBytes) return yield* process.end(tooMuch(limits))
      yield* Effect.sleep(lookEveryMs)
    }
  })
  return Effect.asVoid(Effect.raceFirst(onTime, onMemory))
}
