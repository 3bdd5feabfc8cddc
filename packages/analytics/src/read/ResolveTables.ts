/**
 * From the tables that a query names to what its process may read: one view for each table and moment, and the exact files.
 *
 * Called once a query, before it runs. Snapshots are fixed here: what lands later changes nothing. Personal columns are
 * masked here: no view shows them. `table$files` and its like are metadata tables: rows in a file that goes with the query.
 */
import {
  Catalog,
  checkFiles,
  type FileCheck,
  fileChecks,
  FileIO,
  hasMoment,
  identifierText,
  isLocal,
  LakeError,
  localPaths,
  metadataRelation,
  type MetadataTable,
  planScan,
  Recent,
  runChecks,
  type Table,
  type TableIdentifier,
  tableRelation,
  withLocalFiles
} from "@frazil/lake"
import { Effect, type Scope } from "effect"
import { QueryError } from "../QueryError.ts"
import type { TableUse } from "../sql/CheckTree.ts"
import { findTable, foundText, named, unknownTable } from "./FindTable.ts"
import { maskPaths, maskRelation, personalFieldIds, type PersonalColumns } from "./Mask.ts"
import { asOfOf, momentKey, momentOfClause, type Moment } from "./Moment.ts"

/** What a query calls a table at a moment, in its process. */
export interface View {
  /** Empty where the table's own name leads to it; otherwise a catalog, for another moment or a namespace that DuckDB has too. */
  readonly catalog: string
  readonly namespace: string
  readonly name: string
  /** SQL text that gives the rows. */
  readonly relation: string
}

/** A snapshot that an answer is made from. */
export interface SnapshotRead {
  readonly table: string
  /** Null: the table had none. */
  readonly snapshotId: bigint | null
  readonly committedMs: number | null
}

export interface Resolved {
  readonly views: ReadonlyArray<View>
  /** Local paths. */
  readonly files: ReadonlyArray<string>
  readonly snapshots: ReadonlyArray<SnapshotRead>
  /** For each use, in order: the catalog of its view. */
  readonly catalogs: ReadonlyArray<string>
  /** Metadata tables tell of more than their snapshots: another schema, other refs. */
  readonly volatile: boolean
}

/** Tables and moments of one query. */
const viewsMax = 64
/** DuckDB's own catalogs: a namespace of such a name is found only behind another catalog. */
const reserved = new Set(["system", "temp", "memory"])

const snapshotsShownMax = 5

/** A lake's error as a query's: what a person can do about a snapshot that is gone is to take another. */
const toQueryError =
  (name: string, table?: Table) =>
  (error: LakeError): QueryError => {
    const snapshots = table?.metadata.snapshots ?? []
    const shown = snapshots.slice(0, snapshotsShownMax)
    const remaining =
      shown.length === 0
        ? undefined
        : `${name} has ${snapshots.length} ${snapshots.length === 1 ? "snapshot" : "snapshots"}, the oldest ${shown.map((each) => `${each.snapshotId} of ${new Date(each.timestampMs).toISOString()}`).join(", ")}${snapshots.length > shown.length ? ", …" : ""}`
    switch (error.reason) {
      case "SnapshotMissing":
        return new QueryError({
          reason: "SnapshotMissing",
          message: error.message,
          ...(remaining === undefined ? {} : { hint: remaining })
        })
      case "TableMissing":
        return new QueryError({ reason: "TableMissing", message: error.message })
      case "Invalid":
        return new QueryError({ reason: "Invalid", message: error.message })
      case "Unavailable":
      case "CommitConflict":
        return new QueryError({ reason: "Unavailable", message: error.message })
      default:
        return new QueryError({ reason: "Failed", message: error.message })
    }
  }

const momentOf = (use: TableUse, whole: Moment | undefined) => {
  if (use.at === undefined) return Effect.succeed(whole)
  const own = momentOfClause(use.at)
  return typeof own === "string"
    ? Effect.fail(new QueryError({ reason: "Invalid", message: `${named(use)}: ${own}` }))
    : Effect.succeed(own)
}

/** What a table at a moment comes to. */
interface ResolvedTable {
  readonly files: ReadonlyArray<string>
  readonly snapshot: SnapshotRead
  readonly relation: string
  /** What has to hold of the files each time that they are read. */
  readonly checks: ReadonlyArray<FileCheck>
}

/**
 * Tables at moments that were asked for lately, by name, metadata file and moment: files are immutable, so nothing of it ever
 * changes. **Bounds**: so many, of so many files each.
 */
export interface KnownTables {
  readonly lately: Recent<ResolvedTable>
  readonly personal: PersonalColumns
  /** For rows of metadata tables; gone with the query. */
  readonly folder: Effect.Effect<string, QueryError, Scope.Scope>
}

const tablesKnownMax = 64
const knownFilesMax = 1_000

/** Without what is `personal`. */
export const makeKnownTables = (personal: PersonalColumns, folder: KnownTables["folder"]): KnownTables => ({
  lately: new Recent(tablesKnownMax),
  personal,
  folder
})

