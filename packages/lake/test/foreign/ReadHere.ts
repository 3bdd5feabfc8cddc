/** A table by our reader, in the one spelling of values that all readers are compared in. */
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { readTable, type ReadOptions } from "../../src/read/ReadTable.ts"
import { currentSchema } from "../../src/spec/TableMetadata.ts"
import { canonicalRows } from "./Canonical.ts"

/** Its rows, with its schema, and how many files and partitions were read for them. */
export const readHere = Effect.fnUntraced(function* (
  namespace: string,
  name: string,
  { where, ...options }: Omit<ReadOptions, "query"> & { readonly where?: string } = {}
) {
  const loaded = yield* Catalog.use((catalog) => catalog.loadTable({ namespace, name }))
  const schema = currentSchema(loaded.metadata)
  const columns = schema.fields.map(({ name: column, type }) =>
    type._tag === "binary" || type._tag === "fixed" ? `lower(hex("${column}")) AS "${column}"` : `"${column}"`
  )
  const query = `SELECT ${columns.join(", ")} FROM t${where === undefined ? "" : ` WHERE ${where}`}`
  const { plan, rows } = yield* readTable(loaded, { ...options, query })
  const partitions = new Set(plan.entries.map(({ dataFile }) => dataFile.partition.map(String).join("/"))).size
  return { schema, rows: canonicalRows(schema, rows), files: plan.entries.length, partitions }
})
