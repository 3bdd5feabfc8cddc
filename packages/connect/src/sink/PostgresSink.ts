/**
 * Upserts records into a table of PostgreSQL: one row a key, the newest record of it.
 *
 * `runSink` drives it. **Delivery**: at least once, with the same rows whatever is repeated or late: a row is written only by
 * a record of a higher offset than the one it came from, within a topic's partition (rule 18). The table is made when it is
 * missing: the record's fields, and `source_topic_id`, `source_partition`, `source_offset`.
 */
import type { FieldSpec, Topic } from "@frazil/core"
import { Effect, Result } from "effect"
import { quoted } from "../sql/Quoted.ts"
import type { SqlClient, SqlError } from "../sql/SqlClient.ts"
import { lastByKey, type Refused, SinkError, type SinkRecord, type SinkTarget } from "./SinkTarget.ts"

export interface PostgresSinkOptions<A> {
  readonly client: SqlClient
  readonly table: string
  readonly topic: Topic<A>
  /** The fields whose values are a row's key. None of them may be null. */
  readonly key: readonly [keyof A & string, ...ReadonlyArray<keyof A & string>]
}

const columnType = ({ type }: FieldSpec): string => {
  switch (type._tag) {
    case "Decimal":
      return `numeric(${type.precision},${type.scale})`
    case "Int":
      return "bigint"
    case "Double":
      return "double precision"
    case "Boolean":
      return "boolean"
    case "Timestamp":
      return "timestamptz"
    case "Date":
      return "date"
    case "Json":
      return "jsonb"
    case "Text":
      return "text"
  }
}

const source = ["source_topic_id text", "source_partition integer", "source_offset bigint"]
const sourceColumns = ["source_topic_id", "source_partition", "source_offset"]

/** Of a value that does not fit its column or a constraint (classes 22 and 23): the record will never be taken. */
const refusing = (error: SqlError): boolean => /^2[23]/.test(error.code ?? "")

const upsertText = (table: string, fields: ReadonlyArray<FieldSpec>, key: ReadonlyArray<string>): string => {
  const columns = [...fields.map(({ name }) => quoted(name)), ...sourceColumns]
  const set = columns.map((column) => `${column} = excluded.${column}`).join(", ")
  const types = [...fields.map((field) => `${quoted(field.name)} ${columnType(field)}`), ...source].join(", ")
  return `INSERT INTO ${quoted(table)} AS kept (${columns.join(", ")})
SELECT ${columns.join(", ")} FROM jsonb_to_recordset($1::jsonb) AS given(${types})
ON CONFLICT (${key.map(quoted).join(", ")}) DO UPDATE SET ${set}
WHERE (kept.source_topic_id, kept.source_partition) IS DISTINCT FROM (excluded.source_topic_id, excluded.source_partition)
   OR kept.source_offset < excluded.source_offset`
}

/** Makes the table when it is missing. */
export const openPostgresSink = Effect.fnUntraced(function* <A>(
  options: PostgresSinkOptions<A>
): Effect.fn.Return<SinkTarget<A>, SqlError> {
  const { client, key, table, topic } = options
  const { fields } = topic.shape
  const columns = fields.map((field) => `${quoted(field.name)} ${columnType(field)}`)
  yield* client.query(
    `CREATE TABLE IF NOT EXISTS ${quoted(table)} (${[...columns, ...source].join(", ")}, PRIMARY KEY (${key.map(quoted).join(", ")}))`
  )
  const text = upsertText(table, fields, key)
  const keyOf = (record: A) => JSON.stringify(key.map((name) => record[name]))
  const row = ({ json, offset, partition, topicId }: SinkRecord<A>) =>
    // the record's own text, so that no decimal passes through a double; our fields come last and win
    `${json.trimEnd().slice(0, -1)}${json.trim() === "{}" ? "" : ","}"source_topic_id":${JSON.stringify(topicId)},"source_partition":${partition},"source_offset":${offset}}`
  const write = (records: ReadonlyArray<SinkRecord<A>>) => client.query(text, [`[${records.map(row).join(",")}]`])

  /** One by one: which of them the database refuses. */
  const writeEach = Effect.fnUntraced(function* (records: ReadonlyArray<SinkRecord<A>>) {
    const refused: Array<Refused<A>> = []
    for (const [index, record] of records.entries()) {
      const outcome = yield* Effect.result(write([record]))
      if (Result.isSuccess(outcome)) continue
      const { failure } = outcome
      if (!refusing(failure))
        return yield* new SinkError({ message: failure.message, delivered: refused.length > 0 ? 0 : index })
      refused.push({ record, message: `table ${table} refuses the record (${failure.code})` })
    }
    return refused
  })
  return {
    deliver: (records) =>
      write(lastByKey(records, keyOf)).pipe(
        Effect.as<ReadonlyArray<Refused<A>>>([]),
        Effect.catch((error) =>
          refusing(error) ? writeEach(records) : Effect.fail(new SinkError({ message: error.message, delivered: 0 }))
        )
      )
  }
})
