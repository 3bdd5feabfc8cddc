/** `frazil topics list`. */
import { isInternalTopic, Log } from "@frazil/engine"
import { existingData, logLayer, sayLog, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { contractOf, tableOf } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"

const topicRows = Effect.gen(function* () {
  const log = yield* Log
  const topics = [...(yield* log.topics)].sort((a, b) => (a.name < b.name ? -1 : 1))
  return yield* Effect.forEach(topics, (topic) =>
    Effect.map(log.bounds(topic.name), (bounds) => ({
      name: topic.name,
      id: topic.id,
      partitions: topic.partitions,
      records: bounds.reduce((sum, { end, start }) => sum + end - start, 0),
      internal: isInternalTopic(topic.name),
      key: contractOf(topic.name)?.key ?? null,
      table: tableOf(topic.name) ?? null,
      created_at: isoTime(topic.createdAt)
    }))
  )
})

type TopicRow = Effect.Success<typeof topicRows>[number]

const lines = (rows: ReadonlyArray<TopicRow>) =>
  textTable<TopicRow>(
    [
      { title: "TOPIC", text: (row) => row.name },
      { title: "PARTITIONS", text: (row) => String(row.partitions), align: "right" },
      { title: "RECORDS", text: (row) => Units.count(row.records), align: "right" },
      { title: "KEY", text: (row) => (row.key === null || row.key.length === 0 ? "-" : row.key.join(", ")) },
      { title: "LANDS IN", text: (row) => row.table ?? (row.internal ? "(internal)" : "-") }
    ],
    rows
  )

export const listTopics = Command.make(
  "list",
  commonOptions,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const rows = yield* topicRows.pipe(Effect.provide(logLayer(directory)))
    if (given.json) yield* printJson(rows)
    else if (rows.length === 0) yield* note(`${sayLog(directory)} has no topics yet`)
    else yield* printLines(lines(rows))
  })
).pipe(Command.withDescription("Lists the topics of the log"))
