/** `frazil tables list`. A table that cannot be read is listed with the reason, and makes the exit code 1. */
import { Catalog, currentSnapshot, identifierText, type Table } from "@frazil/lake"
import { tables as landings } from "@frazil/lakehouse"
import { catalogLayer, existingLake, sayCatalog, Units } from "@frazil/platform"
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"

const summaryNumber = (table: Table, name: string): number => {
  const text = currentSnapshot(table.metadata)?.summary.get(name)
  return text === undefined ? 0 : Number(text)
}

const topicOf = (table: string): string | null =>
  landings.find((landing) => landing.table === table)?.topic.name ?? null

const tableRow = (name: string, table: Table) => {
  const snapshot = currentSnapshot(table.metadata)
  return {
    table: name,
    topic: topicOf(name),
    rows: summaryNumber(table, "total-records"),
    files: summaryNumber(table, "total-data-files"),
    bytes: summaryNumber(table, "total-files-size"),
    snapshots: table.metadata.snapshots.length,
    snapshot_id: snapshot?.snapshotId ?? null,
    committed_at: isoTime(snapshot?.timestampMs),
    error: null
  }
}

const damagedRow = (name: string, error: string) => ({
  table: name,
  topic: topicOf(name),
  rows: null,
  files: null,
  bytes: null,
  snapshots: null,
  snapshot_id: null,
  committed_at: null,
  error
})

type TableRow = ReturnType<typeof tableRow> | ReturnType<typeof damagedRow>

const tableRows = Effect.gen(function* () {
  const catalog = yield* Catalog
  return yield* Effect.forEach(yield* catalog.listTables(), (identifier) => {
    const name = identifierText(identifier)
    return Effect.match(catalog.loadTable(identifier), {
      onSuccess: (table): TableRow => tableRow(name, table),
      onFailure: (error): TableRow => damagedRow(name, error.message)
    })
  })
})

const number = (value: number | null): string => (value === null ? "-" : Units.count(value))

const lines = (rows: ReadonlyArray<TableRow>, nowMs: number) =>
  textTable<TableRow>(
    [
      { title: "TABLE", text: (row) => row.table },
      { title: "ROWS", text: (row) => number(row.rows), align: "right" },
      { title: "FILES", text: (row) => number(row.files), align: "right" },
      { title: "SIZE", text: (row) => (row.bytes === null ? "-" : Units.bytes(row.bytes)), align: "right" },
      { title: "SNAPSHOTS", text: (row) => number(row.snapshots), align: "right" },
      {
        title: "LAST COMMIT",
        text: (row) => Units.ago(row.committed_at === null ? undefined : Date.parse(row.committed_at), nowMs),
        align: "right"
      },
      { title: "FROM TOPIC", text: (row) => row.error ?? row.topic ?? "-" }
    ],
    rows
  )

export const listTables = Command.make(
  "list",
  commonOptions,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const rows = yield* tableRows.pipe(Effect.provide(catalogLayer(directory)))
    if (given.json) yield* printJson(rows)
    else if (rows.length === 0) yield* note(`${sayCatalog(directory)} has no tables yet`)
    else yield* printLines(lines(rows, yield* Clock.currentTimeMillis))
    const damaged = rows.filter((row) => row.error !== null).map((row) => row.table)
    if (damaged.length > 0) {
      return yield* new CommandError({ message: `cannot be read: ${damaged.join(", ")}` })
    }
  })
).pipe(Command.withDescription("Lists the tables of the catalog"))
