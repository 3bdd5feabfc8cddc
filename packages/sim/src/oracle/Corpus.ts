/**
 * Seeded input files for golden runs: valid transactions among lines that are wrong in one way each.
 *
 * Used with the oracle, which says what each line must become. Some 170 kinds of nasty line are dealt like cards: 1,000
 * lines hold each at least once. The same options make the same bytes on every runtime.
 */
import { makeRandom, type Random } from "../generate/Random.ts"

export interface CorpusOptions {
  readonly seed: number
  /** Lines besides the long and the torn ones. */
  readonly lines: number
  /** Share of nasty lines in percent; 30 by default. */
  readonly nastyPercent?: number
  /** Accounts to draw from; 50 by default. */
  readonly accounts?: number
  /** Days that event times spread over; 3 by default. */
  readonly days?: number
  /** Lengths of over-long lines, strewn among the rest: `[1_500_000]` by default. */
  readonly longLineBytes?: ReadonlyArray<number>
  /** End within a record, without a line feed; true by default. */
  readonly torn?: boolean
}

type Fields = Record<string, string>

const encoder = new TextEncoder()
const quoted = (text: string) => JSON.stringify(text)
const pick = <A>(random: Random, values: readonly [A, ...ReadonlyArray<A>]): A =>
  values[random.below(values.length)] ?? values[0]

const hex = (random: Random, digits: number) =>
  Array.from({ length: digits }, () => random.below(16).toString(16)).join("")

/** 2026-01-14T12:00:00Z; the days that follow hold the event times. */
const startMs = 1_768_392_000_000

/** A valid record: each field's JSON text, in the contract's order. */
const validFields = (random: Random, accounts: number, days: number): Fields => {
  const timeMs = startMs + random.below(days * 86_400) * 1000 + random.below(1000)
  return {
    transaction_id: quoted([8, 4, 4, 4, 12].map((digits) => hex(random, digits)).join("-")),
    account_id: quoted(`ACC${String(random.below(accounts)).padStart(7, "0")}`),
    amount: `${random.below(20_000)}.${String(1 + random.below(99)).padStart(2, "0")}`,
    currency: quoted(pick(random, ["USD", "EUR", "JPY"])),
    type: quoted(pick(random, ["purchase", "refund", "withdrawal", "transfer"])),
    merchant_id: quoted(`M${random.below(20_000)}`),
    merchant_category: quoted(pick(random, ["grocery", "fuel", "travel"])),
    country: quoted(pick(random, ["US", "GB", "DE"])),
    city: quoted(pick(random, ["New York", "São Paulo", "東京", "Zürich", "🌊 Bay"])),
    lat: (random.below(180_000) / 1000 - 90).toFixed(3),
    lon: (random.below(360_000) / 1000 - 180).toFixed(3),
    channel: quoted(pick(random, ["pos", "online", "atm", "mobile"])),
    device_id: quoted(`d-${hex(random, 12)}`),
    ip: quoted(`10.${random.below(256)}.${random.below(256)}.${random.below(256)}`),
    event_timestamp: quoted(new Date(timeMs).toISOString())
  }
}

const objectText = (fields: Fields, comma = ",", colon = ":") =>
  `{${Object.entries(fields)
    .map(([name, value]) => `${quoted(name)}${colon}${value}`)
    .join(comma)}}`

