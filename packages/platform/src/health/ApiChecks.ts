/**
 * Gateways over a data directory: each tells where it answers, by a lock whose name is its address; health asks it there.
 *
 * The lock goes with the process, `kill -9` included, so a gateway that is gone is not taken for one that is ill.
 */
import { readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { holdJobLock, jobRunning } from "@frazil/connect"
import { Effect } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import { healthy, ill, type Part } from "./Part.ts"

const prefix = "api."
const suffix = ".lock"
const answerTimeoutMs = 5_000

const lockPath = (directory: DataDirectory, job: string): string =>
  join(directory.locksFolder, `${encodeURIComponent(job)}${suffix}`)

const locksTold = Effect.fnUntraced(function* (directory: DataDirectory) {
  const files = yield* Effect.promise(() => readdir(directory.locksFolder).catch((): ReadonlyArray<string> => []))
  const jobs = files
    .filter((file) => file.startsWith(prefix) && file.endsWith(suffix))
    .map((file) => decodeURIComponent(file.slice(0, -suffix.length)))
  return yield* Effect.forEach(jobs, (job) =>
    jobRunning({ job, dataDirectory: directory.root }).pipe(
      Effect.orElseSucceed(() => false),
      Effect.map((running) => ({ job, running }))
    )
  )
})

/** Files of gateways that were killed: each start at a free port would leave one more. */
const removeAbandoned = Effect.fnUntraced(function* (directory: DataDirectory) {
  for (const { job, running } of yield* locksTold(directory)) {
    if (!running) yield* Effect.promise(() => rm(lockPath(directory, job), { force: true }).catch(() => undefined))
  }
})

/**
 * Says, until the scope ends, that a gateway answers at the address. Where that cannot be written the gateway serves all
 * the same, and health does not know of it.
 */
export const tellAddress = Effect.fnUntraced(function* (directory: DataDirectory, address: string) {
  const job = `${prefix}${new URL(address).host}`
  // after the lock is released
  yield* Effect.addFinalizer(() => Effect.promise(() => rm(lockPath(directory, job), { force: true })))
  yield* removeAbandoned(directory)
  yield* Effect.ignore(holdJobLock({ job, dataDirectory: directory.root }))
})

/** Hosts and ports of gateways that run now. */
const told = Effect.fnUntraced(function* (directory: DataDirectory) {
  const running = (yield* locksTold(directory)).filter((each) => each.running)
  return running.map(({ job }) => job.slice(prefix.length))
})

/** The document is made once, at the gateway's start: asking for it asks for nothing else. */
const answers = (host: string): Effect.Effect<string | undefined> =>
  Effect.tryPromise({
    try: async (signal) => {
      const { body, status } = await fetch(`http://${host}/openapi.json`, { signal })
      await body?.cancel()
      return status === 200 ? undefined : `answers with ${status}`
    },
    catch: () => "cannot be reached"
  }).pipe(
    Effect.timeoutOrElse({
      duration: answerTimeoutMs,
      orElse: () => Effect.succeed(`does not answer within ${answerTimeoutMs / 1000} s`)
    }),
    Effect.catch((problem) => Effect.succeed(problem))
  )

/** A part for each gateway that runs over the data directory; none where none does. */
export const checkApis = Effect.fnUntraced(function* (directory: DataDirectory) {
  return yield* Effect.forEach(yield* told(directory), (host) =>
    Effect.map(answers(host), (problem): Part => {
      const name = `api ${host}`
      return problem === undefined
        ? healthy(name, "answers")
        : ill(name, `${problem}, though its process runs: restart it`)
    })
  )
})
