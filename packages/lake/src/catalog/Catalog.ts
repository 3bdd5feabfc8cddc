/**
 * The catalog: which tables there are, and which metadata file of each is in force. The one place where a table changes.
 *
 * **Guarantees**: of commits that require the same head of the same branch at most one succeeds; what a reader loads is a
 * whole, committed state. A file of SQLite, or a server of the REST protocol: hence commits are requirements and updates,
 * not files.
 */
import { Context, type Effect } from "effect"
import type { StagedFile } from "../io/StagedFile.ts"
import type { LakeError } from "../LakeError.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import type { PartitionSpec } from "../spec/PartitionSpec.ts"
import type { Requirement } from "../spec/Requirement.ts"
import type { TableSchema } from "../spec/Schema.ts"
import type { SortOrder } from "../spec/SortOrder.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"

/** A table's name: `namespace` may have several levels, joined by dots. */
export interface TableIdentifier {
  readonly namespace: string
  readonly name: string
}

/** `namespace.name`. */
export const identifierText = (identifier: TableIdentifier): string => `${identifier.namespace}.${identifier.name}`

/** Reads `namespace.name`; undefined when a part is missing. */
export const identifierFromText = (text: string): TableIdentifier | undefined => {
  const dot = text.lastIndexOf(".")
  return dot > 0 && dot < text.length - 1 ? { namespace: text.slice(0, dot), name: text.slice(dot + 1) } : undefined
}

const identifierPart = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/

/** What is wrong with the name of a table to be made; empty when nothing is. */
export const identifierProblems = (identifier: TableIdentifier): ReadonlyArray<string> => {
  const parts = [...identifier.namespace.split("."), identifier.name]
  return parts.every((part) => identifierPart.test(part))
    ? []
    : [`table name ${identifierText(identifier)}: letters, digits, _ and - only, with a namespace before the dot`]
}

/** A table as it was when it was loaded. */
export interface Table {
  readonly identifier: TableIdentifier
  /** As the catalog has it, whatever its spelling: the swap compares it as text. */
  readonly metadataLocation: string
  readonly metadata: TableMetadata
}

/** A table to be made. Field ids, spec id and order id are taken as given; the namespace is made if need be. */
export interface CreateTable {
  readonly identifier: TableIdentifier
  readonly schema: TableSchema
  /** None when left out. */
  readonly partitionSpec?: PartitionSpec
  readonly sortOrder?: SortOrder
  /** In force from the first moment: a landing's marks among them. */
  readonly properties?: ReadonlyMap<string, string>
  /** `<warehouse>/<namespace>/<name>` when left out. */
  readonly location?: string
}

/**
 * A change of a table: all updates or none, on a table that meets the requirements.
 *
 * **Gotchas**: a catalog of pointers refuses every other base than this one; a REST catalog takes any that meets the
 * requirements. What must not meet another change has to require what that would move, as the commit loop does.
 */
export interface TableCommit {
  readonly base: Table
  readonly requirements: ReadonlyArray<Requirement>
  readonly updates: ReadonlyArray<MetadataUpdate>
  /**
   * Writes the files that the updates name, and `last` with them. The catalog calls it once, before it puts anything in force
   * or asks a server to; left out: they are written already.
   */
  readonly write?: (last: ReadonlyArray<StagedFile>) => Effect.Effect<void, LakeError>
}

export interface CatalogShape {
  /** Every namespace, sorted. */
  readonly listNamespaces: Effect.Effect<ReadonlyArray<string>, LakeError>
  /** Tables of a namespace, or of all when it is undefined, sorted. */
  readonly listTables: (namespace?: string) => Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError>
  /** TableMissing; Corrupt or Unsupported when its metadata cannot be used. */
  readonly loadTable: (identifier: TableIdentifier) => Effect.Effect<Table, LakeError>
  /** TableExists; Invalid when the declaration breaks the specification. */
  readonly createTable: (table: CreateTable) => Effect.Effect<Table, LakeError>
  /** Forgets the table; its files stay. TableMissing. */
  readonly dropTable: (identifier: TableIdentifier) => Effect.Effect<void, LakeError>
  /**
   * **The commit point.** CommitConflict: another commit was first, nothing happened. RequirementFailed: the base does not
   * meet a requirement, nothing happened. OutcomeUnknown: nobody can say; look whether the change is in the table.
   */
  readonly commit: (commit: TableCommit) => Effect.Effect<Table, LakeError>
}

/** The catalog service. */
export class Catalog extends Context.Service<Catalog, CatalogShape>()("@frazil/lake/Catalog") {}
