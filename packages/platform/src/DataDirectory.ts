/**
 * Where a system keeps what it has: the paths of one data directory.
 *
 * Every app derives them here, so that two apps given the same `--data` meet in the same files.
 */
import { resolve } from "node:path"
import { sqliteCatalog, folderUriOf, type CatalogPlace } from "./CatalogPlace.ts"
import { embeddedLog, type LogPlace } from "./LogPlace.ts"

export interface DataDirectory {
  /** Absolute path. */
  readonly root: string
  /** Where the log is. */
  readonly log: LogPlace
  /** The embedded log's file: topics, offsets, epochs, deltas. */
  readonly logFile: string
  /** Where the catalog is. */
  readonly catalog: CatalogPlace
  /** Iceberg's SQLite catalog; the catalog's name is `frazil`. */
  readonly catalogFile: string
  /** URI of the tables' root, ending in a slash: local, or on S3. */
  readonly warehouseUri: string
  /** URI of the snapshots' root, ending in a slash: local, or on S3. */
  readonly checkpointsUri: string
  /** State on disk, of operators that keep it there; made anew at each start. */
  readonly stateFolder: string
  readonly locksFolder: string
  /** The embedded table of claims, a DuckDB file. */
  readonly claimsFile: string
  /** What may be deleted whenever nothing runs. */
  readonly temporaryFolder: string
  /** Local copies of tables' files, and of snapshots, that lie elsewhere. */
  readonly cacheFolder: string
}

export const dataDirectory = (
  path: string,
  warehouse?: string,
  log: LogPlace = embeddedLog,
  catalog: CatalogPlace = sqliteCatalog,
  checkpoints?: string
): DataDirectory => {
  const root = resolve(path)
  return {
    root,
    log,
    logFile: `${root}/log.db`,
    catalogFile: `${root}/catalog.db`,
    catalog,
    warehouseUri: folderUriOf(warehouse ?? `${root}/warehouse`),
    checkpointsUri: folderUriOf(checkpoints ?? `${root}/checkpoints`),
    stateFolder: `${root}/state`,
    locksFolder: `${root}/locks`,
    claimsFile: `${root}/claims.duckdb`,
    temporaryFolder: `${root}/tmp`,
    cacheFolder: `${root}/cache`
  }
}

/** Where the log is, for messages. */
export const sayLog = ({ log, logFile }: DataDirectory): string =>
  log._tag === "Embedded" ? logFile : `kafka://${log.brokers.map(({ host, port }) => `${host}:${port}`).join(",")}`

/** Where the catalog is, for messages. */
export const sayCatalog = ({ catalog, catalogFile }: DataDirectory): string =>
  catalog._tag === "Rest" ? catalog.url : catalogFile