const resolveOne = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  moment: Moment | undefined,
  { lately, personal }: KnownTables
): Effect.fn.Return<ResolvedTable, QueryError, Catalog | FileIO | Scope.Scope> {
  const catalog = yield* Catalog
  const fileIO = yield* FileIO
  const name = identifierText(identifier)
  const table = yield* Effect.mapError(catalog.loadTable(identifier), toQueryError(name))
  const key = `${name} ${table.metadataLocation} ${momentKey(moment)}`
  const { refs } = table.metadata
  const wrong = toQueryError(name, table)
  // what is said of a file hides personal values in its path
  const checked = <A>(checks: Effect.Effect<A, LakeError, FileIO>) =>
    Effect.mapError(checks, ({ message, reason }) =>
      wrong(new LakeError({ reason, message: maskPaths(message, table, name, personal) }))
    )
  const before = lately.get(key)
  if (before !== undefined) {
    yield* checked(runChecks(before.checks))
    return before
  }
  const planned = yield* Effect.mapError(planScan(table, { asOf: asOfOf(moment, refs) }), wrong)
  const here = yield* Effect.mapError(withLocalFiles(fileIO, planned), wrong)
  const plan = yield* checked(checkFiles(here))
  const whole = yield* Effect.mapError(Effect.fromResult(tableRelation(plan)), wrong)
  const checks = fileChecks(planned)
  const relation = maskRelation(whole, name, { plan, table }, personal)
  const files: Array<string> = []
  for (const path of localPaths(plan)) {
    if (path === undefined) {
      const message = `table ${name}: a file of it is not on this machine`
      return yield* new QueryError({ reason: "Failed", message })
    }
    files.push(path)
  }
  const snapshot: SnapshotRead = {
    table: name,
    snapshotId: plan.snapshot?.snapshotId ?? null,
    committedMs: plan.snapshot?.timestampMs ?? null
  }
  const resolved = { files, snapshot, relation, checks }
  // copies are there for this query only
  if (isLocal(planned) && files.length <= knownFilesMax) lately.set(key, resolved)
  return resolved
})

/** `own` is false for a moment that the whole query has: tables that have none are read as they are then. */
const resolveMetadata = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  metadata: MetadataTable,
  { moment, own }: { readonly moment: Moment | undefined; readonly own: boolean },
  { folder, personal }: KnownTables
): Effect.fn.Return<ResolvedTable, QueryError, Catalog | FileIO | Scope.Scope> {
  const catalog = yield* Catalog
  const name = identifierText(identifier)
  const table = yield* Effect.mapError(catalog.loadTable(identifier), toQueryError(name))
  const { refs } = table.metadata
  const asOf = asOfOf(hasMoment(metadata) || own ? moment : undefined, refs)
  const { file, relation, snapshot } = yield* Effect.mapError(
    metadataRelation(table, metadata, yield* folder, {
      asOf,
      hiddenFieldIds: personalFieldIds(table, name, personal)
    }),
    toQueryError(name, table)
  )
  return {
    files: [file],
    checks: [],
    relation,
    snapshot: {
      table: `${name}$${metadata}`,
      snapshotId: snapshot?.snapshotId ?? null,
      committedMs: snapshot?.timestampMs ?? null
    }
  }
})

/** Fails with what is wrong with the first table that cannot be read. */
export const resolveTables = Effect.fn("analytics.resolveTables")(function* (
  uses: ReadonlyArray<TableUse>,
  whole: Moment | undefined,
  knownTables: KnownTables
): Effect.fn.Return<Resolved, QueryError, Catalog | FileIO | Scope.Scope> {
  if (uses.length === 0) return { views: [], files: [], snapshots: [], catalogs: [], volatile: false }
  const catalog = yield* Catalog
  const known = yield* Effect.mapError(catalog.listTables(), toQueryError("the catalog"))
  const found = new Map<string, { readonly view: Omit<View, "relation">; readonly resolved: ResolvedTable }>()
  const momentCatalogs = new Map<string, string>([[momentKey(whole), ""]])
  const catalogs: Array<string> = []
  let volatile = false
  for (const use of uses) {
    const meant = findTable(use, known)
    if (meant === undefined) return yield* unknownTable(use, known)
    const moment = yield* momentOf(use, whole)
    const own = momentCatalogs.get(momentKey(moment)) ?? `moment_${momentCatalogs.size}`
    momentCatalogs.set(momentKey(moment), own)
    const viewCatalog = own === "" && reserved.has(use.namespace.toLowerCase()) ? "moment_0" : own
    catalogs.push(viewCatalog)
    const key = `${viewCatalog} ${foundText(meant)}`
    if (found.has(key)) continue
    if (found.size >= viewsMax) {
      return yield* new QueryError({
        reason: "Invalid",
        message: `a query reads at most ${viewsMax} tables and moments`
      })
    }
    const view = { catalog: viewCatalog, namespace: use.namespace, name: use.name }
    const { identifier, metadata } = meant
    const resolved =
      metadata === undefined
        ? yield* resolveOne(identifier, moment, knownTables)
        : yield* resolveMetadata(identifier, metadata, { moment, own: use.at !== undefined }, knownTables)
    volatile ||= metadata !== undefined
    found.set(key, { view, resolved })
  }
  const all = [...found.values()]
  return {
    views: all.map(({ resolved, view }) => ({ ...view, relation: resolved.relation })),
    files: [...new Set(all.flatMap(({ resolved }) => resolved.files))],
    snapshots: all.map(({ resolved }) => resolved.snapshot),
    catalogs,
    volatile
  }
})