/** One field replaced by each of these texts, most of them wrong. */
const replacements: Readonly<Record<string, ReadonlyArray<string>>> = {
  transaction_id: [
    '"not-a-uuid"',
    '""',
    "7",
    '"6F9619FF-8B86-D011-B42D-00C04FC964FF"',
    '"6f9619ff8b86d011b42d00c04fc964ff"'
  ],
  account_id: ["null", "17", "[]", '""', '"\\ud800"', '"ACC\\u0030\\u0030X"', '"квартал"', '"a\\"b\\\\c"'],
  amount: [
    "-1.00",
    "0",
    "0.00",
    "-0.0",
    "1e3",
    "1.5E2",
    "12e-1",
    "1e-3",
    "1e400",
    "-1e4",
    "12.345",
    "12.3400",
    '"12.34"',
    '"12.345"',
    '"0012.34"',
    '"1e3"',
    '"12,34"',
    '""',
    '" 1.00"',
    "true",
    "null",
    "{}",
    "[12.34]",
    "9999999999999999.99",
    '"9999999999999999.99"',
    '"99999999999999999.99"',
    '"1234567890123456.78"',
    "123456789012345",
    "1234567890123456",
    "9007199254740993",
    "0.01",
    "90071992547409.93",
    "123456789012345678901234567890",
    "1000000000000000000",
    "10000000000000000"
  ],
  currency: ['"usd"', '"US"', '"EURO"', "840", "null"],
  type: ['"Purchase"', '"gift"', '""', "1"],
  merchant_category: ["null", "false", '"\\ud83c\\udf0a"', '"\\udc00"', '"line\\nbreak\\u0000"'],
  country: ['"us"', '"USA"', "null"],
  city: ['"half \\ud800"', '"\\u00fc\\/\\t"', '"' + "long ".repeat(60) + '"', "{}"],
  lat: ["90", "-90", "90.0001", "-91", "1e1", "1e999", '"1.5"', "null", "-0", "-0.0", "0.1e-7", "48.137154321987654"],
  lon: ["180", "-180.0", "181", "-1e3", "true"],
  channel: ['"POS"', '"web"', "null"],
  ip: ["null", '"::1"', "0"],
  event_timestamp: [
    '"1970-01-01T00:00:00.000Z"',
    '"1999-12-31T23:59:59.999Z"',
    '"2000-01-01T00:00:00.000Z"',
    '"2089-12-31T23:59:59.999Z"',
    '"2090-01-01T00:00:00.000Z"',
    '"2099-06-01T12:00:00.000Z"',
    '"2150-01-01T00:00:00.000Z"',
    '"9999-12-31T23:59:59.999Z"',
    '"0001-01-01T00:00:00Z"',
    '"2026-02-29T00:00:00.000Z"',
    '"2028-02-29T00:00:00.000Z"',
    '"2026-01-14T25:00:00.000Z"',
    '"2026-01-14T24:00:00.000Z"',
    '"2026-01-14T23:59:60.000Z"',
    '"2026-01-15T00:30:00.000+01:00"',
    '"2026-01-14T20:00:00-05:30"',
    '"2026-01-14T23:45:00Z"',
    '"2026-01-14T23:45:00.123456Z"',
    '"2026-01-14T23:45:00.1234567Z"',
    '"2026-01-14T23:45:00.1Z"',
    '"2026-01-14 23:45:00.000Z"',
    '"2026-01-14T23:45:00.000"',
    '"2026-01-14"',
    '"yesterday"',
    '""',
    "1768434300000",
    "null"
  ],
  label: ["null", '"card_testing"', "3", '"\\ud800"']
}

/** One way to spoil a valid record. */
type Nasty = (fields: Fields, random: Random) => string | Uint8Array

const shuffled = (fields: Fields, random: Random): Fields => {
  const entries = Object.entries(fields)
  for (let at = entries.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    const [left, right] = [entries[at], entries[other]]
    if (left !== undefined && right !== undefined) [entries[at], entries[other]] = [right, left]
  }
  return Object.fromEntries(entries)
}

/** Bytes that are not UTF-8: a lone continuation, an overlong slash, a surrogate, a cut character, a byte never used. */
const badBytes: readonly [ReadonlyArray<number>, ...ReadonlyArray<ReadonlyArray<number>>] = [
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xe6, 0x97],
  [0xff],
  [0xf4, 0x90, 0x80, 0x80]
]

const withBytes = (text: string, at: number, bytes: ReadonlyArray<number>): Uint8Array => {
  const whole = encoder.encode(text)
  const out = new Uint8Array(whole.length + bytes.length)
  out.set(whole.subarray(0, at))
  out.set(bytes, at)
  out.set(whole.subarray(at), at + bytes.length)
  return out
}

