/**
 * How a table wants its rows changed: its properties `write.{delete,update,merge}.mode` and `.isolation-level`, in the spellings
 * that Java's engines take.
 *
 * Pure. What names no mode or level is as if it was not there (another writer's mistake must not stop this one): copy-on-write,
 * and the stricter level.
 */
import type { StringMap } from "../../spec/JsonRead.ts"
import type { ChangeRows } from "../TableAction.ts"

/** As Spark has them: DELETE, UPDATE (here also rows in the place of others), and MERGE, which an upsert is. */
export type RowOperation = "delete" | "update" | "merge"

const property = (properties: StringMap, operation: RowOperation, name: "mode" | "isolation-level") =>
  properties.get(`write.${operation}.${name}`)?.toLowerCase()

export const mergesOnRead = (properties: StringMap, operation: RowOperation): boolean =>
  property(properties, operation, "mode") === "merge-on-read"

export const isolationOf = (properties: StringMap, operation: RowOperation): ChangeRows["isolation"] =>
  property(properties, operation, "isolation-level") === "snapshot" ? "snapshot" : "serializable"
