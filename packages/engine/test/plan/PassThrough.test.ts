/** Which outputs write a record as the bytes it came in: only where their own decoder would take it. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { TopicRef } from "../../src/flow/Node.ts"
import { passesUnchanged } from "../../src/plan/PassThrough.ts"

const fields = {
  id: Field.text(),
  amount: Field.decimal(12, 2),
  at: Field.timestamp,
  note: Field.optional(Field.text())
}
const topic = (
  more: Readonly<Record<string, Schema.Top>>,
  options: { readonly key?: string; readonly eventTime?: string; readonly closed?: boolean } = {}
): TopicRef =>
  // fields chosen by name have no type of their own
  Topic.make("topic", {
    schema: Schema.Struct({ ...fields, ...more }) as unknown as Schema.Codec<Readonly<Record<string, never>>, unknown>,
    key: options.key ?? "id",
    ...(options.eventTime === undefined ? {} : { eventTime: options.eventTime }),
    ...(options.closed === undefined ? {} : { closed: options.closed })
  }) as unknown as TopicRef

const source = topic({}, { eventTime: "at" })

describe("a record passes unchanged", () => {
  it("into a topic that declares its fields alike, more optional ones, or its event time", () => {
    assert.isTrue(passesUnchanged(source, topic({})))
    assert.isTrue(passesUnchanged(source, topic({ more: Field.optional(Field.int()) })))
    assert.isTrue(passesUnchanged(source, topic({}, { eventTime: "at" })))
  })

  it("not into one that would refuse it: other types, more required fields, closed, an event time nobody checked", () => {
    const refusing: ReadonlyArray<TopicRef> = [
      topic({ amount: Field.decimal(12, 3) }),
      topic({ note: Field.text() }),
      topic({ more: Field.int() }),
      topic({}, { closed: true })
    ]
    for (const target of refusing) assert.isFalse(passesUnchanged(source, target), JSON.stringify(target.shape.fields))
    assert.isFalse(passesUnchanged(topic({}), topic({}, { eventTime: "at" })))
  })

  it("not where fields would be dropped, nested values have schemas of their own, or the key is no text", () => {
    const { note: _, ...without } = fields
    const narrow = Topic.make("narrow", { schema: Schema.Struct(without), key: "id" }) as unknown as TopicRef // any topic
    assert.isFalse(passesUnchanged(source, narrow))
    const nested = { nested: Field.json(Schema.Unknown) }
    const strict = { nested: Field.json(Schema.Struct({ a: Schema.Number })) }
    assert.isFalse(passesUnchanged(topic(nested), topic(strict)))
    const standIn = Topic.make("either", { schema: Schema.Struct(fields), key: { field: "note", else: "id" } })
    assert.isFalse(passesUnchanged(source, standIn as unknown as TopicRef)) // any topic
    const counted = { count: Field.int() }
    assert.isFalse(passesUnchanged(topic(counted), topic(counted, { key: "count" })))
  })
})
