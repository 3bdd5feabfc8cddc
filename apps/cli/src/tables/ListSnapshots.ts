/** `frazil tables snapshots T`: its history, oldest first. */
import { listSnapshots, type SnapshotRow } from "@frazil/lake"
import { catalogLayer, existingLake, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"
import { namedTable, tableArgument } from "./NamedTable.ts"

const json = (snapshot: SnapshotRow) => ({
  snapshot_id: snapshot.snapshotId,
  parent_id: snapshot.parentSnapshotId,
  committed_at: isoTime(snapshot.committedMs),
  operation: snapshot.operation,
  refs: snapshot.refs,
  manifest_list: snapshot.manifestList,
  summary: Object.fromEntries(snapshot.summary)
})

const summaryNumber = (name: string) => (snapshot: SnapshotRow) => {
  const text = snapshot.summary.get(name)
  return text === undefined ? "-" : Units.count(BigInt(text))
}

const lines = (snapshots: ReadonlyArray<SnapshotRow>) =>
  textTable<SnapshotRow>(
    [
      { title: "SNAPSHOT", text: (row) => String(row.snapshotId), align: "right" },
      { title: "COMMITTED", text: (row) => isoTime(row.committedMs) ?? "-" },
      { title: "OPERATION", text: (row) => row.operation },
      { title: "ADDED", text: summaryNumber("added-records"), align: "right" },
      { title: "ROWS", text: summaryNumber("total-records"), align: "right" },
      { title: "FILES", text: summaryNumber("total-data-files"), align: "right" },
      { title: "REFS", text: (row) => row.refs.join(", ") }
    ],
    snapshots
  )

export const listSnapshotsCommand = Command.make(
  "snapshots",
  { table: tableArgument, ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const table = yield* namedTable(given.table).pipe(Effect.provide(catalogLayer(directory)))
    const snapshots = listSnapshots(table.metadata)
    if (given.json) yield* printJson(snapshots.map(json))
    else if (snapshots.length === 0) yield* note(`${given.table} has no snapshots yet`)
    else yield* printLines(lines(snapshots))
  })
).pipe(Command.withDescription("Lists a table's snapshots, oldest first"))
