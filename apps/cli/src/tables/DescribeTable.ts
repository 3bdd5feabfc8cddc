/** `frazil tables describe T`: its columns, partitions, place and marks. */
import {
  currentSchema,
  currentSnapshot,
  defaultSpec,
  readMarks,
  type Table,
  transformToText,
  type Type,
  typeToJson
} from "@frazil/lake"
import { catalogLayer, existingLake, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { landingOf } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { textFields, textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"
import { namedTable, tableArgument } from "./NamedTable.ts"

const typeText = (type: Type): string => {
  const json = typeToJson(type)
  return typeof json === "string" ? json : type._tag
}

const markRows = (name: string, table: Table) => {
  const landing = landingOf(name)
  const marks = landing === undefined ? undefined : readMarks(landing.uid, landing.branch, table.metadata.properties)
  return [...(marks ?? [])].map(([partition, mark]) => ({ partition, next_offset: mark.next, topic_id: mark.topicId }))
}

const describe = (name: string, table: Table) => {
  const { metadata } = table
  const schema = currentSchema(metadata)
  const snapshot = currentSnapshot(metadata)
  const columnName = (id: number) => schema.fields.find((field) => field.id === id)?.name ?? String(id)
  return {
    table: name,
    topic: landingOf(name)?.topic.name ?? null,
    table_uuid: metadata.tableUuid,
    format_version: metadata.formatVersion,
    location: metadata.location,
    metadata_location: table.metadataLocation,
    rows: Number(snapshot?.summary.get("total-records") ?? 0),
    files: Number(snapshot?.summary.get("total-data-files") ?? 0),
    snapshots: metadata.snapshots.length,
    snapshot_id: snapshot?.snapshotId ?? null,
    committed_at: isoTime(snapshot?.timestampMs),
    partition_by: defaultSpec(metadata).fields.map(
      (field) => `${transformToText(field.transform)}(${columnName(field.sourceId)})`
    ),
    columns: schema.fields.map((field) => ({
      id: field.id,
      name: field.name,
      type: typeText(field.type),
      required: field.required
    })),
    marks: markRows(name, table)
  }
}

type Description = ReturnType<typeof describe>

const lines = (table: Description): ReadonlyArray<string> => [
  ...textFields([
    ["table", table.table],
    ["uuid", table.table_uuid],
    ["location", table.location],
    ["from topic", table.topic ?? "-"],
    ["rows", `${Units.count(table.rows)} in ${Units.count(table.files)} files`],
    ["partitioned by", table.partition_by.join(", ") || "-"],
    ["snapshot", table.snapshot_id === null ? "none yet" : `${table.snapshot_id} of ${table.committed_at}`],
    ["snapshots", Units.count(table.snapshots)]
  ]),
  "",
  ...textTable<Description["columns"][number]>(
    [
      { title: "ID", text: (row) => String(row.id), align: "right" },
      { title: "COLUMN", text: (row) => row.name },
      { title: "TYPE", text: (row) => row.type },
      { title: "", text: (row) => (row.required ? "required" : "") }
    ],
    table.columns
  ),
  ...(table.marks.length === 0 ? [] : markLines(table.marks))
]

const markLines = (marks: Description["marks"]): ReadonlyArray<string> => [
  "",
  ...textTable<Description["marks"][number]>(
    [
      { title: "PARTITION", text: (row) => String(row.partition), align: "right" },
      { title: "LANDED TO", text: (row) => Units.count(row.next_offset), align: "right" },
      { title: "TOPIC ID", text: (row) => row.topic_id }
    ],
    marks
  )
]

export const describeTable = Command.make(
  "describe",
  { table: tableArgument, ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const table = yield* namedTable(given.table).pipe(Effect.provide(catalogLayer(directory)))
    const described = describe(given.table, table)
    yield* given.json ? printJson(described) : printLines(lines(described))
  })
).pipe(Command.withDescription("Shows a table's columns, partitions, place and landing marks"))
