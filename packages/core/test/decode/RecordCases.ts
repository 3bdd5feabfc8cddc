/**
 * Random records for the tests of decoding: well-formed ones of a topic with every kind of field, and mangled ones.
 *
 * All from one seed, so that a failing case comes back.
 */
import { Schema } from "effect"
import { Field, makeRecordBuilder, type RecordBatch, type RecordHeaders, Topic } from "../../src/index.ts"

/** A small generator (mulberry32): fast, and the same everywhere. */
export interface Chance {
  /** An integer below `bound`. */
  readonly below: (bound: number) => number
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  /** True once in `odds` times. */
  readonly oneIn: (odds: number) => boolean
}

export const makeChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return { below, pick: (values) => values[below(values.length)]!, oneIn: (odds) => below(odds) === 0 }
}

export class Everything extends Schema.Opaque<Everything>()(
  Schema.Struct({
    first: Field.optional(Field.text({ lengthMax: 12 })),
    id: Field.uuid,
    name: Field.text({ lengthMax: 20 }),
    amount: Field.decimal(18, 2, { positive: true }),
    rate: Field.optional(Field.decimal(9, 6)),
    whole: Field.decimal(38, 0),
    kind: Field.oneOf(["buy", "sell", "é", 'qu"ote']),
    country: Field.alpha2,
    currency: Field.optional(Field.alpha3),
    address: Field.optional(Field.ipv4),
    number: Field.optional(Field.digits9),
    at: Field.timestamp,
    seen: Field.optional(Field.timestamp),
    since: Field.optional(Field.date),
    count: Field.int({ min: -5, max: 1_000_000 }),
    big: Field.optional(Field.int()),
    lat: Field.double({ min: -90, max: 90 }),
    double: Field.optional(Field.double()),
    flag: Field.boolean,
    maybe: Field.optional(Field.boolean),
    sources: Field.optional(Field.json(Schema.Array(Schema.Struct({ topic: Schema.String, offset: Schema.Int })))),
    constructor_: Field.optional(Field.text())
  })
) {}

export const Everythings = Topic.make("everything", { schema: Everything, key: "name", eventTime: "at" })
export const EverythingsByFirst = Topic.make("everything", {
  schema: Everything,
  key: { field: "first", else: "name" },
  eventTime: "at"
})
export const EverythingsClosed = Topic.make("everything", {
  schema: Everything,
  key: ["name", "count"],
  eventTime: "at",
  closed: true
})