const wholeRecords: ReadonlyArray<Nasty> = [
  // a field missing
  (fields, random) => {
    const names = Object.keys(fields)
    const gone = names[random.below(names.length)]
    return objectText(Object.fromEntries(Object.entries(fields).filter(([name]) => name !== gone)))
  },
  // two fields wrong: the first in the contract's order counts
  (fields) => objectText({ ...fields, channel: '"fax"', country: "1" }),
  // cut short, anywhere
  (fields, random) => {
    const bytes = encoder.encode(objectText(fields))
    return bytes.subarray(0, 1 + random.below(bytes.length - 1))
  },
  (fields, random) => {
    const text = objectText(fields)
    return withBytes(text, encoder.encode(text.slice(0, random.below(text.length))).length, pick(random, badBytes))
  },
  // not an object, or not JSON
  (_, random) =>
    pick(random, [
      "",
      " ",
      "null",
      "[]",
      "[{}]",
      "7",
      '"text"',
      "true",
      "{}",
      "{",
      "}",
      "{{}}",
      "nul",
      "\u0000",
      "\ufeff{}"
    ]),
  (fields) => `${objectText(fields)} ${objectText(fields)}`,
  (fields) => `\ufeff${objectText(fields)}`,
  (fields) => objectText(fields).replace(/}$/, ",}"),
  (fields) => objectText({ ...fields, amount: "012.30" }),
  (fields) => objectText({ ...fields, amount: "NaN" }),
  (fields) => objectText({ ...fields, city: '"tab\tinside"' }),
  (fields) => objectText({ ...fields, nested: "[".repeat(200) + "]".repeat(200) }),
  // valid, but not as usual: order, white space, escapes, unknown fields, names again
  (fields, random) => objectText(shuffled(fields, random)),
  (fields) => objectText(fields, " ,\t", " : "),
  (fields) => `  ${objectText(fields)}\t`,
  (fields) => `${objectText(fields)}\r`,
  (fields) => objectText(fields).replace('"account_id"', '"account\\u005fid"'),
  (fields) => objectText({ ...fields, campaign: '"spring"', score: "0.10", tags: '[1, {"a" : "]}"}]', __proto: "{}" }),
  (fields) => objectText({ score: "1.50e1", ...fields, constructor: "null", 'weird "name"\n': "true" }),
  (fields) => objectText(fields).replace(/}$/, ',"amount":77.70}'),
  (fields) => objectText(fields).replace(/^{/, '{"account_id":"ACC9999999",'),
  (fields) => objectText(fields).replace(/}$/, ',"x":1,"x":2}'),
  (fields) => objectText({ ...fields, label: "null" }),
  (fields, random) => objectText({ ...fields, label: quoted(pick(random, ["card_testing", "velocity"])) })
]

const nasties: ReadonlyArray<Nasty> = [
  ...wholeRecords,
  ...Object.entries(replacements).flatMap(([name, values]) =>
    values.map(
      (value): Nasty =>
        (fields) =>
          objectText({ ...fields, [name]: value })
    )
  )
]

/** Deals every kind of nasty line once, in random order, before any comes again. */
const makeDeck = (random: Random): (() => Nasty) => {
  let deck: Array<Nasty> = []
  return () => {
    if (deck.length === 0) deck = [...nasties]
    const [dealt] = deck.splice(random.below(deck.length), 1)
    return dealt ?? ((fields) => objectText(fields))
  }
}

/** A valid record made `bytes` long by an unknown field. */
const longLine = (fields: Fields, bytes: number): Uint8Array => {
  const shortest = encoder.encode(objectText({ ...fields, filler: '""' })).length
  return encoder.encode(objectText({ ...fields, filler: quoted("x".repeat(Math.max(0, bytes - shortest))) }))
}

const joined = (lines: ReadonlyArray<Uint8Array>, tail: Uint8Array): Uint8Array => {
  const out = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, tail.length))
  let at = 0
  for (const line of lines) {
    out.set(line, at)
    at += line.length
    out[at++] = 10
  }
  out.set(tail, at)
  return out
}

/** Makes a file's bytes. */
export const makeCorpus = (options: CorpusOptions): Uint8Array => {
  const { seed, lines, nastyPercent = 30, accounts = 50, days = 3, longLineBytes = [1_500_000], torn = true } = options
  const random = makeRandom(seed)
  const deal = makeDeck(random)
  const out: Array<Uint8Array> = []
  for (let line = 0; line < lines; line++) {
    const fields = validFields(random, accounts, days)
    const nasty = random.below(100) < nastyPercent
    const text = nasty ? deal()(fields, random) : objectText(fields)
    out.push(typeof text === "string" ? encoder.encode(text) : text)
  }
  for (const bytes of longLineBytes) {
    out.splice(random.below(out.length + 1), 0, longLine(validFields(random, accounts, days), bytes))
  }
  const last = encoder.encode(objectText(validFields(random, accounts, days)))
  return joined(out, torn ? last.subarray(0, last.length - 40) : new Uint8Array())
}
