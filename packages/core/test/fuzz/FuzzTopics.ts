/** The schemas that fuzzing decodes by: every kind of field, open and closed, nested values, everything optional, next to nothing. */
import { Schema } from "effect"
import { Field, Topic } from "../../src/index.ts"
import { Everythings, EverythingsClosed } from "../decode/RecordCases.ts"

const Payment = Schema.Struct({
  payment_id: Field.uuid,
  account_id: Field.text(),
  amount: Field.decimal(18, 2, { positive: true }),
  currency: Field.alpha3,
  type: Field.oneOf(["purchase", "refund", "withdrawal"]),
  country: Field.alpha2,
  lat: Field.double({ min: -90, max: 90 }),
  device: Field.text({ lengthMax: 24 }),
  ip: Field.ipv4,
  event_timestamp: Field.timestamp,
  label: Field.optional(Field.text())
})

const Nested = Schema.Struct({
  id: Field.text({ lengthMax: 9 }),
  sources: Field.json(
    Schema.Array(Schema.Struct({ topic: Schema.String, offset: Schema.Int, note: Schema.optionalKey(Schema.String) }))
  ),
  anything: Field.optional(Field.json(Schema.Unknown)),
  rate: Field.decimal(38, 20),
  count: Field.int()
})

const Loose = Schema.Struct({
  a: Field.optional(Field.text()),
  ab: Field.optional(Field.decimal(5, 0)),
  abc: Field.optional(Field.double()),
  b: Field.optional(Field.boolean),
  when: Field.optional(Field.timestamp),
  day: Field.optional(Field.date),
  code: Field.optional(Field.oneOf(["", "a", "b\n", "ü"])),
  nine: Field.optional(Field.digits9),
  half: Field.optional(Field.decimal(1, 1))
})

export const fuzzTopics = [
  Topic.make("payments", { schema: Payment, key: "account_id", eventTime: "event_timestamp" }),
  Everythings,
  EverythingsClosed,
  Topic.make("nested", { schema: Nested, key: "id" }),
  Topic.make("loose", { schema: Loose, key: undefined }),
  Topic.make("loose-closed", { schema: Loose, key: undefined, closed: true }),
  Topic.make("single", { schema: Schema.Struct({ x: Field.int({ min: 0, max: 9 }) }), key: "x" })
] as const
