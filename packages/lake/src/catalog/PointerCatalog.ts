/**
 * A catalog over pointers: writes metadata files, and lets a pointer's swap put them in force.
 *
 * Whoever keeps the pointers calls it (`SqliteCatalog`, the simulated world). A metadata file, and with it all that the commit
 * made, is durable before its location is offered to a swap, and never removed afterwards.
 */
import { faultPoint, normaliseUri } from "@frazil/core"
import { Clock, Effect } from "effect"
import type { FileIOShape } from "../io/FileIO.ts"
import { randomUuid } from "../io/RandomIds.ts"
import type { StagedFile } from "../io/StagedFile.ts"
import { LakeError } from "../LakeError.ts"
import { metadataFileName, metadataFolder } from "../spec/Locations.ts"
import { applyUpdates, newTableMetadata } from "../spec/MetadataUpdate.ts"
import { unmetRequirement } from "../spec/Requirement.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import {
  identifierText,
  type CatalogShape,
  type CreateTable,
  type Table,
  type TableCommit,
  type TableIdentifier
} from "./Catalog.ts"
import { newTable } from "./NewTable.ts"
import type { TablePointers } from "./TablePointers.ts"

const invalid = (message: string): LakeError => new LakeError({ reason: "Invalid", message })

class PointerCatalog {
  readonly listNamespaces: CatalogShape["listNamespaces"]
  private readonly pointers: TablePointers
  private readonly fileIO: FileIOShape
  private readonly warehouse: string

  constructor(pointers: TablePointers, fileIO: FileIOShape, warehouse: string) {
    this.pointers = pointers
    this.fileIO = fileIO
    this.warehouse = warehouse
    this.listNamespaces = pointers.namespaces
  }

  listTables(namespace?: string): Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError> {
    return this.pointers.tables(namespace)
  }

  private missing(identifier: TableIdentifier): LakeError {
    return new LakeError({
      reason: "TableMissing",
      message: `table ${identifierText(identifier)} is not in ${this.pointers.name}`
    })
  }

  private location(identifier: TableIdentifier): Effect.Effect<string, LakeError> {
    return Effect.flatMap(this.pointers.find(identifier), (found) =>
      found === undefined ? Effect.fail(this.missing(identifier)) : Effect.succeed(found)
    )
  }

  loadTable(identifier: TableIdentifier): Effect.Effect<Table, LakeError> {
    return Effect.gen({ self: this }, function* () {
      const metadataLocation = yield* this.location(identifier)
      const metadata = yield* this.fileIO.readTableMetadata(metadataLocation)
      return { identifier, metadataLocation, metadata }
    })
  }

  createTable(declared: CreateTable): Effect.Effect<Table, LakeError> {
    return Effect.gen({ self: this }, function* () {
      const { identifier } = declared
      const { formatVersion, parts: table, problems } = newTable(declared)
      if (problems.length > 0) {
        return yield* invalid(`table ${identifierText(identifier)} cannot be made: ${problems.join("; ")}`)
      }
      const folder = `${identifier.namespace.replaceAll(".", "/")}/${identifier.name}`
      const metadata = newTableMetadata({
        ...table,
        formatVersion,
        tableUuid: yield* randomUuid,
        location: normaliseUri(declared.location ?? `${this.warehouse.replace(/\/+$/, "")}/${folder}`),
        createdMs: yield* Clock.currentTimeMillis
      })
      const staged = yield* this.stage(metadata, undefined)
      yield* this.fileIO.write([staged])
      const created = { identifier, metadataLocation: staged.uri, metadata }
      yield* this.insert(created)
      return created
    })
  }

  /** Metadata that follows what lies at `previous`, under a name that nobody else gives. */
  private stage(metadata: TableMetadata, previous: string | undefined): Effect.Effect<StagedFile> {
    return Effect.flatMap(randomUuid, (uuid) =>
      this.fileIO.stageTableMetadata(`${metadataFolder(metadata)}/${metadataFileName(previous, uuid)}`, metadata)
    )
  }

  /** **The commit point** of a creation. */
  private insert(table: Table): Effect.Effect<void, LakeError> {
    const { identifier, metadataLocation } = table
    const exists = new LakeError({
      reason: "TableExists",
      message: `table ${identifierText(identifier)} is in ${this.pointers.name} already`
    })
    return this.pointers.insert(identifier, metadataLocation).pipe(
      Effect.flatMap((inserted) => (inserted ? Effect.void : Effect.fail(exists))),
      Effect.catch((error) => {
        if (error.reason !== "OutcomeUnknown") return Effect.fail(error)
        // Looked up instead of assumed: the entry is ours, another's, or not there.
        return this.location(identifier).pipe(
          Effect.flatMap((found) => (found === metadataLocation ? Effect.void : Effect.fail(exists))),
          Effect.catchTag("LakeError", (again) => Effect.fail(again.reason === "TableMissing" ? error : again))
        )
      })
    )
  }

  dropTable(identifier: TableIdentifier): Effect.Effect<void, LakeError> {
    return Effect.flatMap(this.pointers.remove(identifier), (removed) =>
      removed ? Effect.void : Effect.fail(this.missing(identifier))
    )
  }

  commit({ base, requirements, updates, write = this.fileIO.write }: TableCommit): Effect.Effect<Table, LakeError> {
    const { identifier } = base
    return Effect.gen({ self: this }, function* () {
      const unmet = unmetRequirement(base.metadata, requirements)
      if (unmet !== undefined) {
        return yield* new LakeError({
          reason: "RequirementFailed",
          message: `table ${identifierText(identifier)}: ${unmet}`
        })
      }
      const now = yield* Clock.currentTimeMillis
      const metadata = applyUpdates(base.metadata, base.metadataLocation, updates, now)
      const staged = yield* this.stage(metadata, base.metadataLocation)
      const metadataLocation = staged.uri
      // with the files that it names: none of them is in force before the swap
      yield* write([staged])
      yield* faultPoint("before-swap")
      if (yield* this.pointers.swap(identifier, base.metadataLocation, metadataLocation)) {
        return { identifier, metadataLocation, metadata }
      }
      yield* this.location(identifier)
      return yield* new LakeError({
        reason: "CommitConflict",
        message: `table ${identifierText(identifier)}: another commit was first`
      })
    })
  }
}

/** Makes a catalog. New tables lie below `warehouse`, a URI or an absolute path. */
export const makePointerCatalog = (pointers: TablePointers, fileIO: FileIOShape, warehouse: string): CatalogShape => {
  const catalog = new PointerCatalog(pointers, fileIO, warehouse)
  // a plain object: whoever wraps a catalog spreads it
  return {
    listNamespaces: catalog.listNamespaces,
    listTables: (namespace) => catalog.listTables(namespace),
    loadTable: (identifier) => catalog.loadTable(identifier),
    createTable: (table) => catalog.createTable(table),
    dropTable: (identifier) => catalog.dropTable(identifier),
    commit: (commit) => catalog.commit(commit)
  }
}
