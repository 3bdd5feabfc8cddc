/**
 * Whether a table's folder is the table's alone, and the catalog not older than it (protocol, rule 12).
 *
 * Orphan removal asks before it deletes: with a catalog restored from a backup, or a table made anew in the place of
 * another, files look unreachable that are somebody's data.
 */
import { normaliseUri, type Storage } from "@frazil/core"
import { Effect } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import { LakeError } from "../LakeError.ts"
import { dataFolder, metadataFolder } from "../spec/Locations.ts"
import { listMetadataFiles, metadataVersion, unnamedMetadata } from "./MetadataFiles.ts"

/** A commit in flight has written its metadata and not yet swapped: asked again after a moment. */
const looksMax = 6
const lookAgainMs = 500

type Doubt = "MetadataAhead" | "LocationInDoubt" | "Invalid"

const refuse = (reason: Doubt, table: Table, what: string): LakeError =>
  new LakeError({
    reason,
    message: `table ${identifierText(table.identifier)}: no file is removed below ${table.metadata.location}: ${what}`
  })

export const folderPrefix = (location: string): string => `${normaliseUri(location.replace(/\/+$/, ""))}/`

/** What speaks against the folder; newer metadata may be a commit in flight. */
const problemOf = Effect.fnUntraced(function* (identifier: TableIdentifier, former: ReadonlySet<string>) {
  const catalog = yield* Catalog
  // listed before it is loaded: what is in force by then is not newer
  const files = yield* listMetadataFiles(yield* catalog.loadTable(identifier))
  const table = yield* catalog.loadTable(identifier)
  const { lastUpdatedMs, tableUuid } = table.metadata
  const heads = yield* unnamedMetadata(table, files)
  const foreigners = heads.filter((head) => head.tableUuid !== tableUuid && !former.has(head.tableUuid))
  // one that was never filled is what a crash leaves that comes before a new table is in the catalog
  const foreign = foreigners.find((head) => !head.empty)
  if (foreign !== undefined) {
    return yield* refuse(
      "LocationInDoubt",
      table,
      `${foreign.file.uri} is metadata of another table (uuid ${foreign.tableUuid}). If no catalog has that one any more, say so: formerTables, or --former-table ${foreign.tableUuid}`
    )
  }
  const version = metadataVersion(table.metadataLocation)
  const newer = heads.find(
    (head) =>
      head.tableUuid === tableUuid && (metadataVersion(head.file.uri) > version || head.lastUpdatedMs > lastUpdatedMs)
  )
  return { table, newer: newer?.file.uri, strangers: foreigners.map(({ file }) => file.uri) }
})

/** A table, and metadata files in its folder that are not its own and to be left alone. */
export interface CheckedTable {
  readonly table: Table
  readonly strangers: ReadonlyArray<string>
}

/**
 * The table, once its folder was found to be its own, or former tables' (UUIDs) besides; LocationInDoubt when it may be
 * another's, MetadataAhead when it holds a later state than the catalog's.
 */
export const checkLocation = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  former: ReadonlySet<string>
): Effect.fn.Return<CheckedTable, LakeError, Catalog | Storage> {
  for (let look = 1; ; look++) {
    const { newer, strangers, table } = yield* problemOf(identifier, former)
    if (newer === undefined) return { table, strangers }
    if (look === looksMax) {
      return yield* refuse(
        "MetadataAhead",
        table,
        `${newer} is newer than the catalog's metadata: the catalog is an older copy, or the last commit was given up. The next commit settles the latter`
      )
    }
    yield* Effect.sleep(lookAgainMs)
  }
})

/**
 * Folders of other tables inside this one's, which are left alone. LocationInDoubt when another table lies in the very same
 * folder, Invalid when one that is there is called a former one; one that cannot be read fails as reading it does.
 */
export const foldersOfOthers = Effect.fnUntraced(function* (
  table: Table,
  former: ReadonlySet<string>
): Effect.fn.Return<ReadonlyArray<string>, LakeError, Catalog> {
  const catalog = yield* Catalog
  const own = folderPrefix(table.metadata.location)
  const folders: Array<string> = []
  for (const identifier of yield* catalog.listTables()) {
    if (identifierText(identifier) === identifierText(table.identifier)) continue
    const found = yield* catalog.loadTable(identifier).pipe(
      Effect.catchIf(
        (error) => error.reason === "TableMissing",
        () => Effect.undefined
      )
    )
    if (found === undefined) continue
    const { metadata } = found
    if (former.has(metadata.tableUuid)) {
      return yield* refuse(
        "Invalid",
        table,
        `${identifierText(identifier)} is the table of uuid ${metadata.tableUuid}: it is there`
      )
    }
    for (const location of [metadata.location, dataFolder(metadata), metadataFolder(metadata)]) {
      const folder = folderPrefix(location)
      if (folder === own) {
        return yield* refuse("LocationInDoubt", table, `${identifierText(identifier)} lies there too`)
      }
      if (folder.startsWith(own)) folders.push(folder)
    }
  }
  return folders
})
