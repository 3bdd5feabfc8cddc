/**
 * Inputs for fuzzing: records by a grammar that mostly fits a topic, then some of their bytes changed.
 *
 * All from one seed. Values are chosen by the kind of their field, among those that try its rules.
 */
import type { FieldSpec, RecordShape } from "../../src/index.ts"
import type { Chance } from "../decode/RecordCases.ts"

const texts = ["", "a", "plain text", "Köln", "日本", "🙂", "\u007f", "\u2028", "twelve bytes", "twenty bytes or more…"]
const rawTexts = [
  '"\\u0041"',
  '"\\n\\"\\\\\\/"',
  '"\\ud83d\\ude42"',
  '"\\ud800"',
  '"x\\udc00"',
  '"\\ude42\\ud83d"',
  '"\\u0000"',
  '"\\u00E9\\uFFFF"',
  '"\\x"',
  '"\\u12G4"',
  '"\\u123"',
  '"\\"',
  '"\t"',
  '"\u0000"',
  '"\u001f"',
  '"a"b"',
  '"',
  '"open'
]
const odds = [
  "0",
  "-0",
  "-0.0",
  "0e0",
  "-0e-0",
  "00",
  "01",
  "-01",
  "+1",
  "1.",
  ".5",
  "-.5",
  "1.e1",
  "1e",
  "1e+",
  "1E+2",
  "1e-2",
  "1.5e1",
  "120e-1",
  "0.00001e5",
  "1e15",
  "1e22",
  "1e400",
  "-1e400",
  "1e-400",
  "1e99999999999",
  "999999999999999",
  "1000000000000000",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740991",
  "123456789012345678901234567890",
  "0.1234567890123456",
  "100000000000000000000e-20",
  "90.00",
  "90.000000000000001",
  "36.0",
  "5e-324",
  "0x1F",
  "NaN",
  "Infinity",
  "-Infinity",
  "1_000",
  "--1",
  "-",
  "1,2"
]
const quotedDecimals = [
  '"12.34"',
  '"-12.34"',
  '"12345678901234567.89"',
  '"1e3"',
  '""',
  '" 1"',
  '"1 "',
  '"1.239"',
  '"1.230"',
  '"007"',
  '"-0.00"',
  '"\\u0031.5"',
  '"98765432109876543210987654321098765432"',
  '"0.00000000000000000000000000000000000001"'
]
const times = [
  "2026-01-14T23:45:00.000Z",
  "2026-01-14T23:45:00Z",
  "2026-01-14T23:45:00.123456Z",
  "2026-01-14T23:45:00.1234567899Z",
  "2026-01-14T23:45:00.000+01:00",
  "2026-01-14T23:45:00-23:59",
  "2026-01-14T23:45:00.000+24:00",
  "2026-01-14 23:45:00Z",
  "2026-02-29T00:00:00Z",
  "2028-02-29T00:00:00Z",
  "2026-01-14T24:00:00Z",
  "2026-01-14T23:59:60Z",
  "1999-12-31T23:59:59.999Z",
  "2000-01-01T00:00:00.000Z",
  "2090-01-01T00:00:00Z",
  "2109-05-15T07:35:11.104Z",
  "1831-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "2026-01-14",
  "0001-01-01",
  "9999-12-31",
  "2026-1-14"
]
const ids = [
  "0f0f0f0f-0000-4000-8000-000000000000",
  "0F0F0F0F-0000-4000-8000-00000000ABCD",
  "0f0f0f0f-0000-4000-8000-00000000000g",
  "0f0f0f0f-0000-4000-8000-00000000000",
  "0f0f0f0f-0000-4000-8000-0000000000000"
]
const addresses = ["1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.", "1..2.3"]
const nested = [
  "[]",
  "{}",
  '[{"topic":"t","offset":1}]',
  '[ {"offset":2,"topic":"\\u0074", "note":"n"} ]',
  '[{"topic":"t","offset":1,"topic":2}]',
  '[{"topic":1}]',
  '{"a":[1,{"b":"}"}],"a":2}',
  '{"__proto__":1}',
  "[1,2",
  "[1,]",
  '{"a"}',
  '{"a":}',
  "[[],[[{}]],[null,true,false]]",
  '[1 , -2.5e3,\n"\\\\"]'
]
/** JSON, for unknown fields. */
const sound = [
  ...nested.slice(0, 8),
  ...nested.slice(12),
  ...rawTexts.slice(0, 8),
  ...odds.slice(0, 5),
  "1e400",
  "true"
]
const words = ["null", "true", "false", "nul", "tru", "TRUE", "nulll", "undefined", ""]
const blanks = [" ", "\n", "\t", "\r\n", "  ", "\u00a0", "\f", "\ufeff", "\u0000"]
const names = [
  "extra",
  "",
  "é",
  "__proto__",
  "constructor",
  "toString",
  "\\u0061",
  "a\\n",
  "ids",
  "i",
  "\\ud800",
  "x y"
]

/** `levels` arrays within each other; more than a record may nest, now and then. */
const deep = (chance: Chance): string => {
  const levels = chance.pick([1, 5, 60, 126, 127, 128, 129, 200])
  const [open, close] = chance.pick([
    ["[", "]"],
    ['{"a":', "}"]
  ] as const)
  return `${open.repeat(levels)}${chance.pick(["1", '"}"', "[]"])}${close.repeat(chance.oneIn(20) ? levels - 1 : levels)}`
}

const anyValue = (chance: Chance): string => {
  if (chance.oneIn(30)) return deep(chance)
  return chance.pick(chance.pick([rawTexts, odds, quotedDecimals, nested, words]))
}

const quoted = (chance: Chance, values: ReadonlyArray<string>) => JSON.stringify(chance.pick(values))

