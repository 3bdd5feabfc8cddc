/**
 * A table's sort order as DuckDB's SQL, transforms and columns within structs included; −0.0 and 0.0 are equal, as to DuckDB, whose
 * Parquet dictionaries may make one of both. Pure.
 */
import { bindPartitionSpec } from "../../spec/PartitionSpec.ts"
import { fieldsById, type TableSchema } from "../../spec/Schema.ts"
import type { SortField, SortOrder } from "../../spec/SortOrder.ts"
import { partitionValueSql } from "./PartitionSql.ts"

/** How rows of a file are sorted. */
export interface SortedBy {
  /** `ORDER BY …` over the table's columns. */
  readonly orderBy: string
  /** The terms alone. */
  readonly terms: string
  /** The table's name for it, which files carry. */
  readonly orderId: number
}

const termOf = ({ direction, nullOrder, sourceId, transform }: SortField, schema: TableSchema): string | undefined => {
  const source = fieldsById(schema).get(sourceId)
  // values that a sort field orders by are those that a partition field of the same transform would have
  const [bound] = bindPartitionSpec({ specId: 0, fields: [{ sourceId, transform, fieldId: 0, name: "" }] }, schema)
  const known = transform._tag !== "unknown" && transform._tag !== "void"
  if (source === undefined || source.repeated || bound?.type === undefined || !known) return undefined
  return `${partitionValueSql(bound, schema)} ${direction} NULLS ${nullOrder === "nulls-first" ? "FIRST" : "LAST"}`
}

/**
 * Undefined where rows keep their order: of no sort order, and of one with a field that cannot be ordered by here (a transform
 * that is not known, a column that is gone). A file must not name an order that it is not in.
 */
export const sortedBy = (order: SortOrder, schema: TableSchema): SortedBy | undefined => {
  const terms = order.fields.map((field) => termOf(field, schema))
  if (terms.length === 0 || terms.includes(undefined)) return undefined
  const text = terms.join(", ")
  return { orderBy: `ORDER BY ${text}`, terms: text, orderId: order.orderId }
}