const texts = [
  "plain",
  "",
  "Köln",
  "日本",
  "🙂",
  "a/b",
  "twelve bytes",
  "thirteen byte",
  "\u007f",
  "\u2028",
  "\ufeff",
  "\uffff",
  "null"
]
const rawTexts = [
  '"\\u0041"',
  '"\\n"',
  '"\\ud83d\\ude42"',
  '"\\ud800"',
  '"\\udc00x"',
  '"\\u0000"',
  '"\\x"',
  '"\t"',
  '"\u0001"',
  '"a"b"',
  '"\\"',
  '"'
]
const numbers = [
  "0",
  "-0",
  "-0.0",
  "1",
  "00",
  "01",
  "-1",
  "+1",
  "1.",
  ".5",
  "1.5",
  "1.50",
  "1.500",
  "10.005",
  "1e2",
  "1E+2",
  "1e-2",
  "1e400",
  "-1e400",
  "1e99999",
  "123456789012345",
  "1234567890123456",
  "1000000000000000",
  "12345678901234567890",
  "0.123456789012345",
  "0.1234567890123456",
  "90",
  "90.0",
  "90.000001",
  "-90",
  "1000000",
  "1000001",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "0x10",
  "NaN",
  "Infinity",
  "1_0",
  "1 ",
  "--1",
  "-",
  "5e-324",
  "0.000000000000000000001"
]
const decimalTexts = [
  '"12.34"',
  '"-12.34"',
  '"12345678901234567.89"',
  '"1e3"',
  '""',
  '" 1"',
  '"1.239"',
  '"1.230"',
  '"007"',
  '"98765432109876543210987654321098765432"'
]
const times = [
  "2026-01-14T23:45:00.000Z",
  "2026-01-14T23:45:00Z",
  "2026-01-14T23:45:00.1Z",
  "2026-01-14T23:45:00.123456Z",
  "2026-01-14T23:45:00.1234567899Z",
  "2026-01-14T23:45:00.000+01:00",
  "2026-01-14T23:45:00-23:59",
  "2026-01-14T23:45:00.000+0100",
  "2026-01-14T23:45:00.000+24:00",
  "2026-01-14T23:45:00.000",
  "2026-01-14T23:45:00.Z",
  "2026-01-14 23:45:00Z",
  "2026-01-14t23:45:00z",
  "2026-02-29T00:00:00Z",
  "2028-02-29T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-32T00:00:00Z",
  "2026-01-14T24:00:00Z",
  "2026-01-14T23:60:00Z",
  "2026-01-14T23:45:60Z",
  "1999-12-31T23:59:59.999Z",
  "2000-01-01T00:00:00.000Z",
  "1999-12-31T23:59:59-01:00",
  "2089-12-31T23:59:59.999999Z",
  "2090-01-01T00:00:00Z",
  "2109-05-15T07:35:11.103Z",
  "2109-05-15T07:35:11.104Z",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "1969-12-31T23:59:59.999999Z",
  "2026-01-14",
  "0001-01-01",
  "0000-12-31",
  "9999-12-31",
  "2026-1-14",
  ""
]
const ids = [
  "0f0f0f0f-0000-4000-8000-000000000000",
  "0F0F0F0F-0000-4000-8000-00000000ABCD",
  "0f0f0f0f-0000-4000-8000-00000000000g",
  "0f0f0f0f00004000-8000-000000000000000",
  "0f0f0f0f-0000-4000-8000-00000000000",
  "0f0f0f0f-0000-4000-8000-0000000000000"
]
const addresses = [
  "1.2.3.4",
  "255.255.255.255",
  "256.1.1.1",
  "01.2.3.4",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.4.",
  ".1.2.3",
  "1..2.3"
]
const others = [
  "null",
  "true",
  "false",
  "[]",
  "{}",
  '{"a":[1,{"b":"}"}]}',
  "[1,2",
  "nul",
  "tru",
  "TRUE",
  '[{"topic":"t","offset":1}]'
]
const codes = ["DE", "de", "D", "DEU", "EUR", "D1", "ÄÖ"]
const nineDigits = [
  "123456789",
  "000000000",
  "12345678",
  "1234567890",
  "12345678A",
  "12345678:",
  "/12345678",
  "１23456789"
]

/** A record that decodes, on the fast path, by field. */
const goodMembers: Readonly<Record<string, string>> = {
  id: '"0f0f0f0f-0000-4000-8000-000000000000"',
  name: '"n"',
  amount: "12.34",
  whole: "5",
  kind: '"buy"',
  country: '"DE"',
  at: '"2026-01-14T23:45:00.123Z"',
  count: "-3",
  lat: "-0.5",
  flag: "true"
}

/** Good records with one field replaced by each value that tries a rule, on every field. */
export const edgeRecords = (): ReadonlyArray<string> => {
  const values = [
    ...[texts, times, ids, addresses, codes, nineDigits, ["buy", "sel", "selll", "é", 'qu"ote']]
      .flat()
      .map((text) => JSON.stringify(text)),
    ...[numbers, decimalTexts, rawTexts, others, ['"qu"ote"', '"buy', '"1.5', '1.5"', "tru", "nulll"]].flat()
  ]
  return Everythings.shape.fields.flatMap((replaced) =>
    values.map((value) => {
      const members = Everythings.shape.fields.flatMap(({ name }) => {
        const good = name === replaced.name ? value : goodMembers[name]
        return good === undefined ? [] : [`"${name}":${good}`]
      })
      return `{${members.join(",")}}`
    })
  )
}

const quoted = (chance: Chance, values: ReadonlyArray<string>) => JSON.stringify(chance.pick(values))

