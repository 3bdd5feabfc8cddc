/**
 * One DuckDB in memory: opened with bounds, in UTC, spilling into the data directory, closed with its scope.
 *
 * The Parquet writer and readers of tables connect to it. Statements run on DuckDB's threads: the JavaScript thread is
 * free meanwhile. Interrupting an effect cancels its statement and waits until DuckDB let go of it.
 */
import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { DuckDBConnection, type DuckDBResultReader } from "@duckdb/node-api"
import duckdb from "@duckdb/node-bindings"
import { Context, Effect, Layer, type Scope } from "effect"
import { chunksOf, type DuckDbChunks, running } from "./DuckDbChunks.ts"
import { type DuckDbError, toDuckDbError } from "./DuckDbError.ts"

export interface DuckDbOptions {
  /** Local path; DuckDB's files lie in a folder of their own below its `tmp`, removed at the end. */
  readonly dataDirectory: string
  /** DuckDB's own memory; beyond it, it spills to disk. Default 256 MiB. Not counted: what statements hold while they run. */
  readonly memoryBytesMax?: number
  /** Threads of all statements together. Default 1: writing Parquet with 2 costs 40 % more; queries over tables gain by more. */
  readonly threadsMax?: number
  /** Disk that spilled data may take. Default 16 GiB. */
  readonly spillBytesMax?: number
}

/** One connection: statements on it run one after another. */
export interface DuckDbConnection {
  /** For the low-level bindings (appenders, data chunks). Valid until the scope closes. */
  readonly handle: duckdb.Connection
  /** Runs statements for their effect. `doing` begins the message of an error: "writing a Parquet file". */
  readonly run: (sql: string, doing: string) => Effect.Effect<void, DuckDbError>
  /** Runs a query; its whole result is in memory. */
  readonly query: (sql: string, doing: string) => Effect.Effect<DuckDBResultReader, DuckDbError>
  /** Starts a query whose result comes in chunks of at most 2048 rows, computed as they are asked for. */
  readonly chunks: (sql: string, doing: string) => Effect.Effect<DuckDbChunks, DuckDbError>
}

export interface DuckDbShape {
  readonly connect: Effect.Effect<DuckDbConnection, DuckDbError, Scope.Scope>
  /** A local folder for files in the making, on the data directory's file system; gone when DuckDB is closed. */
  readonly scratchDirectory: string
  /** What its statements share. */
  readonly memoryBytesMax: number
}

const memoryBytesDefault = 256 * 1024 * 1024
const spillBytesDefault = 16 * 1024 * 1024 * 1024
const threadsDefault = 1

const mebibytes = (bytes: number): string => `${Math.max(1, Math.floor(bytes / (1024 * 1024)))}MiB`

/** A text as an SQL literal. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A name as an SQL identifier. */
export const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`

const processRuns = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // ESRCH: no such process. Anything else: it exists, or nobody can say.
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH")
  }
}

const scratchPattern = /^duckdb-([0-9]+)-[0-9]+$/

/** Folders of processes that were killed before they could remove them. */
const removeAbandoned = async (temporary: string): Promise<void> => {
  for (const name of await readdir(temporary)) {
    const pid = scratchPattern.exec(name)?.[1]
    if (pid !== undefined && !processRuns(Number(pid)))
      await rm(join(temporary, name), { recursive: true, force: true })
  }
}

// Makes folders of one process differ; the process id makes those of several.
let instancesMade = 0

const scratch = (dataDirectory: string): Effect.Effect<string, DuckDbError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const temporary = join(dataDirectory, "tmp")
        await mkdir(temporary, { recursive: true })
        await removeAbandoned(temporary)
        const path = join(temporary, `duckdb-${process.pid}-${++instancesMade}`)
        await rm(path, { recursive: true, force: true })
        await mkdir(path)
        return path
      },
      catch: toDuckDbError(`making its folder below ${dataDirectory}`)
    }),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )

/**
 * Files never change: their footers are kept as far as the memory allows, and read once. Of a query over small files they are
 * the larger part.
 */
const opened = async (database: duckdb.Database): Promise<duckdb.Database> => {
  const connection = await duckdb.connect(database)
  // the Parquet reader's own setting, which there is only once it is loaded
  await duckdb.query(connection, "SET GLOBAL parquet_metadata_cache = true")
  duckdb.disconnect_sync(connection)
  return database
}

const open = (options: DuckDbOptions, temporary: string): Effect.Effect<duckdb.Database, DuckDbError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const config = duckdb.create_config()
        const settings = {
          memory_limit: mebibytes(options.memoryBytesMax ?? memoryBytesDefault),
          threads: String(options.threadsMax ?? threadsDefault),
          temp_directory: temporary,
          preserve_insertion_order: "true",
          // what is needed is linked in; nothing is fetched from the network
          autoinstall_known_extensions: "false",
          autoload_known_extensions: "false"
        }
        for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value)
        return opened(await duckdb.open(":memory:", config))
      },
      catch: toDuckDbError("opening")
    }),
    (database) => Effect.sync(() => duckdb.close_sync(database))
  )

const statement = (
  connection: DuckDBConnection,
  sql: string,
  doing: string
): Effect.Effect<DuckDBResultReader, DuckDbError> => running(connection, () => connection.runAndReadAll(sql), doing)

const connectTo = (database: duckdb.Database): Effect.Effect<DuckDbConnection, DuckDbError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const handle = await duckdb.connect(database)
        return { handle, connection: new DuckDBConnection(handle) }
      },
      catch: toDuckDbError("connecting")
    }),
    ({ connection }) => Effect.sync(() => connection.disconnectSync())
  ).pipe(
    Effect.map(({ handle, connection }) => ({
      handle,
      run: (sql: string, doing: string) => Effect.asVoid(statement(connection, sql, doing)),
      query: (sql: string, doing: string) => statement(connection, sql, doing),
      chunks: (sql: string, doing: string) => chunksOf(connection, sql, doing)
    }))
  )

const make = Effect.fnUntraced(function* (options: DuckDbOptions) {
  const scratchDirectory = yield* scratch(options.dataDirectory)
  const database = yield* open(options, scratchDirectory)
  const connect = connectTo(database)
  const spill = mebibytes(options.spillBytesMax ?? spillBytesDefault)
  // UTC: texts of instants in results must not depend on the machine. The bound on spilled data is set here because
  // DuckDB 1.5.6 shows it but does not keep it when it is given at opening.
  const settings = `SET GLOBAL TimeZone = 'UTC'; SET GLOBAL max_temp_directory_size = '${spill}'`
  yield* Effect.scoped(Effect.flatMap(connect, ({ run }) => run(settings, "setting it up")))
  return DuckDb.of({ connect, scratchDirectory, memoryBytesMax: options.memoryBytesMax ?? memoryBytesDefault })
})

/** The DuckDB of a process, or of one part of it: each layer opens one of its own. */
export class DuckDb extends Context.Service<DuckDb, DuckDbShape>()("@frazil/lake/DuckDb") {
  static readonly layer = (options: DuckDbOptions): Layer.Layer<DuckDb, DuckDbError> =>
    Layer.effect(DuckDb, make(options))
}
