/**
 * Questions to the lake in SQL, at any moment that it still has: the service that commands and the gateway ask.
 *
 * **Guarantees**: a query reads, and nothing else; it sees the tables it names, each at one snapshot, and no file beside,
 * and of personal columns only that there is a value.
 * It runs in a process of its own that is ended on its limits; this process is not harmed by it. **Bounds**: queries at
 * work and waiting, and each one's rows, bytes, time and memory.
 */
import type { Catalog, FileIO } from "@frazil/lake"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import type { ResultFormat } from "./pool/Frames.ts"
import { guard } from "./pool/Guard.ts"
import { type Lease, makeQueryProcessPool, type QueryProcessPool } from "./pool/QueryProcessPool.ts"
import { QueryError } from "./QueryError.ts"
import { limitsDefault, limitsHighest, type QueryLimits } from "./QueryLimits.ts"
import type { PersonalColumns } from "./read/Mask.ts"
import { readAnswer, type Answer } from "./read/Answer.ts"
import { momentOfText } from "./read/Moment.ts"
import { prepareQuery, type ReadyQuery } from "./read/PrepareQuery.ts"
import { makeKnownTables, type SnapshotRead } from "./read/ResolveTables.ts"

export interface Query {
  /** One SELECT. Tables are `namespace.table`, each with `AT (VERSION | TIMESTAMP | TAG | BRANCH => …)` if need be. */
  readonly sql: string
  /** For tables without an `AT`: a time (UTC unless it says otherwise), a snapshot id, a branch or a tag. */
  readonly asOf?: string | undefined
  /** Those left out are the defaults; none is raised above `limitsHighest`. */
  readonly limits?: Partial<QueryLimits> | undefined
}

/** A query that may run: parsed, allowed, its snapshots fixed. */
export interface PreparedQuery {
  readonly snapshots: ReadonlyArray<SnapshotRead>
  /** The same query over the same snapshots may give another answer (`now()`, `random()`, samples). */
  readonly volatile: boolean
  /** To be run once, within the same scope. */
  readonly run: (format: ResultFormat) => Effect.Effect<Answer, QueryError>
}

export interface AnalyticsShape {
  /** Holds a slot until the scope closes; closing it before the answer is whole ends the query. */
  readonly prepare: (query: Query) => Effect.Effect<PreparedQuery, QueryError, Scope.Scope>
  readonly load: () => { readonly running: number; readonly waiting: number }
}

export interface AnalyticsOptions {
  /** Masked in every answer, whoever asks. What an app leaves out here, everybody may read. */
  readonly personal: PersonalColumns
  /** A local folder for what queries spill; emptied of what killed processes left. */
  readonly temporaryFolder: string
  /** Queries at work at once. Default 2. */
  readonly slots?: number
  /** Queries that wait for a slot. Default 32. */
  readonly waitingMax?: number
  /** Of each query. Default 2. */
  readonly threads?: number
}

const sqlLengthMax = 100_000
const spillBytesMax = 2 * 1024 * 1024 * 1024
const slotsDefault = 2
const waitingDefault = 32
const threadsDefault = 2

const limitsOf = (given: Partial<QueryLimits> | undefined): Effect.Effect<QueryLimits, QueryError> => {
  const limits = { ...limitsDefault, ...given }
  for (const name of ["rowsMax", "bytesMax", "timeoutMs", "memoryBytesMax"] as const) {
    const value = limits[name]
    if (!Number.isSafeInteger(value) || value < 1 || value > limitsHighest[name]) {
      const message = `${name} must be a whole number from 1 to ${limitsHighest[name]}`
      return Effect.fail(new QueryError({ reason: "Invalid", message }))
    }
  }
  return Effect.succeed(limits)
}

const tooLong = new QueryError({ reason: "Invalid", message: `a query has at most ${sqlLengthMax} characters` })

const run = (lease: Lease, ready: ReadyQuery, limits: QueryLimits, threads: number) =>
  Effect.fnUntraced(function* (format: ResultFormat) {
    const { files, snapshots, views } = ready.resolved
    lease.state = "running"
    yield* lease.process.send({
      type: "run",
      sql: ready.sql,
      views,
      files,
      format,
      rowsMax: limits.rowsMax,
      bytesMax: limits.bytesMax,
      memoryBytesMax: limits.memoryBytesMax,
      spillBytesMax,
      threads
    })
    return yield* readAnswer(lease, limits, format, snapshots)
  })

const make = Effect.fnUntraced(function* (options: AnalyticsOptions) {
  const lake = yield* Effect.context<Catalog | FileIO>()
  const pool: QueryProcessPool = yield* makeQueryProcessPool({
    temporaryFolder: options.temporaryFolder,
    slots: options.slots ?? slotsDefault,
    waitingMax: options.waitingMax ?? waitingDefault
  })
  const threads = options.threads ?? threadsDefault
  const knownTables = makeKnownTables(options.personal, pool.folder)

  const prepare = Effect.fn("Analytics.prepare")(function* (query: Query) {
    const limits = yield* limitsOf(query.limits)
    if (query.sql.length > sqlLengthMax) return yield* tooLong
    const moment = query.asOf === undefined ? undefined : momentOfText(query.asOf)
    // given back when the query's process is ended on its limits, though its reader may not have noticed yet
    const slot = yield* Scope.fork(yield* Effect.scope)
    const lease = yield* Effect.provideService(pool.lease, Scope.Scope, slot)
    yield* Effect.forkScoped(Effect.andThen(guard(lease.process, limits), Scope.close(slot, Exit.void)))
    const ready = yield* prepareQuery(lease.process, query.sql, moment, knownTables).pipe(
      Effect.provideContext(lake),
      // refused or not run in the end: the process has parsed, and nothing else
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (!Exit.hasInterrupts(exit)) lease.state = "untouched"
        })
      )
    )
    return {
      snapshots: ready.resolved.snapshots,
      volatile: ready.volatile || ready.resolved.volatile,
      run: run(lease, ready, limits, threads)
    }
  })
  return Analytics.of({ prepare, load: pool.load })
})

/** The query service. */
export class Analytics extends Context.Service<Analytics, AnalyticsShape>()("@frazil/analytics/Analytics") {
  static readonly layer = (options: AnalyticsOptions): Layer.Layer<Analytics, never, Catalog | FileIO> =>
    Layer.effect(Analytics, make(options))
}
