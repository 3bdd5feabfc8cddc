/** Small tables in a folder of their own, changed by SQL: for tests of changes of rows. */
import type { Storage } from "@frazil/core"
import { Effect } from "effect"
import { Catalog, type CatalogShape } from "../../../src/catalog/Catalog.ts"
import type { DuckDb } from "../../../src/io/DuckDb.ts"
import type { FileIO } from "../../../src/io/FileIO.ts"
import type { AsOf } from "../../../src/read/AsOf.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { partitionSpec, type PartitionBy } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"

export const table = { namespace: "test", name: "accounts" }

export const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "country", required: false, type: { _tag: "string" } },
    { id: 3, name: "balance", required: false, type: { _tag: "decimal", precision: 12, scale: 2 } }
  ]
}

export { layerLake } from "../../maintenance/MaintenanceFixture.ts"

export const byCountry: ReadonlyArray<PartitionBy> = [{ column: "country", transform: { _tag: "identity" } }]

export const createAccounts = (
  by: ReadonlyArray<PartitionBy>,
  properties: ReadonlyArray<readonly [string, string]> = []
) =>
  Catalog.use((catalog) =>
    catalog.createTable({
      identifier: table,
      schema,
      partitionSpec: partitionSpec(schema, by),
      properties: new Map(properties)
    })
  )

export const load = Catalog.use((catalog) => catalog.loadTable(table))

export interface Account {
  readonly id: number
  readonly country: string | null
  /** Cents. */
  readonly cents: number | null
}

/** Rows as an SQL query. */
export const rowsSql = (rows: ReadonlyArray<Account>): string => {
  const values = rows.map(({ cents, country, id }) => {
    const balance = cents === null ? "NULL" : `${(cents / 100).toFixed(2)}`
    return `(${id}, ${country === null ? "NULL" : `'${country}'`}, ${balance}::DECIMAL(12, 2))`
  })
  return rows.length === 0
    ? "SELECT 1 AS id, '' AS country, 0.00 AS balance WHERE false"
    : `SELECT * FROM (VALUES ${values.join(", ")}) AS v(id, country, balance)`
}

/** One line a row, sorted. */
export const textOf = (rows: ReadonlyArray<Account>): ReadonlyArray<string> =>
  rows.map(({ cents, country, id }) => `${id}|${country}|${cents === null ? null : (cents / 100).toFixed(2)}`).sort()

export const readAccounts = Effect.fnUntraced(function* (asOf: AsOf = { _tag: "Current" }) {
  const { rows } = yield* readTable(yield* load, { asOf })
  return rows.map(({ balance, country, id }) => `${String(id)}|${String(country)}|${String(balance)}`).sort()
})

type Services = Catalog | FileIO | DuckDb | Storage

/** Runs `one`, with `other` committed between its first decision and its commit; tells how often it was decided. */
export const meetOnce = Effect.fnUntraced(function* <E>(
  one: Effect.Effect<unknown, E, Services>,
  other: Effect.Effect<unknown, { readonly message: string }, Services>
) {
  const catalog = yield* Catalog
  const services = yield* Effect.context<Services>()
  let loads = 0
  const meeting: CatalogShape = {
    ...catalog,
    // a decision loads the table once, its commit once more
    loadTable: (identifier) =>
      Effect.suspend(() => {
        const meanwhile = ++loads === 2 ? Effect.orDie(Effect.provideContext(other, services)) : Effect.void
        return Effect.andThen(meanwhile, catalog.loadTable(identifier))
      })
  }
  yield* Effect.provideService(one, Catalog, meeting)
  return loads / 2
})
