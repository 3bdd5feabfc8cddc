/**
 * From the tables that a query names to what its process may read: one view for each table and moment, and the exact files.
 *
 * Called once a query, before it runs. Snapshots are fixed here: what lands later changes nothing. Personal columns are
 * masked here: no view shows them.
 */
import { localPath } from "@frazil/core"
import {
  Catalog,
  type FileIO,
  identifierText,
  type LakeError,
  planScan,
  Recent,
  type TableIdentifier,
  tableRelation
} from "@frazil/lake"
import { Effect } from "effect"
import { QueryError } from "../QueryError.ts"
import type { TableUse } from "../sql/CheckTree.ts"
import { maskRelation, type PersonalColumns } from "./Mask.ts"
import { asOfOf, momentKey, momentOfClause, type Moment } from "./Moment.ts"
import { nearestName } from "../sql/NearestName.ts"

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
}

/** Tables and moments of one query. */
const viewsMax = 64
const namesShownMax = 10
/** DuckDB's own catalogs: a namespace of such a name is found only behind another catalog. */
const reserved = new Set(["system", "temp", "memory"])

const named = (use: TableUse): string => (use.namespace === "" ? use.name : `${use.namespace}.${use.name}`)

const unknownTable = (use: TableUse, known: ReadonlyArray<TableIdentifier>): QueryError => {
  const names = known.map(identifierText)
  const near = nearestName(named(use), names)
  const listed =
    names.length === 0
      ? "the catalog has no tables yet"
      : `tables are ${names.slice(0, namesShownMax).join(", ")}${names.length > namesShownMax ? ", …" : ""}`
  return new QueryError({
    reason: "TableMissing",
    message: `there is no table ${named(use)}`,
    hint: near === undefined ? listed : `did you mean ${near}?`
  })
}

const find = (use: TableUse, known: ReadonlyArray<TableIdentifier>): TableIdentifier | undefined => {
  const exact = known.find(({ name, namespace }) => name === use.name && namespace === use.namespace)
  const loose = known.filter(
    ({ name, namespace }) =>
      name.toLowerCase() === use.name.toLowerCase() && namespace.toLowerCase() === use.namespace.toLowerCase()
  )
  return exact ?? (loose.length === 1 ? loose[0] : undefined)
}

const snapshotsShownMax = 5

/** A lake's error as a query's: what a person can do about a snapshot that is gone is to take another. */
const toQueryError =
  (name: string, snapshots: ReadonlyArray<{ readonly snapshotId: bigint; readonly timestampMs: number }>) =>
  (error: LakeError): QueryError => {
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
}

/**
 * Tables at moments that were asked for lately, by name, metadata file and moment: files are immutable, so nothing of it ever
 * changes. **Bounds**: so many, of so many files each.
 */
export interface KnownTables {
  readonly lately: Recent<ResolvedTable>
  readonly personal: PersonalColumns
}

const tablesKnownMax = 64
const knownFilesMax = 1_000

/** Without what is `personal`. */
export const makeKnownTables = (personal: PersonalColumns): KnownTables => ({
  lately: new Recent(tablesKnownMax),
  personal
})

const resolveOne = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  moment: Moment | undefined,
  { lately, personal }: KnownTables
): Effect.fn.Return<ResolvedTable, QueryError, Catalog | FileIO> {
  const catalog = yield* Catalog
  const name = identifierText(identifier)
  const table = yield* Effect.mapError(catalog.loadTable(identifier), toQueryError(name, []))
  const key = `${name} ${table.metadataLocation} ${momentKey(moment)}`
  const before = lately.get(key)
  if (before !== undefined) return before
  const { refs, snapshots } = table.metadata
  const wrong = toQueryError(name, snapshots)
  const plan = yield* Effect.mapError(planScan(table, { asOf: asOfOf(moment, refs) }), wrong)
  const whole = yield* Effect.mapError(Effect.fromResult(tableRelation(plan)), wrong)
  const relation = maskRelation(whole, name, { plan, table }, personal)
  const files: Array<string> = []
  for (const { dataFile } of plan.entries) {
    const path = localPath(dataFile.filePath)
    if (path === undefined) {
      return yield* new QueryError({ reason: "Failed", message: `table ${name}: only local files are read here` })
    }
    files.push(path)
  }
  const snapshot: SnapshotRead = {
    table: name,
    snapshotId: plan.snapshot?.snapshotId ?? null,
    committedMs: plan.snapshot?.timestampMs ?? null
  }
  const resolved = { files, snapshot, relation }
  if (files.length <= knownFilesMax) lately.set(key, resolved)
  return resolved
})

/** Fails with what is wrong with the first table that cannot be read. */
export const resolveTables = Effect.fn("analytics.resolveTables")(function* (
  uses: ReadonlyArray<TableUse>,
  whole: Moment | undefined,
  knownTables: KnownTables
): Effect.fn.Return<Resolved, QueryError, Catalog | FileIO> {
  if (uses.length === 0) return { views: [], files: [], snapshots: [], catalogs: [] }
  const catalog = yield* Catalog
  const known = yield* Effect.mapError(catalog.listTables(), toQueryError("the catalog", []))
  const found = new Map<string, { readonly view: Omit<View, "relation">; readonly resolved: ResolvedTable }>()
  const momentCatalogs = new Map<string, string>([[momentKey(whole), ""]])
  const catalogs: Array<string> = []
  for (const use of uses) {
    const identifier = use.catalog === "" ? find(use, known) : undefined
    if (identifier === undefined) return yield* unknownTable(use, known)
    const moment = yield* momentOf(use, whole)
    const own = momentCatalogs.get(momentKey(moment)) ?? `moment_${momentCatalogs.size}`
    momentCatalogs.set(momentKey(moment), own)
    const viewCatalog = own === "" && reserved.has(use.namespace.toLowerCase()) ? "moment_0" : own
    catalogs.push(viewCatalog)
    const key = `${viewCatalog} ${identifierText(identifier)}`
    if (found.has(key)) continue
    if (found.size >= viewsMax) {
      return yield* new QueryError({
        reason: "Invalid",
        message: `a query reads at most ${viewsMax} tables and moments`
      })
    }
    const view = { catalog: viewCatalog, namespace: use.namespace, name: use.name }
    found.set(key, { view, resolved: yield* resolveOne(identifier, moment, knownTables) })
  }
  const all = [...found.values()]
  return {
    views: all.map(({ resolved, view }) => ({ ...view, relation: resolved.relation })),
    files: [...new Set(all.flatMap(({ resolved }) => resolved.files))],
    snapshots: all.map(({ resolved }) => resolved.snapshot),
    catalogs
  }
})
