/**
 * The part of a catalog that is not files: which metadata file of each table is in force.
 *
 * `PointerCatalog` makes a catalog of it. SQLite keeps it for a machine; the simulated world keeps it in memory, where it
 * can fail in every way that a database may.
 */
import type { Effect } from "effect"
import type { LakeError } from "../LakeError.ts"
import type { TableIdentifier } from "./Catalog.ts"

/** **Guarantees**: each change is atomic, durable when it returns, and unknown only when it fails with OutcomeUnknown. */
export interface TablePointers {
  /** What people call it in messages: "catalog warehouse/catalog.db". */
  readonly name: string
  /** Every namespace, sorted. */
  readonly namespaces: Effect.Effect<ReadonlyArray<string>, LakeError>
  /** Tables of a namespace, or of all when it is undefined, sorted. */
  readonly tables: (namespace?: string) => Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError>
  /** Location of the metadata in force; undefined when there is no such table. */
  readonly find: (table: TableIdentifier) => Effect.Effect<string | undefined, LakeError>
  /** Adds the table, and its namespace if need be; false when there is one of this name already. */
  readonly insert: (table: TableIdentifier, location: string) => Effect.Effect<boolean, LakeError>
  /** Puts `to` in force if `from` is, as text; false when it is not. */
  readonly swap: (table: TableIdentifier, from: string, to: string) => Effect.Effect<boolean, LakeError>
  /** False when there is no such table. */
  readonly remove: (table: TableIdentifier) => Effect.Effect<boolean, LakeError>
}