/** A value that may fit its field: mostly the first, sometimes any of its kind, seldom anything. */
const valueOf = (chance: Chance, name: string): string => {
  const anything = [numbers, decimalTexts, rawTexts, others]
  if (chance.oneIn(60)) return chance.pick(chance.pick(anything))
  const usual = chance.oneIn(12)
  switch (name) {
    case "id":
      return usual ? quoted(chance, ids) : quoted(chance, ids.slice(0, 2))
    case "amount":
    case "rate":
    case "whole":
      return usual
        ? chance.pick(chance.oneIn(2) ? numbers : decimalTexts)
        : name === "whole"
          ? String(chance.below(1e9))
          : `${chance.below(1000) + 1}.${chance.below(90) + 10}`
    case "kind":
      return usual ? quoted(chance, ["é", 'qu"ote', "bu", "buyy"]) : quoted(chance, ["buy", "sell"])
    case "country":
      return usual ? quoted(chance, codes) : '"DE"'
    case "currency":
      return usual ? quoted(chance, codes) : '"EUR"'
    case "address":
      return usual ? quoted(chance, addresses) : '"10.20.30.40"'
    case "number":
      return usual ? quoted(chance, nineDigits) : '"123456789"'
    case "at":
    case "seen":
      return usual ? quoted(chance, times) : quoted(chance, times.slice(0, 7))
    case "since":
      return usual ? quoted(chance, times) : '"2026-01-14"'
    case "count":
      return usual ? chance.pick(numbers) : String(chance.below(1000) - 5)
    case "big":
    case "double":
    case "lat":
      return usual ? chance.pick(numbers) : `${chance.oneIn(2) ? "-" : ""}${chance.below(90)}`
    case "flag":
    case "maybe":
      return chance.oneIn(2) ? "true" : "false"
    case "sources":
      return '[ {"topic":"t","offset":7} ]'
    default:
      return usual ? chance.pick(rawTexts) : quoted(chance, texts)
  }
}

const blanks = ["", "", "", " ", "\n", "\t", "\r\n", "\u00a0", "\f", "  "]
const strangers = [
  '"extra":1',
  '"__proto__":{"flag":1}',
  '"toString":"x"',
  '"ext\\u0072a":12.30',
  '"":{"a":[1]}',
  '"\\ud800":1',
  '"nam":"n"',
  '"names":"n"'
]

const shuffled = <A>(chance: Chance, values: ReadonlyArray<A>): ReadonlyArray<A> => {
  const left = [...values]
  return values.map(() => left.splice(chance.below(left.length), 1)[0]!)
}

/** Its first letter written as an escape. */
const escapedName = (name: string) => name.replace(/^./, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)

/** The text of a record: every required field, some optional ones, and now and then something wrong with its form. */
export const recordText = (chance: Chance): string => {
  const loose = chance.oneIn(3)
  const blank = () => (loose && chance.oneIn(8) ? chance.pick(chance.oneIn(8) ? blanks : blanks.slice(0, 7)) : "")
  const members: Array<string> = []
  for (const field of Everythings.shape.fields) {
    if (field.nullable ? !chance.oneIn(field.type._tag === "Json" ? 10 : 2) : chance.oneIn(150)) continue
    const key = chance.oneIn(150) ? escapedName(field.name) : field.name
    const value = field.nullable && chance.oneIn(5) ? "null" : valueOf(chance, field.name)
    members.push(`${blank()}"${key}"${blank()}:${blank()}${value}${blank()}`)
  }
  if (chance.oneIn(12)) members.push(chance.pick(strangers))
  if (chance.oneIn(25) && members.length > 1) members.push(chance.pick(members))
  const ordered = chance.oneIn(loose ? 2 : 25) ? shuffled(chance, members) : members
  const text = `${blank()}{${ordered.join(chance.oneIn(60) ? chance.pick([", ", ",,", ";", ",\n", ""]) : ",")}}${blank()}`
  const wrong = [
    ` ${text}`,
    `${text}\n`,
    `${text}}`,
    `\ufeff${text}`,
    `[${text}]`,
    `${text},`,
    "null",
    "",
    "5",
    '"x"',
    "{",
    "{}"
  ]
  return chance.oneIn(30) ? chance.pick(wrong) : text
}

/** The bytes of a record, now and then cut short or with bytes changed. */
export const recordBytes = (chance: Chance): Uint8Array => {
  const bytes = new TextEncoder().encode(recordText(chance))
  if (chance.oneIn(15) && bytes.length > 0) {
    for (let count = chance.below(3) + 1; count > 0; count--) bytes[chance.below(bytes.length)] = chance.below(256)
  }
  return chance.oneIn(25) ? bytes.slice(0, chance.below(bytes.length + 1)) : bytes
}

/** A batch of records' bytes, as a log would give it. */
export const batchOf = (
  records: ReadonlyArray<Uint8Array | string>,
  headers: ReadonlyMap<number, RecordHeaders> = new Map()
): RecordBatch => {
  const builder = makeRecordBuilder()
  const encoder = new TextEncoder()
  for (const [row, record] of records.entries()) {
    builder.add(typeof record === "string" ? encoder.encode(record) : record, null, headers.get(row))
  }
  const packed = builder.take()
  const rows = Array.from({ length: packed.length }, (_, row) => row)
  return { ...packed, offsets: Float64Array.from(rows), timestamps: new Float64Array(packed.length) }
}