const decimalValue = (chance: Chance, scale: number, wild: number): string => {
  if (chance.oneIn(wild)) return chance.pick(chance.oneIn(2) ? odds : quotedDecimals)
  if (chance.oneIn(8)) return chance.pick(["1e2", "1.5e1", '"12.3"', '"\\u0031"', "120e-1"])
  const digits = chance.below(10 ** chance.below(7)) + 1
  return scale > 0 && chance.oneIn(2) ? `${digits}.${chance.below(10)}` : String(digits)
}

/** A value of the field's kind, right or nearly; `wild` in so many is not. */
const valueOf = (chance: Chance, { type }: FieldSpec, wild: number): string => {
  if (chance.oneIn(wild * 8)) return anyValue(chance)
  switch (type._tag) {
    case "Text":
      if (type.values !== undefined) return quoted(chance, chance.oneIn(wild) ? ["", "sel", "purchases"] : type.values)
      if (type.format === "uuid") return quoted(chance, chance.oneIn(wild) ? ids : ids.slice(0, 2))
      if (type.format === "ipv4") return quoted(chance, chance.oneIn(wild) ? addresses : addresses.slice(0, 2))
      if (type.format === "alpha2") return chance.oneIn(wild) ? quoted(chance, ["de", "D", "DEU", "ÄÖ"]) : '"DE"'
      if (type.format === "alpha3") return chance.oneIn(wild) ? quoted(chance, ["eur", "EU", "E1R"]) : '"EUR"'
      if (type.format === "digits9")
        return chance.oneIn(wild) ? quoted(chance, ["12345678", "12345678A"]) : '"123456789"'
      return chance.oneIn(wild)
        ? chance.pick(rawTexts)
        : chance.oneIn(8)
          ? chance.pick(rawTexts.slice(0, 3))
          : quoted(chance, texts)
    case "Decimal":
      return decimalValue(chance, type.scale, wild)
    case "Int":
      return chance.oneIn(wild) ? chance.pick(odds) : String(chance.below(1000) - 5)
    case "Double":
      return chance.oneIn(wild)
        ? chance.pick(odds)
        : `${chance.oneIn(2) ? "-" : ""}${chance.below(90)}.${chance.below(1e6)}`
    case "Timestamp":
      return quoted(chance, chance.oneIn(wild) ? times : times.slice(0, 5))
    case "Date":
      return chance.oneIn(wild) ? quoted(chance, times) : '"2026-01-14"'
    case "Boolean":
      return chance.oneIn(2) ? "true" : "false"
    case "Json":
      return chance.oneIn(wild) ? chance.pick(nested) : '[{"topic":"t","offset":7}]'
  }
}

const escaped = (name: string) => `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`

/** The text of a record of the shape, or of what could be taken for one. */
export const fuzzText = (chance: Chance, { fields }: RecordShape): string => {
  const loose = chance.oneIn(3)
  const wild = chance.oneIn(2) ? 100 : 12
  const blank = () => (loose && chance.oneIn(6) ? chance.pick(chance.oneIn(9) ? blanks : blanks.slice(0, 5)) : "")
  const members: Array<string> = []
  for (const field of fields) {
    if (field.nullable ? chance.oneIn(2) : chance.oneIn(200)) continue
    const name = chance.oneIn(300) ? escaped(field.name) : field.name
    const value = chance.oneIn(field.nullable ? 6 : 200) ? "null" : valueOf(chance, field, wild)
    members.push(`${blank()}"${name}"${blank()}:${blank()}${value}${blank()}`)
  }
  while (chance.oneIn(6)) {
    members.splice(
      chance.below(members.length + 1),
      0,
      `"${chance.pick(names)}":${blank()}${chance.oneIn(3) ? anyValue(chance) : chance.pick(sound)}`
    )
  }
  if (chance.oneIn(25) && members.length > 0) members.push(chance.pick(members))
  if (chance.oneIn(6)) members.sort(() => chance.below(3) - 1)
  const text = `${blank()}{${members.join(chance.oneIn(200) ? chance.pick([",,", ";", ""]) : ",")}${blank()}}${blank()}`
  if (!chance.oneIn(60)) return text
  return chance.pick([
    `\ufeff${text}`,
    `${text}}`,
    `[${text}]`,
    `${text},`,
    `${text}\u0000`,
    "null",
    "",
    "5",
    '"x"',
    "{",
    "{}",
    "[]",
    "{,}"
  ])
}

const sequences = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x99, 0x82],
  [0xc3, 0xa9],
  [0x00],
  [0xef, 0xbb, 0xbf],
  [0x5c],
  [0x22],
  [0x7d],
  [0x5c, 0x75],
  [0x31, 0x65, 0x39, 0x39, 0x39]
]
const structural = [...new TextEncoder().encode('{}[]:,"\\ -+.0159eEnt/\n')]

/** Some bytes changed, taken out, put in, doubled, or the rest cut off. */
export const mutated = (chance: Chance, bytes: Uint8Array): Uint8Array => {
  if (bytes.length === 0) return bytes
  const at = chance.below(bytes.length)
  switch (chance.below(6)) {
    case 0: {
      const changed = bytes.slice()
      changed[at] = chance.oneIn(2) ? chance.pick(structural) : chance.below(256)
      return changed
    }
    case 1:
      return bytes.slice(0, at)
    case 2: {
      const to = Math.min(bytes.length, at + 1 + chance.below(8))
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(to)])
    }
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...chance.pick(sequences), ...bytes.subarray(at)])
    case 4: {
      const from = chance.below(at + 1)
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(from)])
    }
    default: {
      const changed = bytes.slice()
      changed[at] = changed[at]! ^ (1 << chance.below(8))
      return changed
    }
  }
}
