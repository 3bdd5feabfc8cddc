/**
 * A data directory that must be there already: what commands that only look ask for, so that a mistyped `--data` never
 * makes a new one.
 */
import { existsSync, statSync } from "node:fs"
import { Effect, Option, Schema } from "effect"
import type { CatalogPlace } from "./CatalogPlace.ts"
import { dataDirectory, type DataDirectory } from "./DataDirectory.ts"
import type { LogPlace } from "./LogPlace.ts"

/** What a command needs is not there; the message says how to get it. */
class DataMissing extends Schema.TaggedError<DataMissing>()("DataMissing", { message: Schema.String }) {}

export interface LocationOptions {
  readonly data: string
  readonly warehouse: Option.Option<string>
  /** In the data directory unless given. */
  readonly checkpoints?: Option.Option<string>
  /** The embedded one unless given. */
  readonly log?: LogPlace
  /** The SQLite file unless given. */
  readonly catalog?: CatalogPlace
}

/** The paths that the options name, there or not. */
export const locate = (options: LocationOptions): DataDirectory =>
  dataDirectory(
    options.data,
    Option.getOrUndefined(options.warehouse),
    options.log,
    options.catalog,
    Option.getOrUndefined(options.checkpoints ?? Option.none())
  )

const demand = (holds: boolean, message: () => string): Effect.Effect<void, DataMissing> =>
  Effect.suspend(() => (holds ? Effect.void : Effect.fail(new DataMissing({ message: message() }))))

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Whether there may be a log to open: one on Kafka says so itself, when it is opened. */
export const hasLog = ({ log, logFile }: DataDirectory): boolean => log._tag !== "Embedded" || existsSync(logFile)

/** Whether there may be a catalog to open: a server says so itself. */
export const hasCatalog = ({ catalog, catalogFile }: DataDirectory): boolean =>
  catalog._tag !== "Sqlite" || existsSync(catalogFile)

/** The directory, if it has a log; with one on Kafka it need not be there. Makes nothing. */
export const existingData = Effect.fnUntraced(function* (options: LocationOptions) {
  const directory = locate(options)
  yield* demand(
    directory.log._tag !== "Embedded" || isDirectory(directory.root),
    () => `there is no data directory ${directory.root}: give another one with --data, or start a pipeline to make it`
  )
  yield* demand(
    hasLog(directory),
    () =>
      `${directory.root} holds no log.db: it is no data directory, or its log was moved away; give another with --data`
  )
  return directory
})

/** The directory, if it has a catalog too. Makes nothing. */
export const existingLake = Effect.fnUntraced(function* (options: LocationOptions) {
  const directory = yield* existingData(options)
  yield* demand(
    hasCatalog(directory),
    () => `${directory.root} holds no catalog.db: nothing has landed yet, or the catalog was moved away`
  )
  return directory
})
