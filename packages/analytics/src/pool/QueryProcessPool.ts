/**
 * A bounded number of processes for queries: one for each query at work, kept warm while they are clean.
 *
 * **Bounds**: `slots` queries run, `waitingMax` wait, further ones are Busy. A process goes back only when its query came to
 * its end and its memory is small again; any other is ended, and another one started in its place. The first is started
 * with the first query.
 */
import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Exit, Scope, Semaphore } from "effect"
import { QueryError } from "../QueryError.ts"
import type { Answer } from "./Frames.ts"
import { startQueryProcess, type QueryProcess } from "./QueryProcess.ts"

export interface PoolOptions {
  /** A local folder that may be emptied whenever nothing runs: what queries spill lies in folders of their own below it. */
  readonly temporaryFolder: string
  readonly slots: number
  readonly waitingMax: number
}

/** A process for one query. */
export interface Lease {
  readonly process: QueryProcess
  /**
   * Where the query stands when its scope closes. untouched: nothing ran. running: it is to be ended with its process.
   * finished: it came to its end by itself, and the process may be used again once it says that it is ready.
   */
  state: "untouched" | "running" | "finished"
}

export interface QueryProcessPool {
  readonly lease: Effect.Effect<Lease, QueryError, Scope.Scope>
  /** A folder for files that a query reads, gone with its scope. */
  readonly folder: Effect.Effect<string, QueryError, Scope.Scope>
  /** Queries at work and waiting. */
  readonly load: () => { readonly running: number; readonly waiting: number }
}

interface Warm {
  readonly process: QueryProcess
  readonly scope: Scope.Closeable
}

/** A process that holds more after a query is not used again. */
const cleanBytesMax = 512 * 1024 * 1024
const waitTimeoutMs = 30_000
const settleTimeoutMs = 5_000
const folderPattern = /^query-([0-9]+)-[0-9]+$/

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // ESRCH: no such process
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH")
  }
}

/** Folders of parents that were killed before they could remove them. */
const removeAbandoned = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const pid = folderPattern.exec(name)?.[1]
    if (pid !== undefined && Number(pid) !== process.pid && !runs(Number(pid))) {
      await rm(join(folder, name), { recursive: true, force: true })
    }
  }
}

const unavailable = (cause: unknown) =>
  new QueryError({
    reason: "Unavailable",
    message: `no folder for queries can be made: ${cause instanceof Error ? cause.message : String(cause)}`
  })

const fromUtf8 = new TextDecoder()

// makes folders of several pools in one process differ
let foldersMade = 0

const ownFolder = (options: PoolOptions): Effect.Effect<string, QueryError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const path = join(options.temporaryFolder, `query-${process.pid}-${++foldersMade}`)
        await rm(path, { recursive: true, force: true })
        await mkdir(path, { recursive: true })
        return path
      },
      catch: unavailable
    }),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }).catch(() => undefined))
  )

/** Ended with the scope, and every process with it. */
export const makeQueryProcessPool = Effect.fnUntraced(function* (
  options: PoolOptions
): Effect.fn.Return<QueryProcessPool, never, Scope.Scope> {
  const poolScope = yield* Effect.scope
  const permits = yield* Semaphore.make(options.slots)
  const idle: Array<Warm> = []
  let asked = 0
  let abandonedRemoved = false

  const start: Effect.Effect<Warm, QueryError> = Effect.gen(function* () {
    if (!abandonedRemoved) {
      abandonedRemoved = true
      yield* Effect.tryPromise({ try: () => removeAbandoned(options.temporaryFolder), catch: unavailable })
    }
    const scope = yield* Scope.fork(poolScope)
    return yield* Effect.flatMap(ownFolder(options), startQueryProcess).pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.map((process) => ({ process, scope })),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
  })

  const takeWarm = Effect.suspend(() => {
    for (let warm = idle.pop(); warm !== undefined; warm = idle.pop()) {
      if (!warm.process.ended()) return Effect.succeed(warm)
    }
    return start
  })

  // a slot that lost its process gets another one while nobody waits for it
  const startSpare = Effect.suspend(() =>
    idle.length > 0 ? Effect.void : Effect.map(start, (warm) => void idle.push(warm))
  ).pipe(Effect.ignore)

  /** Waits until the process is ready for another query. A process that the query was too much for is not. */
  const isClean = (warm: Warm): Effect.Effect<boolean> =>
    warm.process.receive.pipe(
      Effect.map((frame) => {
        const said = JSON.parse(fromUtf8.decode(frame.bytes)) as Answer // written by our own process
        return said.type === "ready" && said.rssBytes <= cleanBytesMax
      }),
      Effect.timeoutOrElse({ duration: settleTimeoutMs, orElse: () => Effect.succeed(false) }),
      Effect.orElseSucceed(() => false)
    )

  // in the background: whoever asked has the answer already, and the slot is not free before
  const giveBack = ({ lease, warm }: { readonly lease: Lease; readonly warm: Warm }) =>
    Effect.gen(function* () {
      const clean = lease.state === "untouched" || (lease.state === "finished" && (yield* isClean(warm)))
      if (clean && !warm.process.ended()) idle.push(warm)
      else yield* Scope.close(warm.scope, Exit.void)
      yield* permits.release(1)
      if (!clean) yield* startSpare
    }).pipe(Effect.forkIn(poolScope))

  const enter = Effect.suspend(() => {
    if (asked >= options.slots + options.waitingMax) {
      return Effect.fail(
        new QueryError({
          reason: "Busy",
          message: `${asked} queries run or wait already`,
          hint: "try again in a moment"
        })
      )
    }
    asked++
    return Effect.void
  })

  const leave = Effect.sync(() => {
    asked--
  })

  const waitForSlot = permits.take(1).pipe(
    Effect.timeoutOrElse({
      duration: waitTimeoutMs,
      orElse: () =>
        Effect.fail(
          new QueryError({
            reason: "Busy",
            message: "no slot for a query came free in time",
            hint: "try again in a moment"
          })
        )
    })
  )

  const acquire = Effect.andThen(waitForSlot, takeWarm.pipe(Effect.onError(() => permits.release(1)))).pipe(
    Effect.map((warm) => {
      const lease: Lease = { process: warm.process, state: "running" }
      return { lease, warm }
    })
  )

  const lease = Effect.acquireRelease(enter, () => leave).pipe(
    Effect.andThen(Effect.acquireRelease(acquire, giveBack, { interruptible: true })),
    Effect.map((held) => held.lease)
  )
  return {
    lease,
    folder: ownFolder(options),
    load: () => ({ running: Math.min(asked, options.slots), waiting: Math.max(0, asked - options.slots) })
  }
})
