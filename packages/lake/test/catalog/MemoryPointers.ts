import { Effect } from "effect"
import { identifierText, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import type { TablePointers } from "../../src/catalog/TablePointers.ts"

/** The least that pointers can be. */
export const memoryPointers = (): TablePointers => {
  const tables = new Map<string, { readonly table: TableIdentifier; readonly location: string }>()
  const sorted = () => [...tables.values()].sort((a, b) => (identifierText(a.table) < identifierText(b.table) ? -1 : 1))
  const put = (table: TableIdentifier, location: string) => tables.set(identifierText(table), { table, location })
  const locationOf = (table: TableIdentifier) => tables.get(identifierText(table))?.location
  return {
    name: "memory",
    namespaces: Effect.sync(() => [...new Set(sorted().map(({ table }) => table.namespace))].sort()),
    tables: (namespace) =>
      Effect.sync(() =>
        sorted()
          .map(({ table }) => table)
          .filter((table) => namespace === undefined || table.namespace === namespace)
      ),
    find: (table) => Effect.sync(() => locationOf(table)),
    insert: (table, location) =>
      Effect.sync(() => locationOf(table) === undefined && put(table, location) !== undefined),
    swap: (table, from, to) => Effect.sync(() => locationOf(table) === from && put(table, to) !== undefined),
    remove: (table) => Effect.sync(() => tables.delete(identifierText(table)))
  }
}
