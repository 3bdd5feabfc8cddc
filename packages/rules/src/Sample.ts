/**
 * Records for tests of rules: a person writes the fields that matter, the rest takes plain values.
 *
 * Each goes through the topic's own decoder: a test cannot use a record that a topic would refuse.
 */
import { Decoder, type FieldSpec, makeRecordBuilder, type Topic } from "@frazil/core"
import { Result } from "effect"
import type { RuleTopic } from "./CheckedRule.ts"
import type { PlacedRecord } from "./Evaluate.ts"

const plainTime = "2026-01-01T12:00:00.000Z"

/** A value of the field's kind, as JSON has it. */
const plain = ({ nullable, type }: FieldSpec): unknown => {
  if (nullable) return null
  switch (type._tag) {
    case "Text":
      if (type.values !== undefined) return type.values[0]
      if (type.format === "uuid") return "00000000-0000-0000-0000-000000000000"
      if (type.format === "ipv4") return "192.0.2.1"
      if (type.format === "digits9") return "123456789"
      return (type.format === "alpha2" ? "AA" : type.format === "alpha3" ? "AAA" : "any").slice(0, type.lengthMax)
    case "Decimal":
      return type.precision > type.scale ? 1 : `0.${"1".padStart(type.scale, "0")}`
    case "Timestamp":
      return plainTime
    case "Date":
      return plainTime.slice(0, 10)
    case "Int":
      return Math.min(Math.max(1, Math.ceil(type.min)), Math.floor(type.max))
    case "Double":
      return Math.min(Math.max(0, type.min), type.max)
    case "Boolean":
      return false
    case "Json":
      return null
  }
}

/** A record that could not be used: which of them, and why, without its values. */
export interface RecordProblem {
  readonly index: number
  readonly message: string
}

/** Decodes lines of JSON as the topic would; each stands at its index. Fails with every line that does not decode. */
export const decodeLines = (
  topic: RuleTopic,
  lines: ReadonlyArray<string>
): Result.Result<ReadonlyArray<PlacedRecord>, ReadonlyArray<RecordProblem>> => {
  const builder = makeRecordBuilder()
  for (const line of lines) builder.addText(line, null)
  const decoder = Decoder.make(topic as unknown as Topic<Readonly<Record<string, unknown>>>) // its record type is not known here
  const batch = decoder.decode({
    ...builder.take(),
    offsets: Float64Array.from(lines, (_, index) => index),
    timestamps: new Float64Array(lines.length)
  })
  if (batch.failures.length > 0) {
    return Result.fail(batch.failures.map(({ message, row }) => ({ index: row, message })))
  }
  return Result.succeed(
    lines.map((_, row) => ({
      record: decoder.record(batch, row),
      place: { topic: topic.name, partition: 0, offset: row }
    }))
  )
}

/** Events of a test as records: their fields over plain ones. */
export const sampleRecords = (topic: RuleTopic, events: ReadonlyArray<Readonly<Record<string, unknown>>>) => {
  const base = topic.shape.fields.map((field) => [field.name, plain(field)] as const)
  // own properties whatever they are named
  const lines = events.map((event) => JSON.stringify(Object.fromEntries([...base, ...Object.entries(event)])))
  const strange = events.flatMap((event, index) => {
    const name = Object.keys(event).find((each) => !topic.shape.byName.has(each))
    return name === undefined ? [] : [{ index, message: `${topic.name} has no field ${JSON.stringify(name)}` }]
  })
  return strange.length > 0 ? Result.fail(strange) : decodeLines(topic, lines)
}
