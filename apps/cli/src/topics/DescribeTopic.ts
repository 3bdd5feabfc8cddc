/** `frazil topics describe TOPIC`: its partitions, and what its contract says of its records. */
import type { FieldSpec, FieldType } from "@frazil/core"
import { Log, type PartitionBounds, type TopicInfo } from "@frazil/engine"
import { existingData, logLayer, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { contractOf, tableOf } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { textFields, textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"

const typeText = (type: FieldType): string => {
  switch (type._tag) {
    case "Decimal":
      return `decimal(${type.precision},${type.scale})`
    case "Text":
      return type.values?.join("|") ?? type.format ?? "text"
    default:
      return type._tag.toLowerCase()
  }
}

const fieldRow = (field: FieldSpec) => ({
  name: field.name,
  type: typeText(field.type),
  required: !field.nullable,
  personal: field.personal
})

const partitionRow = ({ end, partition, start }: PartitionBounds) => ({ partition, start, end, records: end - start })

const describe = (topic: TopicInfo, bounds: ReadonlyArray<PartitionBounds>) => {
  const contract = contractOf(topic.name)
  return {
    name: topic.name,
    id: topic.id,
    created_at: isoTime(topic.createdAt),
    key: contract?.key ?? null,
    key_else: contract?.keyElse ?? null,
    event_time: contract?.eventTime ?? null,
    table: tableOf(topic.name) ?? null,
    partitions: bounds.map(partitionRow),
    fields: contract?.shape.fields.map(fieldRow) ?? null
  }
}

const keyLine = (key: ReadonlyArray<string>, other: string | null): string =>
  `${key.join(", ") || "none"}${other === null ? "" : `, else ${other}`}`

type Description = ReturnType<typeof describe>

const lines = (topic: Description): ReadonlyArray<string> => [
  ...textFields([
    ["topic", topic.name],
    ["id", topic.id],
    ["created", topic.created_at ?? "-"],
    [
      "key",
      topic.key === null ? "not known: no job or table here names this topic" : keyLine(topic.key, topic.key_else)
    ],
    ["event time", topic.event_time ?? "-"],
    ["lands in", topic.table ?? "-"]
  ]),
  "",
  ...textTable<Description["partitions"][number]>(
    [
      { title: "PARTITION", text: (row) => String(row.partition), align: "right" },
      { title: "START", text: (row) => Units.count(row.start), align: "right" },
      { title: "END", text: (row) => Units.count(row.end), align: "right" },
      { title: "RECORDS", text: (row) => Units.count(row.records), align: "right" }
    ],
    topic.partitions
  ),
  ...(topic.fields === null ? [] : fieldLines(topic.fields))
]

const fieldLines = (fields: NonNullable<Description["fields"]>): ReadonlyArray<string> => [
  "",
  ...textTable<(typeof fields)[number]>(
    [
      { title: "FIELD", text: (row) => row.name },
      { title: "TYPE", text: (row) => row.type },
      { title: "", text: (row) => [row.required ? "" : "optional", row.personal ? "personal" : ""].join(" ").trim() }
    ],
    fields
  )
]

export const describeTopic = Command.make(
  "describe",
  { topic: Argument.String("TOPIC").pipe(Argument.withDescription("Name of the topic")), ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const described = yield* Effect.gen(function* () {
      const log = yield* Log
      return describe(yield* log.topic(given.topic), yield* log.bounds(given.topic))
    }).pipe(Effect.provide(logLayer(directory)))
    yield* given.json ? printJson(described) : printLines(lines(described))
  })
).pipe(Command.withDescription("Shows a topic's partitions, key and fields"))
