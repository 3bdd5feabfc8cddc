/** `frazil tables files T`: the data files of its current snapshot. */
import { partitionPath, planScan, type ScanPlan, specById } from "@frazil/lake"
import { catalogLayer, existingLake, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { namedTable, tableArgument } from "./NamedTable.ts"

const fileRows = (plan: ScanPlan) =>
  plan.entries.map(({ dataFile, snapshotId }) => ({
    path: dataFile.filePath,
    partition: partitionPath(specById(plan.metadata, dataFile.specId), dataFile.partition),
    rows: Number(dataFile.recordCount),
    bytes: Number(dataFile.fileSizeInBytes),
    snapshot_id: snapshotId
  }))

type FileRow = ReturnType<typeof fileRows>[number]

const lines = (rows: ReadonlyArray<FileRow>) =>
  textTable<FileRow>(
    [
      { title: "PARTITION", text: (row) => row.partition || "-" },
      { title: "ROWS", text: (row) => Units.count(row.rows), align: "right" },
      { title: "SIZE", text: (row) => Units.bytes(row.bytes), align: "right" },
      { title: "FILE", text: (row) => row.path }
    ],
    rows
  )

export const listFiles = Command.make(
  "files",
  { table: tableArgument, ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const plan = yield* Effect.flatMap(namedTable(given.table), (table) => planScan(table)).pipe(
      Effect.provide(catalogLayer(directory))
    )
    const rows = fileRows(plan)
    if (given.json) yield* printJson(rows)
    else if (rows.length === 0) yield* note(`${given.table} has no data files yet`)
    else yield* printLines(lines(rows))
  })
).pipe(Command.withDescription("Lists the data files of a table's current snapshot"))
