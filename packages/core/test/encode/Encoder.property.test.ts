import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { type Decimal, Decoder, EncodeError, Encoder, Field, Timestamp, Topic } from "../../src/index.ts"
import { batchOf, type Everything, Everythings, makeChance, recordBytes } from "../decode/RecordCases.ts"

const decodedRecords = (seed: number, count: number): ReadonlyArray<Everything> => {
  const chance = makeChance(seed)
  const decoder = Decoder.make(Everythings)
  const batch = decoder.decode(batchOf(Array.from({ length: count }, () => recordBytes(chance))))
  return Array.from({ length: count }, (_, row) => row)
    .filter((row) => batch.valid[row] === 1)
    .map((row) => decoder.record(batch, row))
}

describe("Encoder", () => {
  const encode = Encoder.make(Everythings)

  it.each([31, 32, 33])("writes what decodes to the same record, seed %i", (seed) => {
    const records = decodedRecords(seed, 2_000)
    expect(records.length).toBeGreaterThan(400)
    const texts = records.map(encode)
    const decoder = Decoder.make(Everythings)
    const batch = decoder.decode(batchOf(texts))
    expect(batch.failures).toEqual([])
    expect(records.map((_, row) => decoder.record(batch, row))).toEqual(records)
    // and writes it the same again
    expect(records.map((_, row) => encode(decoder.record(batch, row)))).toEqual(texts)
    // nearly all of it in the form that the scanner reads
    expect(batch.fastRows).toBeGreaterThan(records.length * 0.8)
  })

  it("writes doubles of any size so that they come back", () => {
    const [record] = decodedRecords(34, 200)
    const doubles = [0.1, 1 / 3, 5e-324, 1e21, -1.7976931348623157e308, 123456789.12345678, 2 ** 53, -0]
    const decoder = Decoder.make(Everythings)
    const batch = decoder.decode(batchOf(doubles.map((double) => encode({ ...record!, sources: null, double }))))
    expect(batch.fastRows).toBe(doubles.length)
    expect(doubles.map((_, row) => decoder.record(batch, row).double)).toEqual(doubles.map((value) => value + 0))
  })

  it("leaves out fields that are null, absent or not declared", () => {
    const [record] = decodedRecords(35, 200)
    const { seen: _, ...rest } = { ...record!, secret: "x", rate: null }
    const text = encode(rest)
    expect(text).not.toMatch(/secret|"rate"|"seen"/)
  })

  it("refuses records that the topic would refuse, naming the field only", () => {
    const [record] = decodedRecords(36, 200)
    const wrong: ReadonlyArray<readonly [keyof Everything, unknown]> = [
      ["name", "a name beyond twenty bytes"],
      ["name", "\ud800"],
      ["name", undefined],
      ["kind", "SECRET"],
      ["country", "de"],
      ["amount", record!.amount.times(-1, 2)],
      ["amount", 12],
      ["whole", record!.amount],
      ["at", Timestamp.make(0)],
      ["at", Number.NaN],
      ["count", 1.5],
      ["lat", Number.POSITIVE_INFINITY],
      ["flag", "true"],
      ["since", 0.5]
    ]
    for (const [field, value] of wrong) {
      try {
        encode({ ...record!, [field]: value } as Everything)
        expect.unreachable(field)
      } catch (error) {
        expect(error).toBeInstanceOf(EncodeError)
        expect(error).toMatchObject({ topic: "everything", field })
        expect(String(error)).not.toContain("SECRET")
      }
    }
  })

  it("writes nothing that a record only inherits, and refuses a nested value that is undefined", () => {
    const Odd = Schema.Struct({
      constructor: Field.optional(Field.text()),
      toString: Field.optional(Field.text()),
      nested: Field.json(Schema.Unknown)
    })
    const odd = Encoder.make(Topic.make("odd", { schema: Odd, key: undefined })) as Encoder<object> // of records as code makes them
    expect(odd({ nested: [1] })).toBe('{"nested":[1]}')
    expect(odd({ nested: null, toString: "x" })).toBe('{"toString":"x","nested":null}')
    expect(() => odd({})).toThrow(/field nested must be a JSON value/)
  })

  it("writes decimals as numbers up to fifteen digits, then as texts", () => {
    const [record] = decodedRecords(37, 200)
    const written = (whole: Decimal<0>) => /"whole":([^,]*)/.exec(encode({ ...record!, whole }))?.[1]
    const one = record!.whole.times(0, 0).plus(1)
    expect(written(one.plus(999_999_999_999_998))).toBe("999999999999999")
    expect(written(one.plus(1_234_567_890_123_455))).toBe('"1234567890123456"')
    expect(written(one.plus("999999999999999999999"))).toBe("1000000000000000000000")
  })
})
