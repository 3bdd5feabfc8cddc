/**
 * The lake of one data directory, as a notebook asks it: SQL at any moment, tables, snapshots.
 *
 * A notebook knows promises and no effects, so this is where the two meet. It only reads, and works beside a running pipeline.
 */
import { Analytics, personalColumns, QueryError } from "@frazil/analytics"
import { Catalog, currentSnapshot, identifierFromText, identifierText, listSnapshots } from "@frazil/lake"
import { catalogLayer, existingLake } from "@frazil/platform"
import { tables } from "@frazil/lakehouse"
import { Effect, Layer, ManagedRuntime, Option, Stream } from "effect"
import { type Row, rowsOf } from "./Rows.ts"

const iso = (ms: number): string => new Date(ms).toISOString()

/** One line of what is wrong, where, and what to do, instead of a trace of fibers. */
const sentence = (error: QueryError): Error => {
  const place = error.atLine === undefined ? "" : ` (line ${error.atLine}, column ${error.atColumn ?? 1})`
  return new Error(`${error.message}${place}${error.hint === undefined ? "" : `: ${error.hint}`}`)
}

const answer = Effect.fnUntraced(function* (sql: string, asOf: string | undefined) {
  const analytics = yield* Analytics
  const prepared = yield* analytics.prepare({ sql, asOf })
  const { body } = yield* prepared.run("json")
  // made by our own service
  const { columns, rows } = JSON.parse(Buffer.concat(yield* Stream.runCollect(body)).toString()) as {
    readonly columns: ReadonlyArray<{ readonly name: string }>
    readonly rows: ReadonlyArray<Row>
  }
  return rowsOf(
    rows,
    columns.map(({ name }) => name)
  )
}, Effect.scoped)

const listTables = Effect.gen(function* () {
  const catalog = yield* Catalog
  const rows = yield* Effect.forEach(yield* catalog.listTables(), (identifier) =>
    Effect.map(catalog.loadTable(identifier), ({ metadata }): Row => {
      const snapshot = currentSnapshot(metadata)
      return {
        table: identifierText(identifier),
        rows: Number(snapshot?.summary.get("total-records") ?? 0),
        files: Number(snapshot?.summary.get("total-data-files") ?? 0),
        bytes: Number(snapshot?.summary.get("total-files-size") ?? 0),
        snapshots: metadata.snapshots.length,
        last_commit: snapshot === undefined ? null : iso(snapshot.timestampMs)
      }
    })
  )
  return rowsOf(rows)
})

const snapshotsOf = Effect.fnUntraced(function* (name: string) {
  const catalog = yield* Catalog
  const identifier = identifierFromText(name)
  if (identifier === undefined) throw new Error(`"${name}" names no table: write namespace.table`)
  const { metadata } = yield* catalog.loadTable(identifier)
  const rows = listSnapshots(metadata).map(({ committedMs, operation, refs, snapshotId, summary }): Row => ({
    // as text: a number in JavaScript would round it
    snapshot: String(snapshotId),
    committed: iso(committedMs),
    operation,
    added: Number(summary.get("added-records") ?? 0),
    rows: Number(summary.get("total-records") ?? 0),
    refs: refs.join(", ")
  }))
  return rowsOf(rows)
})

/** Opens the tables of a data directory; fails with one sentence when there are none. */
export const openLake = async (data: string) => {
  const directory = await Effect.runPromise(existingLake({ data, warehouse: Option.none() }))
  const queries = Analytics.layer({
    temporaryFolder: directory.temporaryFolder,
    slots: 1,
    personal: personalColumns(tables)
  })
  const runtime = ManagedRuntime.make(queries.pipe(Layer.provideMerge(catalogLayer(directory))))
  return {
    tables: () => runtime.runPromise(listTables),
    snapshots: (table: string) => runtime.runPromise(snapshotsOf(table)),
    /** One SELECT; `asOf` is a time, a snapshot or a ref for the tables that name none themselves. */
    sql: (text: string, asOf?: string) =>
      runtime.runPromise(
        Effect.mapError(answer(text, asOf), (error) => (error instanceof QueryError ? sentence(error) : error))
      ),
    close: () => runtime.dispose()
  }
}
