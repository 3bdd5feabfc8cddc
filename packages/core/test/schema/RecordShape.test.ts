import { Result, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { type CalendarDate, type Decimal, Field, RecordShape, type Timestamp, Topic } from "../../src/index.ts"

describe("fields", () => {
  it("decode to the types that flows see", () => {
    const schema = Schema.Struct({
      text: Field.text(),
      kind: Field.oneOf(["a", "b"]),
      amount: Field.decimal(18, 2),
      at: Field.timestamp,
      day: Field.date,
      count: Field.int(),
      flag: Field.optional(Field.boolean),
      nested: Field.json(Schema.Array(Schema.String))
    })
    expectTypeOf<typeof schema.Type>().toEqualTypeOf<{
      readonly text: string
      readonly kind: "a" | "b"
      readonly amount: Decimal<2>
      readonly at: Timestamp
      readonly day: CalendarDate
      readonly count: number
      readonly flag?: boolean | null
      readonly nested: ReadonlyArray<string>
    }>()
  })

  it("encode to what they decode from", () => {
    const schema = Schema.Struct({
      amount: Field.decimal(38, 2),
      at: Field.timestamp,
      day: Field.date,
      kind: Field.oneOf(["a", "b"]),
      flag: Field.optional(Field.boolean)
    })
    const encoded = { amount: 10.5, at: "2026-01-14T23:45:00.000123Z", day: "2026-01-14", kind: "a", flag: null }
    expect(Schema.encodeSync(schema)(Schema.decodeUnknownSync(schema)(encoded))).toEqual(encoded)
    const wide = { ...encoded, amount: "123456789012345678.90" }
    expect(Schema.encodeSync(schema)(Schema.decodeUnknownSync(schema)(wide)).amount).toBe(wide.amount)
  })

  it("refuse bounds that make no sense", () => {
    expect(() => Field.decimal(39, 2)).toThrow(/precision/)
    expect(() => Field.decimal(2, 3)).toThrow(/scale/)
    expect(() => Field.int({ min: 0.5 })).toThrow(/integers/)
    expect(() => Field.double({ min: 2, max: 1 })).toThrow(/min/)
  })

  it("refuse to encode a decimal beyond its precision", () => {
    const schema = Field.decimal(4, 2)
    const other = Field.decimal(10, 2)
    const wide = Schema.decodeUnknownSync(other)("123.45")
    expect(Result.isFailure(Schema.encodeUnknownResult(schema)(wide))).toBe(true)
  })
})

describe("RecordShape", () => {
  it("says of each field what it is, in declared order", () => {
    const shape = RecordShape.of(
      Schema.Struct({
        ssn: Field.personal(Field.text({ lengthMax: 9 })),
        label: Field.hiddenFromRules(Field.optional(Field.personal(Field.text()))),
        amount: Field.decimal(12, 2, { positive: true })
      })
    )
    expect(
      shape.fields.map(({ name, index, nullable, personal, hiddenFromRules }) => [
        name,
        index,
        nullable,
        personal,
        hiddenFromRules
      ])
    ).toEqual([
      ["ssn", 0, false, true, false],
      ["label", 1, true, true, true],
      ["amount", 2, false, false, false]
    ])
    expect(shape.byName.get("amount")?.type).toEqual({ _tag: "Decimal", precision: 12, scale: 2, positive: true })
    expect(shape.closed).toBe(false)
  })

  it.each([
    ["no struct", Schema.String, /Schema\.Struct/],
    ["a field of another kind", Schema.Struct({ a: Schema.String }), /field "a"/],
    ["a check on a field", Schema.Struct({ a: Field.text().check(Schema.isMinLength(2)) }), /field "a"/],
    ["a field optional by other means", Schema.Struct({ a: Schema.optionalKey(Field.text()) }), /Field\.optional/],
    ["a check on the record", Schema.Struct({ a: Field.text() }).check(Schema.makeFilter(() => true)), /checks/],
    ["a name with a blank", Schema.Struct({ "a b": Field.text() }), /name/],
    ["a name that objects have", Schema.Struct({ ["__proto__"]: Field.text() }), /name/]
  ])("refuses %s", (_, schema, message) => {
    expect(() => RecordShape.of(schema)).toThrow(message)
  })
})

describe("Topic", () => {
  const schema = Schema.Struct({
    id: Field.text(),
    count: Field.int(),
    at: Field.timestamp,
    note: Field.optional(Field.text())
  })

  it("keeps its name, key fields, event time and partitions", () => {
    const topic = Topic.make("events", { schema, key: ["id", "count"], eventTime: "at", partitions: 8, closed: true })
    expect(topic).toMatchObject({ name: "events", key: ["id", "count"], eventTime: "at", partitions: 8 })
    expect(topic.shape.closed).toBe(true)
    expect(Topic.make("events", { schema, key: undefined })).toMatchObject({
      key: [],
      eventTime: undefined,
      partitions: 4
    })
  })

  it("takes a key that may be null with a field that stands in for it, and only then", () => {
    expect(Topic.make("events", { schema, key: { field: "note", else: "id" } })).toMatchObject({
      key: ["note"],
      keyElse: "id"
    })
    // @ts-expect-error the note may be null
    expect(() => Topic.make("a", { schema, key: "note" })).toThrow(/cannot be null/)
    // @ts-expect-error what stands in may not be null itself
    expect(() => Topic.make("a", { schema, key: { field: "note", else: "note" } })).toThrow(/cannot be null/)
    // @ts-expect-error a number does not stand in for a text
    expect(() => Topic.make("a", { schema, key: { field: "at", else: "id" } })).toThrow(/text or an integer/)
  })

  it("refuses names and numbers that logs refuse", () => {
    expect(() => Topic.make("a b", { schema, key: "id" })).toThrow(/topic name/)
    expect(() => Topic.make("a", { schema, key: "id", partitions: 0 })).toThrow(/partitions/)
  })
})
